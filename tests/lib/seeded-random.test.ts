import { expect, test } from "bun:test";
import fc from "fast-check";
import { createSeededRandom } from "../../src/lib/seeded-random.ts";

test("createSeededRandom() gives the same sequence for the same text, on every machine", () => {
  const random = createSeededRandom("agents");
  const values = [random.integer(0, 999), random.integer(0, 999), random.pick(["a", "b", "c"])];
  const again = createSeededRandom("agents");
  expect([again.integer(0, 999), again.integer(0, 999), again.pick(["a", "b", "c"])]).toEqual(
    values,
  );
  expect(createSeededRandom("agents!").next()).not.toBe(createSeededRandom("agents").next());
});

test("property: integer() stays within its bounds and reaches both", () => {
  fc.assert(
    fc.property(fc.string(), fc.integer({ min: -9, max: 9 }), fc.nat(3), (seed, min, width) => {
      const random = createSeededRandom(seed);
      const values = new Set(Array.from({ length: 200 }, () => random.integer(min, min + width)));
      expect([...values].toSorted((left, right) => left - right)).toEqual(
        Array.from({ length: width + 1 }, (_, index) => min + index),
      );
    }),
  );
});
