import { expect, test } from "bun:test";
import { endSentence } from "../../src/lib/end-sentence.ts";

test.each([
  ["slow down", "slow down."],
  ["No such page.", "No such page."],
  ["Who are you?", "Who are you?"],
  ["cut off…", "cut off…"],
  ["", "."],
])("endSentence(%p) is %p", (text, sentence) => {
  expect(endSentence(text)).toBe(sentence);
});
