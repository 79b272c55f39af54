import { expect, test } from "bun:test";
import { defined } from "../../src/lib/defined.ts";

test("defined drops the keys that are undefined and keeps null, false and empty", () => {
  const object = defined({ a: undefined, b: null, c: false, d: "", e: 0 });
  expect(Object.keys(object)).toEqual(["b", "c", "d", "e"]);
});
