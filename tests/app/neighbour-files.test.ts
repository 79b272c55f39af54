import { afterEach, expect, test } from "bun:test";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { saveNeighbours } from "../../src/app/neighbour-files.ts";
import { parseWorkflow } from "../../src/language/parse.ts";
import { systemClock } from "../../src/lib/clock.ts";
import { openStore } from "../../src/store/store.ts";

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

/** A workflow that calls others, one after the other. */
function caller(name: string, ...called: string[]): string {
  const ids = called.map((_, index) => `call${index}`);
  const nodes = called.map((inner, index) => `  - {id: call${index}, workflow: {name: ${inner}}}`);
  const own = called.length === 0 ? ["  - {id: rest, wait: 1}"] : nodes;
  const places = called.length === 0 ? ["rest"] : ids;
  const edges = ["START", ...places].map(
    (from, index) => `  - {from: ${from}, to: ${places[index] ?? "END"}}`,
  );
  return `schema_version: "1.0"
flow: {name: ${name}}
state: {fields: {text: {type: str, default: ""}}}
nodes:
${own.join("\n")}
edges:
${edges.join("\n")}
`;
}

async function saved(main: string, files: Readonly<Record<string, string>>): Promise<string[]> {
  const folder = await mkdtemp(join(tmpdir(), "agents-neighbours-"));
  closing.push(() => rm(folder, { recursive: true, force: true }));
  for (const [name, text] of Object.entries(files)) await Bun.write(join(folder, name), text);
  await mkdir(join(folder, "folder.yaml"));
  const store = await openStore({ path: ":memory:", clock: systemClock });
  closing.push(() => store.close());
  const { workflow, problems } = parseWorkflow(main, { format: "yaml", knownTools: [] });
  if (workflow === undefined) throw new Error(problems[0]?.message);
  await saveNeighbours(workflow, { folder, workflows: store.workflows, toolNames: [] });
  const list = await store.workflows.list({ limit: 50 });
  return list.map(({ name }) => name).toSorted();
}

test("stores what a file calls and what that calls, also in a circle, and nothing else", async () => {
  const files = {
    "one.yaml": caller("inner", "deepest"),
    "two.yml": caller("deepest", "inner"),
    "three.yaml": caller("stranger"),
    "four.json": JSON.stringify(Bun.YAML.parse(caller("as_json"))),
  };
  expect(await saved(caller("main", "inner", "as_json"), files)).toEqual([
    "as_json",
    "deepest",
    "inner",
  ]);
});

test("leaves alone what is broken, foreign or not there", async () => {
  const files = {
    "broken.yaml": caller("inner").replace("nodes:", "nods:"),
    "prose.yaml": "# inner\njust: words\n",
    "binary.yaml": "\u0000\u0001",
    "inner.txt": caller("inner"),
  };
  expect(await saved(caller("main", "inner"), files)).toEqual([]);
});

test("reads no folder for a file that calls nothing", async () => {
  const store = await openStore({ path: ":memory:", clock: systemClock });
  closing.push(() => store.close());
  const { workflow } = parseWorkflow(caller("main"), { format: "yaml", knownTools: [] });
  if (workflow === undefined) throw new Error("not valid");
  const options = { workflows: store.workflows, toolNames: [] };
  await saveNeighbours(workflow, { ...options, folder: "/nowhere/at/all" });
  expect(await store.workflows.list({ limit: 5 })).toEqual([]);
});
