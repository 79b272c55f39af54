/** `countTokens()` beside what two real tokenizers (of OpenAI, recorded) say of the texts in `tokens/`. */
import { expect, test } from "bun:test";
import { countTokens } from "../../src/lib/token-count.ts";

const RECORDED = [
  ["chinese", { o200k: 245, cl100k: 360 }],
  ["english", { o200k: 214, cl100k: 214 }],
  ["german", { o200k: 257, cl100k: 316 }],
  ["json", { o200k: 283, cl100k: 284 }],
  ["log", { o200k: 249, cl100k: 248 }],
  ["python", { o200k: 256, cl100k: 256 }],
  ["russian", { o200k: 167, cl100k: 276 }],
  ["typescript", { o200k: 269, cl100k: 264 }],
  ["yaml", { o200k: 433, cl100k: 433 }],
] as const;

const offBy = (tokens: number, real: number) => tokens / real - 1;
const tokensOf = async (name: string) =>
  countTokens(await Bun.file(`${import.meta.dir}/tokens/${name}.txt`).text());

test.each(RECORDED)("countTokens() of %s is near what is really counted", async (name, real) => {
  const tokens = await tokensOf(name);
  // Rather too many than too few: at most 5 % below the newer vocabulary, 20 % below the older one.
  expect(offBy(tokens, real.o200k)).toBeWithin(-0.05, name === "russian" ? 0.5 : 0.3);
  expect(offBy(tokens, real.cl100k)).toBeWithin(-0.21, 0.21);
});

test("countTokens() is within 10 % for a workflow, English and German", async () => {
  for (const [name, { o200k }] of RECORDED)
    if (["yaml", "english", "german"].includes(name))
      expect(offBy(await tokensOf(name), o200k)).toBeWithin(-0.1, 0.1);
});

test("countTokens() has a figure for anything, and none for nothing", () => {
  expect(countTokens("")).toBe(0);
  expect(countTokens(" ")).toBe(0);
  expect(countTokens("a")).toBe(1);
  expect(countTokens("😀")).toBe(2);
  expect(countTokens("\ud800\u0000")).toBe(4);
  expect(countTokens("x".repeat(100_000))).toBeGreaterThan(10_000);
});
