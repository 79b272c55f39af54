/** The help leads somewhere with every link, and its workflow is one. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { FIRST_WORKFLOW } from "../../views/help.tsx";
import { parseWorkflow } from "../../src/language/parse.ts";
import { type ChatWorld, startChatWorld } from "./chat-world.ts";

let world: ChatWorld;
beforeAll(async () => {
  world = await startChatWorld();
});
afterAll(() => world[Symbol.asyncDispose]());

const get = (path: string) => fetch(world.url + path, { headers: { Accept: "text/html,*/*" } });

test("every link of the help leads to a page, and to its part where it names one", async () => {
  const help = await (await get("/help")).text();
  const hrefs = [...help.matchAll(/<a[^>]* href="(\/[^"]*)"/g)].map(([, href = ""]) => href);
  expect(hrefs).toContain("/api/v1/openapi.json");
  expect(hrefs).toContain("/settings#backups-h");
  const dead: string[] = [];
  for (const href of new Set(hrefs)) {
    const [path = "", part] = href.split("#");
    const answer = await get(path);
    const text = await answer.text();
    if (answer.status !== 200 || (part !== undefined && !text.includes(`id="${part}"`)))
      dead.push(`${answer.status} ${href}`);
  }
  expect(dead).toEqual([]);
});

test("the help lists the keys of every page and of workflows", async () => {
  const help = await (await get("/help")).text();
  for (const text of ["New workflow, where", "Edit the workflow that is open"])
    expect(help).toContain(`<dd>${text}`);
  const keyed = [...help.matchAll(/data-key="(.)"/g)].map(([, key = ""]) => key);
  expect(keyed).toContain("d");
  for (const key of keyed) expect(help).toContain(`<kbd>g</kbd><kbd>${key}</kbd>`);
});

test("the workflow of the help is valid as it stands", () => {
  const { workflow, problems } = parseWorkflow(FIRST_WORKFLOW, { format: "yaml", knownTools: [] });
  expect({ name: workflow?.name, problems }).toEqual({ name: "my_first", problems: [] });
});
