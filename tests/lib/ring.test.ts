import { expect, test } from "bun:test";
import fc from "fast-check";
import { createRing } from "../../src/lib/ring.ts";

test("createRing() keeps the newest items in order", () => {
  fc.assert(
    fc.property(fc.array(fc.integer()), fc.integer({ min: 1, max: 8 }), (items, capacity) => {
      const ring = createRing<number>(capacity);
      for (const item of items) ring.push(item);
      expect(ring.values()).toEqual(items.slice(-capacity));
      ring.clear();
      expect(ring.values()).toEqual([]);
    }),
  );
});
