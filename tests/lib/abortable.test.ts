import { expect, test } from "bun:test";
import { abortable } from "../../src/lib/abortable.ts";

const forever = () => new Promise<never>(() => {});

test("abortable() gives the result of work that ends first", async () => {
  const signal = new AbortController().signal;
  expect(await abortable(signal, Promise.resolve(3))).toBe(3);
  expect(await abortable(signal, Promise.reject(new Error("no"))).catch(String)).toBe("Error: no");
});

test("abortable() rejects with the signal's reason although the work goes on for ever", async () => {
  const controller = new AbortController();
  const result = abortable(controller.signal, forever()).catch((error: unknown) => error);
  controller.abort("enough");
  expect(await result).toBe("enough");
  expect(await abortable(controller.signal, forever()).catch((error: unknown) => error)).toBe(
    "enough",
  );
});
