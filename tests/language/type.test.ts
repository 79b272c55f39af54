import { expect, test } from "bun:test";
import fc from "fast-check";
import { z } from "zod";
import type { StateField, StateType } from "../../src/domain/workflow.ts";
import {
  checkValue,
  fillDefaults,
  formatType,
  mergeTypes,
  parseType,
  requireAllFields,
  TYPE_DEPTH_MAX,
  typeToJsonSchema,
} from "../../src/language/type.ts";
import { stateType, typeWithValue } from "./arbitrary.ts";

const field = (name: string, type: StateType, rest: Partial<StateField> = {}): StateField => ({
  name,
  type,
  required: true,
  default: null,
  ...rest,
});
const nested = (depth: number) => "list[".repeat(depth - 1) + "int" + "]".repeat(depth - 1);
const accepts = (type: StateType, values: unknown[]) =>
  values.map((value) => checkValue(type, value).length === 0);
const STR: StateType = { kind: "str" };
const INT: StateType = { kind: "int" };

test("parseType reads every form, whatever the spaces", () => {
  expect(
    ["int", " list ", "dict", "list[ str ]", "dict[str,list[int]]", "object"].map(parseType),
  ).toEqual([
    { type: INT },
    { type: { kind: "list", item: { kind: "any" } } },
    { type: { kind: "dict", key: STR, value: { kind: "any" } } },
    { type: { kind: "list", item: STR } },
    { type: { kind: "dict", key: STR, value: { kind: "list", item: INT } } },
    { type: { kind: "object", fields: [] } },
  ]);
});

test("parseType suggests the type that was meant, in its place", () => {
  expect(
    ["String", "List[str]", "dict[in, integer]", "number", "colour", ""].map(parseType),
  ).toEqual([
    { message: "`String` is not a type.", suggestion: "str" },
    { message: "`List` is not a type.", suggestion: "list[str]" },
    { message: "`in` is not a type.", suggestion: "dict[int, integer]" },
    { message: "`number` is not a type.", suggestion: "float" },
    { message: "`colour` is not a type." },
    { message: "The type ends too early." },
  ]);
});

test("parseType refuses a type that nests too deep", () => {
  expect("type" in parseType(nested(TYPE_DEPTH_MAX))).toBe(true);
  expect("type" in parseType(nested(TYPE_DEPTH_MAX + 1))).toBe(false);
  expect("type" in parseType("list[".repeat(100_000))).toBe(false);
});

/** What a type text says: object fields are stated elsewhere. */
function withoutFields(type: StateType): StateType {
  if (type.kind === "list") return { kind: "list", item: withoutFields(type.item) };
  if (type.kind === "dict") return { ...type, value: withoutFields(type.value) };
  return type.kind === "object" ? { kind: "object", fields: [] } : type;
}

test("parseType reads what formatType writes", () => {
  fc.assert(
    fc.property(stateType, (type) => {
      expect(parseType(formatType(type))).toEqual({ type: withoutFields(type) });
    }),
  );
});

test("checkValue accepts every value of a type", () => {
  fc.assert(
    fc.property(typeWithValue, ({ type, value }) => {
      expect(checkValue(type, value)).toEqual([]);
    }),
  );
});

test("checkValue and the JSON Schema say the same of any value", () => {
  fc.assert(
    fc.property(typeWithValue, typeWithValue, ({ type }, other) => {
      const schema = z.fromJSONSchema(typeToJsonSchema(type));
      for (const value of [other.value, null, 1, 1.5, "1", true, [], {}, [null]]) {
        const accepted = checkValue(type, value).length === 0;
        expect({ type, value, accepted: schema.safeParse(value).success }).toEqual({
          type,
          value,
          accepted,
        });
      }
    }),
    { numRuns: 300 },
  );
});

test("checkValue names the place and the reason of every fault", () => {
  const type: StateType = {
    kind: "object",
    fields: [
      field("name", STR),
      field("age", INT, { required: false }),
      field("scores", { kind: "dict", key: INT, value: { kind: "list", item: { kind: "float" } } }),
    ],
  };
  expect(
    checkValue(type, { name: null, age: null, scores: { "1": [1, "x"], b: [] }, agee: 1 }),
  ).toEqual([
    { path: "name", message: "expected str, got nothing" },
    { path: 'scores["1"][1]', message: 'expected float, got text "x"' },
    { path: 'scores["b"]', message: "the key must be int" },
    { path: "agee", message: "is not a known field (did you mean age?)" },
  ]);
  expect(checkValue(type, {}).map((fault) => `${fault.path} ${fault.message}`)).toEqual([
    "name is missing",
    "age is missing",
    "scores is missing",
  ]);
});

test("checkValue takes whole numbers only for int, any finite number for float", () => {
  expect(accepts(INT, [3, 3.5, "3", true, Number.NaN])).toEqual([true, false, false, false, false]);
  expect(accepts({ kind: "float" }, [3, 3.5, "3", Infinity])).toEqual([true, true, false, false]);
});

test("checkValue does not take inherited members for fields", () => {
  const type: StateType = { kind: "object", fields: [field("constructor", STR)] };
  expect(checkValue(type, {})).toEqual([{ path: "constructor", message: "is missing" }]);
});

test("checkValue describes a value that is wrong throughout by its first faults", () => {
  expect(
    checkValue(
      { kind: "list", item: INT },
      Array.from({ length: 1000 }, () => "x"),
    ),
  ).toHaveLength(20);
});

test("fillDefaults fills absent fields at every depth and leaves required ones absent", () => {
  const inner: StateType = {
    kind: "object",
    fields: [field("x", INT, { required: false, default: 7 })],
  };
  const type: StateType = {
    kind: "object",
    fields: [
      field("a", STR),
      field("b", { kind: "list", item: inner }),
      field("c", STR, { required: false }),
    ],
  };
  expect(fillDefaults(type, { b: [{}, { x: 1 }] })).toEqual({ b: [{ x: 7 }, { x: 1 }], c: null });
});

test("mergeTypes lets the open side take what the other side says", () => {
  const open: StateType = { kind: "object", fields: [] };
  const closed: StateType = { kind: "object", fields: [field("x", INT)] };
  const anyList: StateType = { kind: "list", item: { kind: "any" } };
  expect([
    mergeTypes(open, closed),
    mergeTypes(closed, open),
    mergeTypes(anyList, { kind: "list", item: STR }),
    mergeTypes(closed, { kind: "object", fields: [field("x", STR)] }),
    mergeTypes(closed, { kind: "object", fields: [field("y", INT)] }),
    mergeTypes(INT, { kind: "float" }),
  ]).toEqual([closed, closed, { kind: "list", item: STR }, undefined, undefined, undefined]);
});

test("mergeTypes of a type with itself is the type", () => {
  fc.assert(fc.property(stateType, (type) => expect(mergeTypes(type, type)).toEqual(type)));
});

test("typeToJsonSchema closes objects and requires every field, for strict providers", () => {
  const type = requireAllFields({
    kind: "object",
    fields: [
      field("a", INT, { required: false, description: "A" }),
      field("b", { kind: "dict", key: STR, value: INT }),
    ],
  });
  expect(typeToJsonSchema(type, "Both")).toEqual({
    type: "object",
    properties: {
      a: { type: "integer", description: "A" },
      b: { type: "object", additionalProperties: { type: "integer" } },
    },
    required: ["a", "b"],
    additionalProperties: false,
    description: "Both",
  });
});
