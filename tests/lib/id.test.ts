import { expect, test } from "bun:test";
import { derivedId, newId } from "../../src/lib/id.ts";

test("newId() sorts by time and differs", () => {
  expect(newId(1_800_000_000_000)).toMatch(/^[0-9a-hjkmnp-tv-z]{16}$/);
  expect(newId(1_800_000_000_000) < newId(1_800_000_000_001)).toBe(true);
  expect(newId(1)).not.toBe(newId(1));
});

test("derivedId() is the same for the same time and seed, and sorts among new ones", () => {
  const at = 1_800_000_000_000;
  expect(derivedId(at, "run/step/1")).toBe(derivedId(at, "run/step/1"));
  expect(derivedId(at, "run/step/1")).toMatch(/^[0-9a-hjkmnp-tv-z]{22}$/);
  expect(derivedId(at, "run/step/2")).not.toBe(derivedId(at, "run/step/1"));
  expect(newId(at - 1) < derivedId(at, "x") && derivedId(at, "x") < newId(at + 1)).toBe(true);
});
