import { expect, test } from "bun:test";
import fc from "fast-check";
import type { StateField, StateType, Workflow } from "../../src/domain/workflow.ts";
import { parseInputText, readInputs } from "../../src/language/input.ts";
import { parseType } from "../../src/language/type.ts";
import { typeWithValue } from "./arbitrary.ts";

function typeOf(text: string): StateType {
  const reading = parseType(text);
  if ("message" in reading) throw new Error(reading.message);
  return reading.type;
}

function field(name: string, type: string, rest: Partial<StateField> = {}): StateField {
  return { name, type: typeOf(type), required: false, default: null, ...rest };
}

function workflow(...state: StateField[]): Workflow {
  return {
    name: "test",
    state,
    nodes: [],
    edges: [],
    mcpServers: {},
    budget: {},
    onBudget: "fail",
    concurrency: 1,
  };
}

test("readInputs builds the state from inputs, defaults and null", () => {
  const author: StateField = {
    ...field("author", "object"),
    type: {
      kind: "object",
      fields: [field("name", "str", { required: true }), field("age", "int", { default: 30 })],
    },
  };
  const reading = readInputs(
    workflow(
      field("topic", "str", { required: true }),
      field("count", "int", { default: 3 }),
      field("text", "str"),
      author,
    ),
    { topic: "cats", count: null, author: { name: "Ada" } },
  );
  expect(reading).toEqual({
    values: { topic: "cats", count: 3, text: null, author: { name: "Ada", age: 30 } },
    problems: [],
  });
});

test("readInputs reports everything that is wrong at once", () => {
  const reading = readInputs(
    workflow(
      field("topic", "str", { required: true, description: "What about" }),
      field("count", "int"),
      field("tags", "list[str]"),
    ),
    { topik: "cats", count: "three", tags: ["a", 1], zebra: () => 1 },
  );
  expect(reading).toEqual({
    values: undefined,
    problems: [
      {
        field: "topik",
        message: "The workflow has no input `topik`.",
        fix: "Write `topic` instead.",
      },
      {
        field: "zebra",
        message: "The workflow has no input `zebra`.",
        fix: "Use one of: topic, count, tags.",
      },
      {
        field: "topic",
        message: "The input `topic` is required and was not given.",
        fix: "Give `topic` a value of type str (What about).",
      },
      {
        field: "count",
        message: 'The input `count` is not right: expected int, got text "three".',
        fix: "Give `count` a whole number, such as 3.",
      },
      {
        field: "tags",
        message: "The input `tags[1]` is not right: expected str, got the number 1.",
        fix: "Give `tags` a list, such as a, b, c or [1, 2, 3].",
      },
    ],
  });
});

test("readInputs refuses what JSON cannot hold and does not see inherited members", () => {
  const state = workflow(field("constructor", "str"), field("any", "list"));
  expect(readInputs(state, {}).values).toEqual({ constructor: null, any: null } as never);
  expect(readInputs(state, { any: [() => 1] }).problems).toHaveLength(1);
});

test("parseInputText reads what people type", () => {
  const cases: [string, string, unknown][] = [
    ["str", " 12 ", " 12 "],
    ["str", "", ""],
    ["int", " 12 ", 12],
    ["int", "", null],
    ["int", "many", "many"],
    ["float", "-1.5e3", -1500],
    ["float", "0x10", "0x10"],
    ["bool", "Yes", true],
    ["bool", "off", false],
    ["bool", "perhaps", "perhaps"],
    ["list[str]", "red, green , ,blue", ["red", "green", "blue"]],
    ["list[str]", "one, two\nthree\r\n\n", ["one, two", "three"]],
    ["list[str]", '["a, b"]', ["a, b"]],
    ["list[int]", "1, 2, x", [1, 2, "x"]],
    ["list[bool]", "yes,no", [true, false]],
    ["list", "a,1", ["a", "1"]],
    ["list[dict]", '[{"a": 1}]', [{ a: 1 }]],
    ["list[dict]", "nonsense", "nonsense"],
    ["dict[str, int]", '{"a": 1}', { a: 1 }],
    ["object", "{broken", "{broken"],
    ["object", "  ", null],
  ];
  expect(cases.map(([type, text]) => parseInputText(field("x", type), text))).toEqual(
    cases.map(([, , value]) => value) as never,
  );
});

test("parseInputText reads back every value that is written as JSON, or as text for str", () => {
  fc.assert(
    fc.property(typeWithValue, ({ type, value }) => {
      const text = typeof value === "string" ? value : JSON.stringify(value);
      const read = parseInputText({ name: "x", type, required: false, default: null }, text);
      expect(JSON.stringify(read)).toBe(JSON.stringify(value));
    }),
  );
});
