import { expect, test } from "bun:test";
import fc from "fast-check";
import { findJsonFault } from "../../src/lib/json-syntax.ts";

test("findJsonFault says where and what was expected", () => {
  const cases: [string, ReturnType<typeof findJsonFault>][] = [
    ['{"a": [1, {}], "b": "x"}', undefined],
    ["", { offset: 0, expected: "value" }],
    ['{"a": 1,}', { offset: 8, expected: "key" }],
    ["[1, ]", { offset: 4, expected: "value" }],
    ['{"a" 1}', { offset: 5, expected: "colon" }],
    ["{a: 1}", { offset: 1, expected: "key or }" }],
    ["[1 2]", { offset: 3, expected: "comma or end" }],
    ["[1", { offset: 2, expected: "comma or end" }],
    ["[", { offset: 1, expected: "value or ]" }],
    ["[}", { offset: 1, expected: "value or ]" }],
    ["1 2", { offset: 2, expected: "end" }],
    ['"a\nb"', { offset: 0, expected: "value" }],
  ];
  expect(cases.map(([text]) => findJsonFault(text))).toEqual(cases.map(([, fault]) => fault));
});

test("findJsonFault agrees with JSON.parse on damaged JSON", () => {
  const json = fc.json({ maxDepth: 3 });
  const damage = fc.record({
    at: fc.nat(60),
    cut: fc.nat(2),
    put: fc.constantFrom("", ",", "}", '"', "1", " ", "["),
  });
  fc.assert(
    fc.property(json, damage, (text, { at, cut, put }) => {
      const damaged = text.slice(0, at) + put + text.slice(at + cut);
      let isJson = true;
      try {
        JSON.parse(damaged);
      } catch {
        // The judge's verdict.
        isJson = false;
      }
      expect(findJsonFault(damaged) === undefined).toBe(isJson);
    }),
    { numRuns: 500 },
  );
});
