import { expect, test } from "bun:test";
import { join } from "node:path";
import fc from "fast-check";
import {
  type LlmNode,
  WORKFLOW_NODE_COUNT_MAX,
  WORKFLOW_SOURCE_BYTES_MAX,
} from "../../src/domain/workflow.ts";
import { parseWorkflow } from "../../src/language/parse.ts";
import { formatProblem } from "../../src/language/problem.ts";
import { PROBLEM_COUNT_MAX } from "../../src/language/report.ts";

const OPTIONS = { format: "yaml", knownTools: ["serper_search"] } as const;

/** A chain of nodes, `lines` added to each of them and `tail` to the file. */
function chain(count: number, { lines = "", tail = "" } = {}): string {
  const ids = Array.from({ length: count }, (_, index) => `n${index}`);
  const nodes = ids.map(
    (id) => `  - id: ${id}
    prompt: "Write about {topic} and {state.text}."
    outputs: [text]
    output_schema:
      type: object
      fields:
        - {name: text, type: str, description: The text}
${lines}`,
  );
  const ends = ["START", ...ids, "END"];
  const edges = ids.map((id, index) => `  - {from: ${ends[index]}, to: ${id}}\n`).join("");
  return `schema_version: "1.0"
flow: {name: chain}
state:
  fields:
    topic: {type: str, required: true}
    text: {type: str}
nodes:
${nodes.join("")}edges:
${edges}  - {from: ${ids.at(-1)}, to: END}
${tail}`;
}

function onlyNode(source: string): LlmNode {
  const { workflow, problems } = parseWorkflow(source, OPTIONS);
  expect(problems).toEqual([]);
  const node = workflow?.nodes[0];
  if (node?.kind !== "llm") throw new Error("The workflow has no model node.");
  return node;
}

const provider = (model: string) =>
  onlyNode(chain(1, { lines: `    llm: {model: "${model}"}\n` })).llm.provider;

const attempts = (retries: string, retry = "") =>
  onlyNode(chain(1, { lines: retry, tail: `config: {execution: {${retries}}}\n` })).retry
    .maxAttempts;

function codes(source: string): string[] {
  return parseWorkflow(source, OPTIONS).problems.map((problem) => problem.code);
}

test("parseWorkflow infers the provider only from names that one provider has", () => {
  const models = [
    "gemini-2.5-flash",
    "gpt-4.1",
    "gpt-5",
    "chatgpt-4o-latest",
    "o3-mini",
    "o1",
    "claude-sonnet-4-5",
  ];
  expect(models.map(provider)).toEqual([
    "google",
    "openai",
    "openai",
    "openai",
    "openai",
    "openai",
    "anthropic",
  ]);
  expect(["gpt-oss:20b", "llama3.2", "google/gemini-pro", "o10", "mistral"].map(provider)).toEqual(
    Array.from({ length: 5 }, () => undefined),
  );
});

test("parseWorkflow merges model settings key by key, and a stated provider wins over the inferred", () => {
  const lines = "    llm: {model: gpt-oss, temperature: 0.5}\n";
  const tail =
    'config:\n  llm: {provider: ollama, model: llama3.2, max_tokens: 9, api_base: "http://box:11434"}\n';
  expect(onlyNode(chain(1, { lines, tail })).llm).toEqual({
    provider: "ollama",
    model: "gpt-oss",
    temperature: 0.5,
    maxTokens: 9,
    apiBase: "http://box:11434",
    fallbacks: [],
  });
  expect(
    onlyNode(
      chain(1, {
        lines: "    llm: {model: claude-haiku}\n",
        tail: "config: {llm: {model: gemini-pro}}\n",
      }),
    ).llm,
  ).toEqual({ provider: "anthropic", model: "claude-haiku", fallbacks: [] });
  expect(onlyNode(chain(1)).llm).toEqual({ fallbacks: [] });
});

test("parseWorkflow does not send one provider's calls to the address of another", () => {
  const tail = 'config: {llm: {provider: ollama, model: llama3.2, api_base: "http://box:11434"}}\n';
  const lines = "    llm: {provider: openai, model: gpt-4.1}\n";
  expect(onlyNode(chain(1, { lines, tail })).llm).toEqual({
    provider: "openai",
    model: "gpt-4.1",
    fallbacks: [],
  });
  expect(
    onlyNode(chain(1, { lines, tail: 'config: {llm: {api_base: "http://proxy"}}\n' })).llm.apiBase,
  ).toBe("http://proxy");
});

