/** Random types, and random values of them. */
import fc from "fast-check";
import type { StateField, StateType } from "../../src/domain/workflow.ts";
import type { Json } from "../../src/lib/json.ts";

const name = fc.stringMatching(/^[a-z_][a-z0-9_]{0,6}$/);
const simple = fc.constantFrom<StateType>(
  { kind: "str" },
  { kind: "int" },
  { kind: "float" },
  { kind: "bool" },
);

/** Types as a file can state them: an element without a type only where `list` and `dict` stand alone. */
export const stateType: fc.Arbitrary<StateType> = fc.letrec<{ type: StateType; field: StateField }>(
  (tie) => ({
    type: fc.oneof(
      { maxDepth: 4, depthIdentifier: "type", withCrossShrink: true },
      simple,
      fc.constant<StateType>({ kind: "list", item: { kind: "any" } }),
      fc.record({ kind: fc.constant("list" as const), item: tie("type") }),
      fc.record({ kind: fc.constant("dict" as const), key: simple, value: tie("type") }),
      fc.constant<StateType>({ kind: "object", fields: [] }),
      fc.record({
        kind: fc.constant("object" as const),
        fields: fc.uniqueArray(tie("field"), {
          maxLength: 4,
          selector: (field) => field.name,
          depthIdentifier: "type",
        }),
      }),
    ),
    field: fc.record({
      name,
      type: tie("type"),
      required: fc.boolean(),
      default: fc.constant<Json>(null),
    }),
  }),
).type;

/** Without -0, which JSON has not, and without whole numbers that are too large to be exact. */
const number = fc
  .double({ noNaN: true, noDefaultInfinity: true })
  .map((value) => value + 0)
  .filter((value) => !Number.isInteger(value) || Number.isSafeInteger(value));
const keys: Readonly<Record<string, fc.Arbitrary<string>>> = {
  int: fc.integer().map(String),
  float: number.map((value) => String(value)),
  bool: fc.boolean().map(String),
  str: name,
};

const simpleValues = {
  str: fc.string({ maxLength: 8 }),
  int: fc.integer(),
  float: fc.oneof(number, fc.integer()),
  bool: fc.boolean(),
  any: fc.jsonValue({ maxDepth: 1 }).map((value) => JSON.parse(JSON.stringify(value)) as Json),
};

/** Values of a type; null where a field is not required, now and then. */
export function valueOf(type: StateType): fc.Arbitrary<Json> {
  if (type.kind === "list") return fc.array(valueOf(type.item), { maxLength: 3 });
  if (type.kind === "dict") {
    return fc.dictionary(keys[type.key.kind] ?? name, valueOf(type.value), {
      maxKeys: 3,
      noNullPrototype: true,
    });
  }
  if (type.kind !== "object") return simpleValues[type.kind];
  if (type.fields.length === 0)
    return fc.dictionary(name, fc.integer(), { maxKeys: 2, noNullPrototype: true });
  const entries = type.fields.map((field) => {
    const value = valueOf(field.type);
    return [field.name, field.required ? value : fc.option(value)] as const;
  });
  return fc.record(Object.fromEntries(entries), { noNullPrototype: true });
}

export const typeWithValue = stateType.chain((type) =>
  valueOf(type).map((value) => ({ type, value })),
);
