import { createHash } from "node:crypto";

/** What every provider takes as the name of a tool. */
const NAME_CHARS_MAX = 64;
const HASH_CHARS = 6;

/**
 * The name by which models know a tool of a server: `server__tool`, with other signs than letters, digits, `_` and
 * `-` replaced. A name that was changed ends with a hash, so that two tools never get the same.
 */
export function modelToolName(server: string, tool: string): string {
  const whole = `${server}__${tool}`;
  const plain = whole.replaceAll(/[^A-Za-z0-9_-]/g, "_");
  if (plain === whole && whole.length <= NAME_CHARS_MAX) return whole;
  const hash = createHash("sha256").update(whole).digest("hex").slice(0, HASH_CHARS);
  return `${plain.slice(0, NAME_CHARS_MAX - HASH_CHARS - 1)}_${hash}`;
}
