import { expect, test } from "bun:test";
import fc from "fast-check";
import type { LlmNode, OutputField, StateType } from "../../src/domain/workflow.ts";
import { outputJsonSchema, readOutput } from "../../src/language/output.ts";
import { requireAllFields } from "../../src/language/type.ts";
import { typeWithValue } from "./arbitrary.ts";

function node(...outputs: OutputField[]): LlmNode {
  return {
    kind: "llm",
    id: "ask",
    inputs: {},
    prompt: "?",
    outputs,
    tools: [],
    llm: {},
    retry: { maxAttempts: 1, backoff: "fixed", delayMs: 0, on: [] },
  };
}
const simple = (name: string, kind: "str" | "int" | "float" | "bool"): OutputField => ({
  name,
  type: { kind },
});
const read = (type: StateType, text: string) => readOutput(node({ name: "x", type }), text);
const PERSON: StateType = requireAllFields({
  kind: "object",
  fields: [
    { name: "name", type: { kind: "str" }, required: true, default: null },
    { name: "tags", type: { kind: "list", item: { kind: "str" } }, required: true, default: null },
  ],
});

test("outputJsonSchema asks for every output", () => {
  const asked = {
    ...node({ ...simple("score", "int"), description: "0 to 10" }, simple("text", "str")),
    outputDescription: "A review",
  };
  expect(outputJsonSchema(asked)).toEqual({
    type: "object",
    properties: { score: { type: "integer", description: "0 to 10" }, text: { type: "string" } },
    required: ["score", "text"],
    additionalProperties: false,
    description: "A review",
  });
});

test("readOutput finds the JSON wherever the model put it", () => {
  const asked = node(simple("score", "int"), simple("text", "str"));
  const patch = { score: 7, text: "a } b" };
  const json = JSON.stringify(patch);
  const answers = [
    json,
    `\n ${JSON.stringify({ ...patch, extra: [1] }, null, 2)}\n`,
    `\`\`\`json\n${json}\n\`\`\``,
    `Here it is:\n\n\`\`\`\n${json}\n\`\`\`\nGood luck!`,
    `Sure {really}: ${json} is the answer [1].`,
  ];
  expect(answers.map((text) => readOutput(asked, text))).toEqual(answers.map(() => ({ patch })));
});

test("readOutput takes the bare value for a single output", () => {
  const person = { name: "Ada", tags: ["a"] };
  expect([
    read({ kind: "int" }, " 42\n"),
    read({ kind: "bool" }, "```json\ntrue\n```"),
    read({ kind: "str" }, ' "quoted" '),
    read({ kind: "str" }, "Plain text with {braces}. "),
    read({ kind: "str" }, '{"other": 1}'),
    read({ kind: "str" }, '{"x": "named"}'),
    read({ kind: "list", item: { kind: "int" } }, "The list: [1, 2]"),
    read(PERSON, JSON.stringify(person)),
    read(PERSON, JSON.stringify({ x: { ...person, extra: true } })),
  ]).toEqual([
    { patch: { x: 42 } },
    { patch: { x: true } },
    { patch: { x: "quoted" } },
    { patch: { x: "Plain text with {braces}." } },
    { patch: { x: '{"other": 1}' } },
    { patch: { x: "named" } },
    { patch: { x: [1, 2] } },
    { patch: { x: person } },
    { patch: { x: person } },
  ]);
});

test("readOutput gives reasons that a model can act on", () => {
  const asked = node(simple("score", "int"), { name: "who", type: PERSON });
  expect([
    readOutput(asked, ""),
    readOutput(asked, "I would say seven."),
    readOutput(asked, '{"score": 7.5, "who": {"name": 1, "tags": ["a", 2]}}'),
    readOutput(asked, '{"score": 7}'),
    readOutput(node(simple("score", "int")), "seven"),
    readOutput(node(simple("score", "int")), '{"score": "seven"}'),
    readOutput(node(simple("text", "str")), "  "),
  ]).toEqual([
    { issues: ["The answer is empty."] },
    { issues: ['The answer is not a JSON object with the keys "score", "who".'] },
    {
      issues: [
        '"score": expected int, got the number 7.5.',
        '"who.name": expected str, got the number 1.',
        '"who.tags[1]": expected str, got the number 2.',
      ],
    },
    { issues: ['"who" is missing; it must be object.'] },
    { issues: ['The answer is not JSON; "score" must be int.'] },
    { issues: ['"score": expected int, got text "seven".'] },
    { issues: ["The answer is empty."] },
  ]);
});

test("readOutput reads every answer that fits the types", () => {
  fc.assert(
    fc.property(typeWithValue, typeWithValue, (first, second) => {
      const asked = node({ name: "one", type: first.type }, { name: "two", type: second.type });
      const text = JSON.stringify({ one: first.value, two: second.value });
      expect(readOutput(asked, text)).toEqual({ patch: JSON.parse(text) });
    }),
  );
});

test("readOutput stays quick on an answer full of open brackets", () => {
  expect(readOutput(node(simple("a", "int"), simple("b", "int")), "[{".repeat(50_000))).toEqual({
    issues: ['The answer is not a JSON object with the keys "a", "b".'],
  });
});
