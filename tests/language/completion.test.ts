/**
 * Goal: an editor proposes what the language takes at each place, in texts that are half written.
 * Method: a text with ¦ where the cursor is; the examples, in which each name must be proposed where it stands;
 * and texts that are anything.
 */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { EXAMPLES } from "../../examples/index.ts";
import { TOOL_NAMES } from "../../src/domain/tool.ts";
import { completeWorkflow, type Vocabulary } from "../../src/language/completion.ts";
import { describeWorkflowAt } from "../../src/language/hover.ts";

const VOCABULARY: Vocabulary = {
  tools: [{ name: "web_search", description: "Searches the web." }],
  models: [
    { name: "gpt-5", provider: "openai" },
    { name: "llama3:8b", provider: "ollama" },
  ],
  workflows: [{ name: "greeting", description: "Says hello." }],
};

const TEXT = `schema_version: "1.0"
flow: { name: demo }
state:
  fields:
    topic: { type: str, required: true }
    text: str
config:
  mcp_servers:
    files: { command: files }
nodes:
  - id: write
    prompt: "About {topic}"
    inputs: { local: "{topic}" }
    outputs: [text]
    output_schema: { type: str }
  - id: second
    prompt: x
edges:
  - { from: START, to: write }
  - { from: write, to: END }
`;

const list = (text: string) => {
  const offset = text.indexOf("¦");
  return completeWorkflow(text.replace("¦", ""), offset, VOCABULARY);
};
const labels = (text: string) => list(text).options.map(({ label }) => label);
const insertOf = (text: string, label: string) =>
  list(text).options.find((option) => option.label === label)?.insert;
const hover = (text: string, word: string) =>
  describeWorkflowAt(text, text.indexOf(word) + 1, VOCABULARY);
/** In the text above, with one part replaced. */
const within = (old: string, part: string) => {
  expect(TEXT).toContain(old);
  return TEXT.replace(old, part);
};

describe("completeWorkflow() proposes keys", () => {
  test("of the file, those that must be there first", () => {
    expect(labels("¦")).toEqual([
      "schema_version",
      "flow",
      "state",
      "nodes",
      "edges",
      ...labels("¦").slice(5),
    ]);
    expect(labels("conf¦")).toContain("config");
    expect(labels(`${TEXT}¦`)).not.toContain("nodes");
  });

  test("of a map in lines, in braces and after a dash, without those that are there", () => {
    const node = labels(within("    prompt: x", "    prompt: x\n    ¦"));
    expect(node).toContain("outputs");
    expect(node).not.toContain("prompt");
    expect(node).not.toContain("optimize");
    expect(labels(within("    prompt: x", "    ou¦"))).toContain("outputs");
    expect(labels(within("{ from: START, to: write }", "{ from: START, ¦ }"))).toEqual([
      "to",
      "routes",
      "loop",
      "parallel",
    ]);
    expect(labels(within("  - id: second", "  - ¦"))[0]).toBe("id");
    expect(labels(within("    text: str", "    text: { type: str, me¦ }"))).toContain("merge");
  });

  test("and opens the map or list that follows, where that is on lines of its own", () => {
    expect(insertOf("¦", "flow")).toBe("flow:\n  ");
    expect(insertOf("¦", "nodes")).toBe("nodes:\n  - ");
    expect(insertOf(within("    prompt: x", "    ¦"), "outputs")).toBe("outputs:\n      - ");
    expect(insertOf(within("    prompt: x", "    pr¦: x"), "prompt")).toBe("prompt");
    expect(insertOf(within("{ name: demo }", "{ ¦ }"), "name")).toBe("name: ");
  });

  test("with what they are for", () => {
    const found = list(within("    prompt: x", "    pro¦")).options.find(
      ({ label }) => label === "prompt",
    );
    expect(found).toEqual({
      label: "prompt",
      insert: "prompt: ",
      kind: "key",
      detail: "text",
      info: "What the model is asked. `{name}` puts a value in.",
    });
  });
});

describe("completeWorkflow() proposes values", () => {
  test.each([
    [
      "kind",
      "    kind: ¦",
      ["llm", "code", "tool", "http", "cli", "agent", "workflow", "approval", "wait"],
    ],
    ["a bool", "    cache: ¦", ["true", "false"]],
    ["what a failure does", "    on_error: ¦", ["fail", "continue"]],
    [
      "a provider",
      "    llm: { provider: ¦ }",
      ["openai", "anthropic", "google", "ollama", "openai-compatible", "demo"],
    ],
    ["a model", "    llm: { model: ¦ }", ["gpt-5", "llama3:8b"]],
    ["a model on a line", "    llm:\n      model: llama3:8¦", ["gpt-5", "llama3:8b"]],
    ["a tool", "    tools: [¦]", ["web_search", "files.*"]],
    ["a tool of a tool node", "    tool: we¦", ["web_search", "files.*"]],
    ["a workflow", "    workflow: ¦", ["greeting"]],
    ["a field", "    outputs: [te¦]", ["topic", "text"]],
    ["a field on a line", "    outputs:\n      - ¦", ["topic", "text"]],
    ["a node for errors", "    on_error: { route: ¦ }", ["write", "second", "END"]],
  ])("%s", (_, line, expected) => {
    expect(labels(within("    prompt: x", line))).toEqual(expected);
  });

  test("nodes of edges: START where one begins, END where one leads to", () => {
    expect(labels(within("from: write, to: END", "from: write, to: ¦"))).toEqual([
      "write",
      "second",
      "END",
    ]);
    expect(labels(within("{ from: write, to: END }", "{ from: ¦ }"))).toEqual([
      "write",
      "second",
      "START",
    ]);
    expect(labels(within("to: END", "to: [END, ¦]"))).toContain("second");
  });

  test("types, in quotes where YAML needs them", () => {
    const { options } = list(within("    text: str", "    text: { type: ¦ }"));
    expect(options.map(({ label, insert = label }) => insert)).toEqual([
      "str",
      "int",
      "float",
      "bool",
      '"list[str]"',
      '"list[int]"',
      '"dict[str, str]"',
      "object",
    ]);
  });

  test("names for a placeholder: inputs of the node, fields, the item of a map", () => {
    expect(labels(within("About {topic}", "About {to¦"))).toEqual([
      "local",
      "topic",
      "text",
      "item",
      "index",
    ]);
    const { from, to } = list(within("About {topic}", "About {to¦pic}"));
    expect(TEXT.slice(from, to)).toBe("topic");
    expect(labels(within("prompt: x", "prompt: |\n      A {¦"))).toContain("text");
  });

  test("nothing in other words", () => {
    expect(labels(within("About {topic}", "About¦"))).toEqual([]);
    expect(labels(within("demo }", "de¦mo }"))).toEqual([]);
  });
});

