import { expect, test } from "bun:test";
import { decodeText } from "../../src/lib/decode-text.ts";

test.each([
  [[0xc3, 0xa4], "", "ä"],
  [[0xef, 0xbb, 0xbf, 0x61], "text/plain; charset=utf-8", "a"],
  [[0xe4], "text/plain; charset=ISO-8859-1", "ä"],
  [[0xe4, 0x00], 'text/plain; charset="utf-16le"; x=1', "ä"],
  [[0xc3, 0xa4], "text/plain; charset=klingon", "ä"],
])("decodeText(%j, %j)", (bytes, type, expected) => {
  expect(decodeText(new Uint8Array(bytes), type)).toBe(expected);
});
