/** Commands on runs that exist, as processes: what people decide, send, let go on, do again and forget. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { ERROR_CODES } from "../../src/domain/error.ts";

/** From another folder Bun would not find the settings that the views need. */
const PROGRAM = [
  "--no-env-file",
  `--tsconfig-override=${resolve("tsconfig.json")}`,
  resolve("src/main.ts"),
];

const HEAD = (name: string, fields: string) => `schema_version: "1.0"
flow: {name: ${name}}
state:
  fields:
${fields}
`;

const GATE = `${HEAD(
  "gate",
  `    news: {type: str, default: "We open."}
    draft: {type: str, default: ""}
    approved: {type: bool, default: false}
    comment: {type: str, default: ""}`,
)}
nodes:
  - id: write
    prompt: "Announce {news}"
    outputs: [draft]
    output_schema: {type: str}
  - id: ask
    approval: {message: "Publish?", on_reject: continue}
    outputs: [approved, comment]
edges:
  - {from: START, to: write}
  - {from: write, to: ask}
  - {from: ask, to: END}
`;

const TWO_GATES = `${HEAD("two_gates", "    ok: {type: bool, default: false}\n    fine: {type: bool, default: false}")}
nodes:
  - {id: left, approval: {message: "Left?"}, outputs: [ok]}
  - {id: right, approval: {message: "Right?"}, outputs: [fine]}
edges:
  - {from: START, to: [left, right]}
  - {from: left, to: END}
  - {from: right, to: END}
`;

const OUTER = `${HEAD("outer", "    approved: {type: bool, default: false}")}
nodes:
  - {id: inner, workflow: {name: gate}, outputs: [approved]}
edges:
  - {from: START, to: inner}
  - {from: inner, to: END}
`;

const HEAR = `${HEAD("hear", "    word: {type: str, default: none}")}
nodes:
  - {id: hear, wait: {signal: word}, outputs: [word]}
edges:
  - {from: START, to: hear}
  - {from: hear, to: END}
`;

const FAILS = `${HEAD("fails", '    numbers: {type: "list[int]", default: [1, 0, 2]}\n    parts: {type: "list[float]"}\n    part: {type: float}')}
nodes:
  - {id: first, wait: 0.01}
  - id: divide
    language: javascript
    inputs: {part_of: "{item}"}
    code: "if (part_of === 0) throw new Error('nothing to divide by'); result = 1 / part_of;"
    outputs: [part]
edges:
  - {from: START, to: first}
  - from: first
    parallel: {items_field: numbers, target_node: divide, collect_field: parts}
  - {from: divide, to: END}
`;

const LEARN = `${HEAD("learn", "    text: {type: str, default: tea}\n    answer: {type: str}")}
nodes:
  - id: answer
    prompt: "Talk about {text}"
    outputs: [answer]
    output_schema: {type: str}
    memory: {enabled: true, default_scope: agent}
edges:
  - {from: START, to: answer}
  - {from: answer, to: END}
`;

const FILES = { gate: GATE, two: TWO_GATES, outer: OUTER, hear: HEAR, fails: FAILS, learn: LEARN };

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "agents-cli-runs-"));
  await Promise.all(
    Object.entries(FILES).map(([name, text]) => Bun.write(join(root, `${name}.yaml`), text)),
  );
});
afterAll(() => rm(root, { recursive: true, force: true }));

/** Each group of tests has its data folder, so that lists are its own. */
let folder = "data";

