import { expect, test } from "bun:test";
import fc from "fast-check";
import { placeholders, renderTemplate } from "../../src/language/template.ts";

const scope = {
  locals: { name: "local" },
  values: {
    name: "state",
    count: 3,
    ok: false,
    none: null,
    list: ["a", { b: 1 }],
    home: { city: { name: "Ulm" }, zip: null },
  },
};

test("renderTemplate puts in text as it is, other values as JSON, and null as nothing", () => {
  expect(
    renderTemplate(
      "{name}|{state.name}|{count}|{ok}|{none}|{list}|{home.city}|{home.city.name}|{home.zip}",
      scope,
    ),
  ).toBe('local|state|3|false||["a",{"b":1}]|{"name":"Ulm"}|Ulm|');
});

test("renderTemplate leaves braces alone that hold no name", () => {
  const text = '{} { name } {"a": {"b": 1}} {1} {a-b} {{count}} {{';
  expect(renderTemplate(text, scope)).toBe('{} { name } {"a": {"b": 1}} {1} {a-b} {3} {{');
});

test("renderTemplate refuses a placeholder without a value", () => {
  for (const text of [
    "{nobody}",
    "{home.street}",
    "{home.zip.x}",
    "{name.x}",
    "{constructor}",
    "{list.0}",
    "{home.}",
  ])
    expect(() => renderTemplate(text, scope)).toThrow(`The placeholder ${text} has no value.`);
});

test("renderTemplate never reads a value as a template", () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), (first, second) => {
      const locals = { a: `{b}${first}{state.b}$&$1`, b: `{a}${second}` };
      expect(renderTemplate("<{a}>{b}<{a}>", { locals, values: {} })).toBe(
        `<${locals.a}>${locals.b}<${locals.a}>`,
      );
    }),
  );
});

test("placeholders lists what a template uses, in order", () => {
  expect(placeholders("{a} {state.b.c} {state} {a} {größe}")).toEqual([
    { text: "{a}", path: ["a"], fromState: false },
    { text: "{state.b.c}", path: ["b", "c"], fromState: true },
    { text: "{state}", path: ["state"], fromState: false },
    { text: "{a}", path: ["a"], fromState: false },
    { text: "{größe}", path: ["größe"], fromState: false },
  ]);
});
