import { expect, test } from "bun:test";
import { oncePer } from "../../src/lib/once-per.ts";

test("oncePer() makes one value for each object", () => {
  let count = 0;
  const label = oncePer((key: { name: string }) => {
    count += 1;
    return `${key.name}${count}`;
  });
  const [a, b] = [{ name: "a" }, { name: "b" }];
  expect([label(a), label(b), label(a), label(b)]).toEqual(["a1", "b2", "a1", "b2"]);
});
