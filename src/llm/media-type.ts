/**
 * What kind of file models are given: found in the content, because names and servers lie. The ending of the
 * name only tells kinds of text apart.
 */
import { extname } from "node:path";
import { AppError } from "../domain/error.ts";

const TEXT_TYPES: Readonly<Record<string, string>> = {
  ".md": "text/markdown",
  ".csv": "text/csv",
  ".html": "text/html",
  ".htm": "text/html",
  ".xml": "text/xml",
};

/** Beginnings of files; `?` is any byte. */
const SIGNATURES: readonly (readonly [string, string])[] = [
  ["\x89PNG\r\n\x1a\n", "image/png"],
  ["\xff\xd8\xff", "image/jpeg"],
  ["GIF87a", "image/gif"],
  ["GIF89a", "image/gif"],
  ["RIFF????WEBP", "image/webp"],
  ["%PDF-", "application/pdf"],
];
/** Known, but not to models. */
const REFUSED: readonly (readonly [string, string])[] = [
  ["PK\x03\x04", "a zip archive or an office document"],
  ["\xd0\xcf\x11\xe0", "an old office document"],
  ["\x1f\x8b", "a gzip archive"],
  ["RIFF????WAVE", "a sound"],
  ["ID3", "a sound"],
  ["OggS", "a sound or film"],
  ["????ftypheic", "a HEIC image"],
  ["????ftypavif", "an AVIF image"],
  ["????ftyp", "a film or sound"],
  ["\x1a\x45\xdf\xa3", "a film"],
  ["II*\x00", "a TIFF image"],
  ["MM\x00*", "a TIFF image"],
  ["BM????\x00\x00", "a BMP image"],
];

/** @throws AppError `invalid` for a kind of file that models do not take. */
export function mediaTypeOf(name: string, data: Uint8Array): string {
  const known = SIGNATURES.find(([signature]) => beginsWith(data, signature))?.[1];
  if (known !== undefined) return known;
  const refused = REFUSED.find(([signature]) => beginsWith(data, signature))?.[1];
  if (refused !== undefined) throw notTaken(name, refused);
  if (!isText(data)) throw notTaken(name, "of a kind that is not known");
  return TEXT_TYPES[extname(name).toLowerCase()] ?? "text/plain";
}

function beginsWith(data: Uint8Array, signature: string): boolean {
  if (data.byteLength < signature.length) return false;
  return Array.from(signature).every(
    (character, index) => character === "?" || data[index] === character.charCodeAt(0),
  );
}

/** UTF-8 without zero bytes. */
function isText(data: Uint8Array): boolean {
  if (data.includes(0)) return false;
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(data);
    return true;
  } catch {
    // The question is whether it decodes.
    return false;
  }
}

function notTaken(name: string, kind: string): AppError {
  return new AppError("invalid", `"${name}" is ${kind}; models take images, PDF and text.`, {
    fix: "Convert it to PNG, JPEG, WebP, GIF, PDF or UTF-8 text.",
  });
}
