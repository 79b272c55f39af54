import { expect, test } from "bun:test";
import fc from "fast-check";
import { AppError } from "../../src/domain/error.ts";
import { placeholders, renderTemplate, renderValue } from "../../src/language/template.ts";
import type { Json } from "../../src/lib/json.ts";

const scope = {
  locals: { name: "local", item: { id: 7 } },
  values: {
    name: "state",
    count: 3,
    half: 0.5,
    ok: false,
    yes: true,
    none: null,
    list: ["a", { b: 1 }, ["x", null]],
    empty: [],
    home: { city: { name: "Ulm" }, zip: null, "0": "zero" },
    größe: 1.8,
    trap: "{name}",
    dollar: "$& $1 $$",
  },
};

const TEXTS: readonly (readonly [template: string, text: string])[] = [
  ["", ""],
  ["no placeholder", "no placeholder"],
  ["{name}", "local"],
  ["{state.name}", "state"],
  ["{item.id}", "7"],
  ["{item}", '{"id":7}'],
  ["{count}{count}", "33"],
  ["{half}", "0.5"],
  ["{ok} {yes}", "false true"],
  ["[{none}]", "[]"],
  ["{list}", '["a",{"b":1},["x",null]]'],
  ["{empty}", "[]"],
  ["{home.city}", '{"name":"Ulm"}'],
  ["{home.city.name}", "Ulm"],
  ["{state.home.city.name}", "Ulm"],
  ["[{home.zip}]", "[]"],
  ["{list.0}", "a"],
  ["{list.1.b}", "1"],
  ["{state.list.2.0}", "x"],
  ["[{list.2.1}]", "[]"],
  ["{home.0}", "zero"],
  ["{größe}", "1.8"],
  ["{trap}", "{name}"],
  ["{dollar}", "$& $1 $$"],
  ["a\n{name}\tb", "a\nlocal\tb"],
  // Braces that hold no name are text.
  ["{} {{ }}", "{} {{ }}"],
  ["{ name }", "{ name }"],
  ["{{count}}", "{3}"],
  ['{"a": {"b": 1}}', '{"a": {"b": 1}}'],
  ["{1} {a-b} {a b} {a,b}", "{1} {a-b} {a b} {a,b}"],
  ["{list[0]} {name!r} {count:.2f}", "{list[0]} {name!r} {count:.2f}"],
  ["{name", "{name"],
  ["${name}", "$local"],
];

test.each(TEXTS)("renderTemplate of %j gives %j", (template, text) => {
  expect(renderTemplate(template, scope)).toBe(text);
});

const VALUELESS = [
  "{nobody}",
  "{state.item}",
  "{state.nobody}",
  "{state}",
  "{home.street}",
  "{home.zip.x}",
  "{name.x}",
  "{name.length}",
  "{constructor}",
  "{home.constructor}",
  "{home.__proto__}",
  "{__proto__}",
  "{list.3}",
  "{list.00}",
  "{list.length}",
  "{home.}",
  "{home..city}",
];

test.each(VALUELESS)("renderTemplate refuses %s, which has no value", (text) => {
  for (const render of [renderTemplate, renderValue])
    expect(failureOf(() => render(text, scope))).toEqual({
      code: "invalid",
      message: `The placeholder ${text} has no value.`,
    });
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

test("renderValue keeps the type of a value that a text consists of, and fills in other texts", () => {
  const template = {
    id: "{item.id}",
    list: "{list}",
    nothing: "{none}",
    text: "{count} of {list}",
    spaced: " {count}",
    trap: "{trap}",
    "{name}": ["{ok}", "{name}", 5, null, true, { deep: ["{home.city}"] }],
  };
  expect(renderValue(template, scope)).toEqual({
    id: 7,
    list: ["a", { b: 1 }, ["x", null]],
    nothing: null,
    text: '3 of ["a",{"b":1},["x",null]]',
    spaced: " 3",
    trap: "{name}",
    "{name}": [false, "local", 5, null, true, { deep: [{ name: "Ulm" }] }],
  });
});

test("renderValue leaves every value alone that has no placeholder, and gives any value back whole", () => {
  fc.assert(
    fc.property(fc.jsonValue(), (generated) => {
      const value: Json = JSON.parse(JSON.stringify(generated).replaceAll("{", "{ "));
      const rendered = renderValue(value, { locals: {}, values: {} });
      expect(JSON.stringify(rendered)).toBe(JSON.stringify(value));
      const named = renderValue("{state.x}", { locals: { x: 1 }, values: { x: value } });
      expect(named).toBe(value);
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

function failureOf(act: () => unknown): { code: string; message: string } | undefined {
  try {
    act();
    return undefined;
  } catch (error) {
    const { code, message } = AppError.from(error);
    return { code, message };
  }
}