test("parseWorkflow gives the nodes in the order of the edges", () => {
  const source = chain(3)
    .replace("to: n0", "to: n2")
    .replace("from: n0, to: n1", "from: n2, to: n1");
  const { workflow } = parseWorkflow(
    source
      .replace("from: n1, to: n2", "from: n1, to: n0")
      .replace("from: n2, to: END", "from: n0, to: END"),
    OPTIONS,
  );
  expect(workflow?.nodes.map((node) => node.id)).toEqual(["n2", "n1", "n0"]);
});

test("parseWorkflow counts max_retries as all tries, and retry wins", () => {
  expect([
    attempts(""),
    attempts("max_retries: 5"),
    attempts("max_retries: 0"),
    attempts("max_retries: 5", "    retry: {max_attempts: 2}\n"),
    attempts("max_retries: 5", "    retry: {backoff: fixed}\n"),
  ]).toEqual([3, 5, 1, 2, 5]);
});

test("parseWorkflow has a time limit only where the file states one", () => {
  expect(parseWorkflow(chain(1), OPTIONS).workflow?.timeoutMs).toBeUndefined();
  const tail = "config: {execution: {timeout: 1.5}}\n";
  const { workflow } = parseWorkflow(chain(1, { tail, lines: "    timeout: 0.25\n" }), OPTIONS);
  expect([workflow?.timeoutMs, workflow?.nodes[0]?.timeoutMs]).toEqual([1500, 250]);
});

test("parseWorkflow reads yes and no as CA does, and keys as words", () => {
  const lines = "    retry: {on: timeout}\n";
  const source = chain(1, { lines }).replace("required: true", "required: yes");
  expect(onlyNode(source).retry.on).toEqual(["timeout"]);
  expect(parseWorkflow(source, OPTIONS).workflow?.state[0]?.required).toBe(true);
  expect(codes(source.replace("{type: str}", "{type: str, default: no}"))).toEqual(["bad-default"]);
});

test("parseWorkflow takes null for an optional key as absent", () => {
  const lines =
    "    description:\n    tools: null\n    llm: ~\n    inputs:\n    retry:\n    timeout:\n";
  const source = chain(1, { lines, tail: "config:\n" });
  expect(onlyNode(source)).toEqual(onlyNode(chain(1)));
});

test("parseWorkflow refuses a file that is too large, without reading it", () => {
  const source = `# ${"x".repeat(WORKFLOW_SOURCE_BYTES_MAX)}`;
  expect(codes(source)).toEqual(["too-large"]);
  expect(codes(`# ${"é".repeat(WORKFLOW_SOURCE_BYTES_MAX / 2)}`)).toEqual(["too-large"]);
});

test("parseWorkflow takes the largest number of nodes and refuses one more", () => {
  expect(codes(chain(WORKFLOW_NODE_COUNT_MAX))).toEqual([]);
  expect(codes(chain(WORKFLOW_NODE_COUNT_MAX + 1))).toContain("too-many");
}, 30_000);

test("parseWorkflow shows a limited number of problems and counts the rest", () => {
  const { problems } = parseWorkflow(
    chain(PROBLEM_COUNT_MAX + 7, { lines: "    zebra: 1\n" }),
    OPTIONS,
  );
  expect(problems).toHaveLength(PROBLEM_COUNT_MAX + 1);
  expect(problems.at(-1)).toMatchObject({
    code: "more-problems",
    message: "7 more problems are not shown.",
  });
});

test("parseWorkflow keeps long names out of its messages", () => {
  const { problems } = parseWorkflow(`${"k".repeat(100_000)}: 1`, OPTIONS);
  expect(JSON.stringify(problems).length).toBeLessThan(10_000);
});

test("parseWorkflow gives every problem a place that holds its text", () => {
  const source = chain(2, { lines: "    promt: 1\n" }).replaceAll("{state.text}", "{state.txt}");
  const lines = source.split("\n");
  for (const { line, column, text = "" } of parseWorkflow(source, OPTIONS).problems)
    expect(lines[line - 1]?.slice(column - 1, column - 1 + text.length)).toBe(text);
});

