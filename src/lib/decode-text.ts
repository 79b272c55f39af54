/** Names that servers give to the encodings other than UTF-8 that are still met. */
const ENCODINGS: ReadonlyMap<string, "windows-1252" | "utf-16"> = new Map([
  ["iso-8859-1", "windows-1252"],
  ["latin1", "windows-1252"],
  ["windows-1252", "windows-1252"],
  ["utf-16", "utf-16"],
  ["utf-16le", "utf-16"],
]);

/** The text of a body, by the `charset` of its content type; UTF-8 without one that is known. */
export function decodeText(body: Uint8Array, contentType: string): string {
  const charset = /charset\s*=\s*"?([^\s;"]+)/i.exec(contentType)?.[1]?.toLowerCase();
  return new TextDecoder(ENCODINGS.get(charset ?? "") ?? "utf-8").decode(body);
}
