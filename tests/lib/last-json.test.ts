import { expect, test } from "bun:test";
import fc from "fast-check";
import { lastJson } from "../../src/lib/last-json.ts";

test.each([
  ["", undefined],
  ["no json", undefined],
  ["  5 \n", 5],
  ['{"a":1}', { a: 1 }],
  ['log\n{"a":1}', { a: 1 }],
  ['[info] Result: {"a":1} (done)', { a: 1 }],
  ['{"a":1}\n{"a":2}\n', { a: 2 }],
  ['log {\n[\n  {"a":1},\n  {"b":[]}\n]\nbye', [{ a: 1 }, { b: [] }]],
  ['{"a":1} {', { a: 1 }],
  ['{"a":1', undefined],
])("lastJson(%j)", (text, expected) => {
  expect(lastJson(text)).toEqual(expected);
});

test("lastJson() finds the end of a long log", () => {
  expect(lastJson(`${"[x] {\n".repeat(5_000)}{\n"a": {}\n}`)).toEqual({ a: {} });
});

test("property: an object after any log without brackets is found, however it is written", () => {
  fc.assert(
    fc.property(
      fc.string().filter((text) => !/[[\]{}]/.test(text)),
      fc.dictionary(
        fc.string(),
        fc.json().map((text) => JSON.parse(text)),
      ),
      fc.constantFrom(0, 2),
      (log, value, indent) => {
        expect(lastJson(`${log}\n${JSON.stringify(value, null, indent)}\n`)).toEqual(
          JSON.parse(JSON.stringify(value)),
        );
      },
    ),
  );
});