test("parseWorkflow reads the same workflow from JSON as from YAML", () => {
  const source = chain(3, { lines: "    retry: {on: [timeout]}\n" });
  const json = JSON.stringify(Bun.YAML.parse(source), null, "\t");
  expect(parseWorkflow(json, { ...OPTIONS, format: "json" })).toEqual(
    parseWorkflow(source, OPTIONS),
  );
  expect(parseWorkflow(`\uFEFF${json}`, { ...OPTIONS, format: "json" }).problems).toEqual([]);
  expect(parseWorkflow(`\uFEFF${source}`, OPTIONS).problems).toEqual([]);
  expect(parseWorkflow(source.replaceAll("\n", "\r\n"), OPTIONS).problems).toEqual([]);
});

/** Processor time, as other programs on the machine do not count. */
function cpuMs(work: () => void): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

/** Text that once cost much more time than its size. */
test("parseWorkflow ends soon on hostile text", () => {
  const many = 40_000;
  const list = (line: (index: number) => string) =>
    Array.from({ length: many }, (_, index) => line(index)).join("");
  const hostile = [
    "[".repeat(300_000),
    "- ".repeat(300_000),
    "{b: ".repeat(100_000),
    `"${"\\n".repeat(200_000)}`,
    `a: &a [${"*a, ".repeat(many)}]`,
    `x: &x {k: 1}\n${list((index) => `m${index}: {<<: *x}\n`)}`,
    list((index) => `k${index}: 1\n`),
    list(() => "--- a\n"),
    chain(1).replace("{topic}", "{nobody_} ".repeat(many)),
    chain(1).replace(
      "{topic}",
      list((index) => `{topc${index}}`),
    ),
  ];
  for (const source of hostile) {
    const spent = cpuMs(() => {
      const { workflow, problems } = parseWorkflow(source, OPTIONS);
      expect(workflow).toBeUndefined();
      for (const problem of problems) formatProblem(problem, source, "hostile.yaml");
    });
    expect(spent).toBeLessThan(5000);
  }
  expect(cpuMs(() => parseWorkflow(hostile[3] ?? "", { ...OPTIONS, format: "json" }))).toBeLessThan(
    1000,
  );
}, 60_000);

test("parseWorkflow never throws on a damaged file", async () => {
  const folder = join(import.meta.dir, "../../examples");
  const sources: string[] = [];
  for (const name of new Bun.Glob("*.yaml").scanSync(folder))
    sources.push(await Bun.file(join(folder, name)).text());
  const pieces = fc.constantFrom(
    "",
    ":",
    "- ",
    "{",
    "}",
    "[",
    "]",
    "'",
    '"',
    "|",
    "&a ",
    "*a",
    "null",
    "\n",
    "\n  ",
    "5",
    "<<: ",
    "? ",
    "__proto__: ",
    "!!str ",
  );
  const damage = fc.array(fc.record({ at: fc.nat(2000), cut: fc.nat(30), put: pieces }), {
    maxLength: 4,
  });
  fc.assert(
    fc.property(fc.constantFrom(...sources), damage, (whole, wounds) => {
      let source = whole;
      for (const { at, cut, put } of wounds)
        source = source.slice(0, at) + put + source.slice(at + cut);
      const { workflow, problems } = parseWorkflow(source, OPTIONS);
      expect(workflow === undefined).toBe(problems.some((problem) => problem.severity === "error"));
      for (const problem of problems) formatProblem(problem, source, "damaged.yaml");
    }),
    { numRuns: 300 },
  );
}, 30_000);