test("the word that is replaced is all of the name at the cursor", () => {
  const { from, to } = list(within("    prompt: x", "    pro¦mpt: x"));
  expect(within("    prompt: x", "    prompt: x").slice(from, to)).toBe("prompt");
});

test("of many only those that fit are given, and it says so", () => {
  const models = Array.from({ length: 300 }, (_, index) => ({
    name: `model-${index}`,
    provider: "openai",
  }));
  const text = within("    prompt: x", "    llm: { model: m-29¦ }");
  const offset = text.indexOf("¦");
  const found = completeWorkflow(text.replace("¦", ""), offset, { ...VOCABULARY, models });
  expect(found.isComplete).toBe(false);
  const fitting = models.filter(({ name }) => /m.*-.*2.*9/.test(name));
  expect(found.options.map(({ label }) => label)).toEqual(fitting.map(({ name }) => name));
  expect(list(text).isComplete).toBe(true);
});

test("each name in an example is among what is proposed at its place", () => {
  const missing: string[] = [];
  let askedCount = 0;
  for (const { name, source } of EXAMPLES) {
    const vocabulary = {
      ...VOCABULARY,
      tools: TOOL_NAMES.map((tool) => ({ name: tool, description: "" })),
    };
    for (const match of source.matchAll(/(?<=\b(?:from|to|target_node|kind|outputs): \[?)\w+/g)) {
      const { options } = completeWorkflow(source, match.index + 1, vocabulary);
      askedCount += 1;
      if (!options.some(({ label }) => label === match[0])) missing.push(`${name}: ${match[0]}`);
    }
  }
  // What a node of a map gives for each item is a name of its own.
  expect(missing).toEqual(["map-reviews: stars"]);
  expect(askedCount).toBeGreaterThan(100);
});

describe("describeWorkflowAt()", () => {
  test("says what a key is for, and what it takes", () => {
    const at = TEXT.indexOf("prompt:");
    expect(describeWorkflowAt(TEXT, at, VOCABULARY)).toEqual({
      from: at,
      to: at + 6,
      title: "prompt",
      detail: "text",
      text: "What the model is asked. `{name}` puts a value in.",
    });
    expect(hover(TEXT, "required")?.detail).toBe("true | false");
  });

  test("says what a name means", () => {
    expect(hover(TEXT, "START")).toMatchObject({ title: "START", text: "Where a run begins." });
    expect(hover(TEXT, "write, to: END")).toMatchObject({ title: "write", detail: "node" });
    expect(hover(TEXT, "text]")).toMatchObject({ title: "text", detail: "str" });
    const tools = within("    prompt: x", "    tools: [web_search]");
    expect(hover(tools, "web_search")).toMatchObject({ text: "Searches the web." });
    const call = within("    prompt: x", "    workflow: greeting");
    expect(hover(call, "greeting")).toMatchObject({ text: "Says hello." });
  });

  test("has nothing to say between words, and in an empty text", () => {
    expect(describeWorkflowAt("\n\n", 1, VOCABULARY)).toBeUndefined();
    expect(describeWorkflowAt("zebra: 1\n", 2, VOCABULARY)).toBeUndefined();
  });
});

test("any text at any place is answered soon, with a range inside of it", () => {
  const piece = fc.constantFrom(...`{}[]:-#&*!|>'" \n\tab`.split(""), ...TEXT.split(/(?<=\n)/));
  const text = fc.array(piece, { maxLength: 60 }).map((pieces) => pieces.join(""));
  fc.assert(
    fc.property(text, fc.nat(), (source, seed) => {
      const offset = seed % (source.length + 1);
      const { from, to } = completeWorkflow(source, offset, VOCABULARY);
      expect(from).toBeLessThanOrEqual(offset);
      expect(to).toBeGreaterThanOrEqual(offset);
      expect(from).toBeGreaterThanOrEqual(0);
      expect(to).toBeLessThanOrEqual(source.length);
      describeWorkflowAt(source, offset, VOCABULARY);
    }),
    { numRuns: 300 },
  );
  for (const hostile of ["[".repeat(100_000), "- ".repeat(50_000), "&a [*a,".repeat(2_000)])
    expect(completeWorkflow(hostile, hostile.length, VOCABULARY).options).toEqual([]);
});
