/** Kinds of images that browsers and models know, as their first bytes say. SVG is none: it can have scripts in it. */
export const IMAGE_TYPES = ["image/png", "image/jpeg", "image/webp", "image/gif"] as const;
export type ImageType = (typeof IMAGE_TYPES)[number];

/** What stands at which place, one character a byte. */
const SIGNATURES: readonly (readonly [ImageType, readonly (readonly [number, string])[]])[] = [
  ["image/png", [[0, "\x89PNG\r\n\x1a\n"]]],
  ["image/jpeg", [[0, "\xff\xd8\xff"]]],
  ["image/gif", [[0, "GIF87a"]]],
  ["image/gif", [[0, "GIF89a"]]],
  [
    "image/webp",
    [
      [0, "RIFF"],
      [8, "WEBP"],
    ],
  ],
];

/** What the content is, whatever its name and its sender say; undefined for everything else. */
export function imageTypeOf(data: Uint8Array): ImageType | undefined {
  const has = ([at, text]: readonly [number, string]) =>
    Array.from(text).every((sign, index) => data[at + index] === sign.charCodeAt(0));
  return SIGNATURES.find(([, parts]) => parts.every(has))?.[0];
}
