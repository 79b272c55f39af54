import { expect, test } from "bun:test";
import { parseByteSize } from "../../src/lib/byte-size.ts";

test("parseByteSize reads what Docker takes as an amount of memory", () => {
  const texts = ["512m", "1.5g", "64MB", "2GiB", "10k", "4096", "100b", "1t", "m", "-1m", "1x", ""];
  expect(texts.map(parseByteSize)).toEqual([
    512 * 1024 ** 2,
    1.5 * 1024 ** 3,
    64 * 1024 ** 2,
    2 * 1024 ** 3,
    10 * 1024,
    4096,
    100,
    1024 ** 4,
    undefined,
    undefined,
    undefined,
    undefined,
  ]);
});