/** JSON values of the right names in the wrong places. */
test("parseWorkflow never throws on a well-formed file of any shape", () => {
  const keys = fc.constantFrom(
    "schema_version",
    "flow",
    "name",
    "state",
    "fields",
    "type",
    "schema",
    "default",
    "required",
    "nodes",
    "id",
    "prompt",
    "inputs",
    "outputs",
    "output_schema",
    "tools",
    "llm",
    "retry",
    "on",
    "edges",
    "from",
    "to",
    "routes",
    "loop",
    "parallel",
    "config",
    "execution",
    "gates",
    "kind",
    "when",
    "on_error",
    "route",
    "error_field",
    "code",
    "tool",
    "http",
    "cli",
    "command",
    "approval",
    "wait",
    "condition",
    "logic",
    "merge",
    "mcp_servers",
    "sandbox",
    "memory",
    "__proto__",
    "constructor",
  );
  const { value } = fc.letrec((tie) => ({
    value: fc.oneof(
      { maxDepth: 5, depthIdentifier: "file" },
      fc.constantFrom(
        null,
        true,
        1,
        -1,
        "1.0",
        "str",
        "object",
        "list[",
        "START",
        "END",
        "a",
        "{a.b}",
        "",
      ),
      fc.array(tie("value"), { maxLength: 3, depthIdentifier: "file" }),
      fc.dictionary(keys, tie("value"), { maxKeys: 6, depthIdentifier: "file" }),
    ),
  }));
  const file = fc.dictionary(keys, value, { minKeys: 3 });
  fc.assert(
    fc.property(file, (content) => {
      const source = JSON.stringify(content);
      const { problems } = parseWorkflow(source, { ...OPTIONS, format: "json" });
      expect(problems.length).toBeGreaterThan(0);
    }),
    { numRuns: 500 },
  );
}, 30_000);

test("parseWorkflow reads a file of 100 nodes in a few milliseconds", () => {
  const source = chain(100);
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < 20; round += 1)
    best = Math.min(
      best,
      cpuMs(() => expect(parseWorkflow(source, OPTIONS).problems).toEqual([])),
    );
  // Measured 14 ms, of which the YAML library takes 11; the limit leaves room for a slow machine.
  expect(best).toBeLessThan(60);
});

/** A workflow with one code node that has these lines. */
function codeNode(lines: string) {
  const source = `schema_version: "1.0"
flow: {name: one}
state: {fields: {n: {type: int}}}
nodes:
  - id: compute
    code: result = 1
    outputs: [n]
${lines}edges: [{from: START, to: compute}, {from: compute, to: END}]
`;
  const node = parseWorkflow(source, OPTIONS).workflow?.nodes[0];
  if (node?.kind !== "code") throw new Error("The workflow has no code node.");
  return node;
}

test("parseWorkflow confines code by CA's presets, without a network unless there is a sandbox map", () => {
  const mib = 1024 ** 2;
  const limits = (preset: string) => {
    const { cpuCount, memoryBytes, timeMs } = codeNode(`    sandbox: {preset: ${preset}}\n`).sandbox
      .limits;
    return [cpuCount, memoryBytes / mib, timeMs / 1000];
  };
  expect(["low", "medium", "high", "max"].map(limits)).toEqual([
    [0.5, 256, 30],
    [1, 512, 60],
    [2, 1024, 120],
    [4, 2048, 300],
  ]);
  expect(codeNode("").sandbox).toEqual({
    mode: "auto",
    network: false,
    limits: { cpuCount: 1, memoryBytes: 512 * mib, timeMs: 60_000 },
  });
  const network = (text: string) => codeNode(`    sandbox: {${text}}\n`).sandbox.network;
  expect(["mode: python", "network: false", "network: {}", "network: {a: 1}"].map(network)).toEqual(
    [true, false, false, true],
  );
  expect(
    codeNode("    sandbox: {timeout: 5, resources: {timeout: 9}}\n").sandbox.limits.timeMs,
  ).toBe(5000);
});

const memory = (own: string, base: string) =>
  onlyNode(chain(1, { lines: own, tail: `config: {memory: {${base}}}\n` })).memory;

test("parseWorkflow remembers nothing unless memory is enabled, and a node's keys win", () => {
  expect(memory("", "default_scope: node")).toBeUndefined();
  expect(memory("    memory: {enabled: false}\n", "enabled: true")).toBeUndefined();
  expect(memory("", "enabled: true")).toEqual({ scope: "agent", maxEntries: 50 });
  expect(
    memory(
      "    memory: {max_entries: 3}\n",
      "enabled: true, default_scope: node, expires_after: 1",
    ),
  ).toEqual({ scope: "node", maxEntries: 3, expiresAfterMs: 86_400_000 });
});
