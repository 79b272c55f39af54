import { expect, test } from "bun:test";
import fc from "fast-check";
import { createSeries } from "../../src/lib/series.ts";

test("createSeries() keeps the newest items under their first numbers", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 20 }), fc.array(fc.integer()), (countMax, items) => {
      const series = createSeries<number>(countMax);
      for (const item of items) series.push(item);
      expect(series.next).toBe(items.length);
      expect(series.first).toBe(Math.max(0, items.length - countMax));
      for (let number = -1; number <= items.length; number += 1) {
        expect(series.get(number)).toBe(number < series.first ? undefined : items[number]);
      }
    }),
  );
});
