import { expect, test } from "bun:test";
import { imageTypeOf } from "../../src/lib/image-type.ts";

const bytes = (text: string) => Uint8Array.from(text, (sign) => sign.charCodeAt(0));

test.each([
  ["\x89PNG\r\n\x1a\nIHDR", "image/png"],
  ["\xff\xd8\xff\xe0\x00\x10JFIF", "image/jpeg"],
  ["GIF87a..", "image/gif"],
  ["GIF89a..", "image/gif"],
  ["RIFF\x24\x00\x00\x00WEBPVP8 ", "image/webp"],
  ["", undefined],
  ["\x89PNG", undefined],
  ["\x89PNG\n\x1a\n", undefined],
  ["RIFF\x24\x00\x00\x00WAVEfmt ", undefined],
  ["GIF88a", undefined],
  [" GIF89a", undefined],
  ["<svg xmlns='http://www.w3.org/2000/svg'/>", undefined],
  ["<html>\x89PNG\r\n\x1a\n", undefined],
  ["BM6", undefined],
] as const)("imageTypeOf() of %j is %p", (text, type) => {
  expect(imageTypeOf(bytes(text))).toBe(type);
});
