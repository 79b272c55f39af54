import { expect, test } from "bun:test";
import fc from "fast-check";
import type { OutputField, StateType } from "../../src/domain/workflow.ts";
import {
  type Expected,
  outputJsonSchema,
  readOutput,
  readResult,
} from "../../src/language/output.ts";
import { requireAllFields } from "../../src/language/type.ts";
import { typeWithValue } from "./arbitrary.ts";

const node = (...outputs: OutputField[]): Expected => ({ outputs });
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

const SCORE = simple("score", "int");
const NOTES: OutputField = {
  name: "notes",
  type: { kind: "dict", key: { kind: "str" }, value: { kind: "any" } },
};

test("readResult gives a single output the whole result, or its own key when the whole does not fit", () => {
  const who: OutputField = { name: "who", type: PERSON };
  const person = { name: "Ada", tags: [] };
  expect([
    readResult([SCORE], 7),
    readResult([SCORE], { score: 7, other: "x" }),
    readResult([simple("text", "str")], "7"),
    readResult([who], { ...person, extra: 1 }),
    readResult([who], { who: person }),
    readResult([NOTES], { notes: { a: 1 } }),
    readResult([{ name: "x", type: { kind: "any" } }], null),
    readResult([{ name: "x", type: { kind: "list", item: { kind: "int" } } }], [1, 2]),
  ]).toEqual([
    { patch: { score: 7 } },
    { patch: { score: 7 } },
    { patch: { text: "7" } },
    { patch: { who: person } },
    { patch: { who: person } },
    { patch: { notes: { notes: { a: 1 } } } },
    { patch: { x: null } },
    { patch: { x: [1, 2] } },
  ]);
});

test("readResult gives several outputs the keys of an object, and none of them nothing", () => {
  const result = { score: 7, notes: { a: [1] }, more: true };
  expect([readResult([SCORE, NOTES], result), readResult([], result)]).toEqual([
    { patch: { score: 7, notes: { a: [1] } } },
    { patch: {} },
  ]);
});

test("readResult fills in what may be left out of an object", () => {
  const fields = [
    { name: "name", type: { kind: "str" }, required: true, default: null },
    { name: "age", type: { kind: "int" }, required: false, default: 3 },
  ] as const;
  const cat: OutputField = { name: "cat", type: { kind: "object", fields } };
  expect([readResult([cat], { name: "Tom" }), readResult([cat], { age: 1 })]).toEqual([
    { patch: { cat: { name: "Tom", age: 3 } } },
    { issues: ['"cat.name": is missing.'] },
  ]);
});

test("readResult says what is wrong with a result", () => {
  expect([
    readResult([SCORE], "seven"),
    readResult([SCORE], { score: "7" }),
    readResult([SCORE], { other: 7 }),
    readResult([SCORE], 7.5),
    readResult([SCORE, NOTES], [1]),
    readResult([SCORE, NOTES], { score: true }),
    readResult([SCORE, NOTES], JSON.parse('{"__proto__": {"score": 1, "notes": {}}}')),
  ]).toEqual([
    { issues: ['"score": expected int, got text "seven".'] },
    { issues: ['"score": expected int, got text "7".'] },
    { issues: ['"score": expected int, got a map.'] },
    { issues: ['"score": expected int, got the number 7.5.'] },
    { issues: ['The result is a list, not an object with the keys "score", "notes".'] },
    { issues: ['"score": expected int, got true.', '"notes" is missing; it must be dict.'] },
    { issues: ['"score" is missing; it must be int.', '"notes" is missing; it must be dict.'] },
  ]);
});

test("readResult takes every result that fits the types", () => {
  fc.assert(
    fc.property(typeWithValue, typeWithValue, (first, second) => {
      const outputs = [
        { name: "one", type: first.type },
        { name: "two", type: second.type },
      ];
      const result = JSON.parse(JSON.stringify({ one: first.value, two: second.value }));
      expect(readResult(outputs, result)).toEqual({ patch: result });
      expect(readResult(outputs.slice(0, 1), result.one)).toEqual({ patch: { one: result.one } });
    }),
  );
});