function spawn(argv: readonly string[]) {
  return Bun.spawn([process.execPath, ...PROGRAM, ...argv], {
    cwd: root,
    env: {
      PATH: process.env["PATH"] ?? "",
      HOME: join(root, "home"),
      NO_COLOR: "1",
      AGENTS_DATA_DIR: join(root, folder),
    },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
}

async function agents(...argv: string[]) {
  const child = spawn(argv);
  const [out, errors, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  return { out, errors: errors.replaceAll(/\s+/g, " "), code };
}

async function readJson(...argv: string[]) {
  const { out, errors } = await agents(...argv, "--json");
  if (out === "") throw new Error(errors);
  return JSON.parse(out);
}

/** Starts a command in the background and waits until its progress says the words. */
async function startUntil(words: string, ...argv: string[]) {
  const child = spawn(argv);
  let errors = "";
  const reader = child.stderr.pipeThrough(new TextDecoderStream()).getReader();
  while (!errors.includes(words)) {
    const { done, value } = await reader.read();
    if (done) throw new Error(`ended before it said "${words}": ${errors}`);
    errors += value;
  }
  reader.releaseLock();
  return { child, errors, id: /^Run (\w+) of/.exec(errors)?.[1] ?? "" };
}

async function endOf(child: ReturnType<typeof spawn>) {
  const out = await new Response(child.stdout).text();
  return { out, code: await child.exited };
}

describe("approvals", () => {
  test("without a server: the run asks, is listed, answered from another terminal, and goes on", async () => {
    folder = "approve";
    const demo = ["--provider", "demo"];
    const { child, errors, id } = await startUntil("agents reject", "run", "gate.yaml", ...demo);
    expect(errors).toContain("ask: asks for an approval: Publish?");
    expect(errors).toContain(`agents approve ${id} ask\n`);
    const { approvals } = await readJson("approvals");
    expect(approvals).toMatchObject([
      { run: id, workflow: "gate", step: "ask", node: "ask", message: "Publish?", until: null },
    ]);
    const list = await agents("approvals");
    expect(list.out).toContain(id);
    const shown = await agents("runs", id);
    expect(shown.out).toContain("waiting: approval");
    expect(shown.out).toContain("? ask asks for an approval: Publish?");
    const run = await readJson("runs", id);
    expect(run).toMatchObject({
      state: "waiting",
      waiting_for: "approval",
      origin: null,
      depth: 0,
      steps: [
        { step: "write", state: "succeeded", next: ["ask"] },
        { step: "ask", state: "waiting", wait: { for: "approval", message: "Publish?" } },
      ],
    });

    const rejected = await agents("reject", id, "-m", "too short");
    expect(rejected.code).toBe(0);
    expect(rejected.out).toBe(`Step ask of run ${id} is rejected.\n`);
    const { out, code } = await endOf(child);
    expect(code).toBe(0);
    expect(out).toContain("comment: too short");
    const again = await agents("approve", id);
    expect(again.code).toBe(ERROR_CODES.not_found.exit);
    const named = await agents("approve", id, "ask");
    expect(named.code).toBe(ERROR_CODES.conflict.exit);
    expect((await agents("approvals")).out).toBe("Nothing waits for approval.\n");
  }, 20_000);

  test("a detached run is executed by `resume`, and one that asks twice wants the step named", async () => {
    folder = "two";
    const detached = await agents("run", "two.yaml", "-d");
    const id = detached.out.trim();
    const { child } = await startUntil("agents approve", "resume", id);
    const unclear = await agents("approve", id);
    expect(unclear.code).toBe(ERROR_CODES.usage.exit);
    expect(unclear.errors).toContain("Name the step: one of left, right.");
    const unknown = await agents("approve", id, "nowhere");
    expect(unknown.code).toBe(ERROR_CODES.not_found.exit);
    await agents("approve", id, "left");
    await agents("reject", id, "right", "-m", "never");
    const { code } = await endOf(child);
    expect(code).toBe(ERROR_CODES.approval_rejected.exit);
    expect((await agents("runs", id)).out).toContain("never");
  }, 20_000);

  test("a run tells what the run inside of it asks", async () => {
    folder = "outer";
    await agents("cancel", (await agents("run", "gate.yaml", "-d")).out.trim());
    const { child, errors, id } = await startUntil(
      "agents reject",
      "run",
      "outer.yaml",
      "--provider",
      "demo",
    );
    const [, inner = ""] = /agents reject (\w+) ask/.exec(errors) ?? [];
    expect(inner).not.toBe(id);
    await agents("approve", inner);
    expect((await endOf(child)).code).toBe(0);
    const { descendants } = await readJson("runs", id);
    expect(descendants).toEqual([
      { id: inner, workflow: "gate", state: "succeeded", kind: "child", step: "inner" },
    ]);
    expect(await readJson("runs", inner)).toMatchObject({
      source: "workflow",
      origin: { kind: "child", run: id, step: "inner" },
      depth: 1,
    });
    const text = (await agents("runs", inner)).out.replaceAll(/\s+/g, " ");
    expect(text).toContain(`started by step inner of run ${id}`);
  }, 20_000);
});

describe("signals", () => {
  test("a signal with data is what the step gives", async () => {
    folder = "signal";
    const { child, id } = await startUntil("agents signal", "run", "hear.yaml");
    expect((await agents("signal", id, "word", "--data", "{no")).code).toBe(ERROR_CODES.usage.exit);
    const sent = await agents("signal", id, "word", "--data", '"hello"');
    expect({ out: sent.out, code: sent.code }).toEqual({
      out: `Signal word is sent to run ${id}.\n`,
      code: 0,
    });
    expect(await endOf(child)).toEqual({ out: "word: hello\n", code: 0 });
    const late = await agents("signal", id, "word");
    expect(late.code).toBe(ERROR_CODES.conflict.exit);
  }, 20_000);
});

describe("a run that failed", () => {
  test("shows its items, is resumed, retried from a step, run again and forked", async () => {
    folder = "fails";
    const failed = await readJson("run", "fails.yaml");
    const { id } = failed;
    expect(failed).toMatchObject({ state: "failed", error: { code: "code_failed" } });
    const shown = (await agents("runs", id)).out;
    expect(shown).toMatch(/^ {2}divide {2,}/m);
    expect(shown).toMatch(/^ {4}divide\[1\] {2,}failed .*\n {6}The code failed/m);

    expect((await agents("resume", id)).code).toBe(ERROR_CODES.code_failed.exit);
    const retried = await agents("retry", id, "--from", "first");
    expect(retried.code).toBe(ERROR_CODES.code_failed.exit);
    expect(retried.errors).toContain("goes back to first");
    expect(retried.errors).not.toContain("queued");
    expect((await agents("runs", id)).out).toMatch(/^ {2}first +superseded/m);

    const again = await readJson("rerun", id);
    expect(await readJson("runs", again.id)).toMatchObject({
      origin: { kind: "rerun", run: id, step: null },
    });
    const forked = await agents("fork", id, "--from", "divide", "--set", "numbers=[1, 2]");
    expect({ out: forked.out, code: forked.code }).toEqual({
      out: "parts:\n  [\n    1,\n    0.5\n  ]\n",
      code: 0,
    });
    const { runs } = await readJson("runs");
    expect(runs.map(({ origin }: { origin: unknown }) => origin)).toEqual([
      { kind: "fork", run: id, step: "divide" },
      { kind: "rerun", run: id, step: null },
      null,
    ]);
    expect((await agents("runs", id)).out).toContain("Runs from this one:");
  }, 40_000);

  test("is not changed by what cannot be done", async () => {
    folder = "refused";
    const { id } = await readJson("run", "fails.yaml");
    const cases: [argv: string[], code: number, words: string][] = [
      [["retry", id, "--from", "nowhere"], ERROR_CODES.not_found.exit, "has no step nowhere"],
      [["retry", id, "--from", "divid"], ERROR_CODES.not_found.exit, "Write `divide` instead"],
      [["fork", id], ERROR_CODES.usage.exit, "needs the step to begin at"],
      [["fork", id, "--from", "divide", "--set", "x"], ERROR_CODES.usage.exit, "name=value"],
      [["fork", id, "--from", "divide", "--set", "x=1"], ERROR_CODES.invalid.exit, "x"],
      [
        ["fork", id, "--from", "divide", "--set", "numbers=nine"],
        ERROR_CODES.invalid.exit,
        "numbers",
      ],
      [["resume", id, "--max-cost-usd", "much"], ERROR_CODES.usage.exit, "amount of money"],
      [["resume", "zzzz"], ERROR_CODES.not_found.exit, "There is no run zzzz"],
      [["approve", id], ERROR_CODES.not_found.exit, "does not wait for an approval"],
      [["signal", id, "word"], ERROR_CODES.conflict.exit, "is over (failed)"],
    ];
    const results = await Promise.all(cases.map(async ([argv]) => await agents(...argv)));
    expect(results.map(({ out, code }) => ({ out, code }))).toEqual(
      cases.map(([, code]) => ({ out: "", code })),
    );
    for (const [index, [, , words]] of cases.entries())
      expect(results[index]?.errors).toContain(words);
    expect(await readJson("runs", id)).toMatchObject({ state: "failed" });
  }, 40_000);
});

test("memory lists, changes and forgets", async () => {
  folder = "memory";
  expect((await agents("memory")).out).toStartWith("Nothing is remembered.");
  await agents("run", "learn.yaml", "--provider", "demo");
  const { memories } = await readJson("memory");
  expect(memories).toMatchObject([{ agent: "learn", scope: "agent", run: null, node: null }]);
  const { id, key } = memories[0];
  expect((await agents("memory", "edit", id, "New words")).out).toBe(
    `Changed: ${key}: New words\n`,
  );
  expect((await agents("memory", "list", "--search", "words")).out).toContain(
    `    ${key}: New words`,
  );
  expect((await agents("memory", "list", "--search", "nothing like it")).out).toStartWith(
    "Nothing",
  );
  expect((await agents("memory", "remove", id)).out).toBe(`Forgotten: ${key}: New words\n`);
  expect((await agents("memory", "remove", id)).code).toBe(ERROR_CODES.not_found.exit);
  expect((await agents("memory", "edit", id)).code).toBe(ERROR_CODES.usage.exit);
  expect((await agents("memory", "clear")).code).toBe(ERROR_CODES.usage.exit);
  await agents("run", "learn.yaml", "--provider", "demo");
  expect((await agents("memory", "clear", "--agent", "learn")).out).toBe("1 entry is forgotten.\n");
}, 30_000);

describe("graph", () => {
  test("prints text, Mermaid or SVG, also into a file", async () => {
    expect((await agents("graph", "gate.yaml")).out).toBe(
      "START\n  └─> write\nwrite  (llm)\n  └─> ask\nask  (approval)\n  └─> END\n",
    );
    expect((await agents("graph", "gate.yaml", "-f", "mermaid")).out).toStartWith("flowchart TD\n");
    const { out, code } = await agents("graph", "gate.yaml", "-f", "svg", "-o", "gate.svg");
    expect({ out, code }).toEqual({ out: "The graph is in gate.svg.\n", code: 0 });
    expect(await Bun.file(join(root, "gate.svg")).text()).toStartWith("<svg ");
  });

  test("of a file that is not valid says why, and of one that is no workflow not endlessly", async () => {
    await Bun.write(join(root, "bad.yaml"), `${GATE}\nnonsense: 1\n`);
    const bad = await agents("graph", "bad.yaml");
    expect(bad.code).toBe(ERROR_CODES.workflow_invalid.exit);
    expect(bad.errors).toContain("bad.yaml cannot be drawn: 1 error.");
    const manyKeys = Array.from({ length: 60 }, (_, index) => `key_${index}: 1`).join("\n");
    await Bun.write(join(root, "prose.md"), manyKeys);
    const prose = await agents("graph", "prose.md");
    expect(prose.errors).toMatch(/\d+ problems more\./);
    expect((await agents("graph", "gate.yaml", "-f", "dot")).code).toBe(ERROR_CODES.usage.exit);
    const nowhere = await agents("graph", "gate.yaml", "-f", "svg", "-o", "no/where.svg");
    expect(nowhere.code).toBe(ERROR_CODES.not_found.exit);
  });
});
