/** An amount of memory as Docker writes it: `512m`, `2g`, `1.5g`; a bare number is bytes. */
export const BYTE_SIZE = /^\d+(?:\.\d+)?\s*(?:[kmgt]i?)?b?$/i;

const UNITS = "kmgt";

/** Bytes, or undefined for a text that is no amount of memory. */
export function parseByteSize(text: string): number | undefined {
  const word = text.trim();
  if (!BYTE_SIZE.test(word)) return undefined;
  const unit = /[kmgt]/i.exec(word)?.[0].toLowerCase() ?? "";
  return Math.round(Number.parseFloat(word) * 1024 ** (unit === "" ? 0 : UNITS.indexOf(unit) + 1));
}
