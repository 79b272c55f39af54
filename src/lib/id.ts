import { createHash } from "node:crypto";

const ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz";
const TIME_LENGTH = 10;
const RANDOM_LENGTH = 6;
const TIME_MS_MAX = 32 ** TIME_LENGTH - 1;
/** 60 bits: as many as it takes that no two seeds of the same millisecond ever share an identifier. */
const DERIVED_LENGTH = 12;

/**
 * A new identifier: 16 characters, Crockford base 32, in lower case. The first ten are the time in
 * milliseconds, so identifiers sort by creation; the last six are random (30 bits).
 */
export function newId(nowMs: number): string {
  return timePart(nowMs) + letters(crypto.getRandomValues(new Uint8Array(RANDOM_LENGTH)));
}

/** The same identifier for the same time and seed, else another; sorts among those of `newId`. */
export function derivedId(atMs: number, seed: string): string {
  const hash = createHash("sha256").update(seed).digest();
  return timePart(atMs) + letters(hash.subarray(0, DERIVED_LENGTH));
}

/** The least identifier of that time: what was made before it sorts before it. */
export function firstIdAt(ms: number): string {
  return timePart(Math.min(Math.max(0, Math.floor(ms)), TIME_MS_MAX));
}

function timePart(ms: number): string {
  let time = "";
  let rest = ms;
  for (let index = 0; index < TIME_LENGTH; index += 1) {
    time = `${ALPHABET[rest % 32]}${time}`;
    rest = Math.floor(rest / 32);
  }
  return time;
}

function letters(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => ALPHABET[byte % 32]).join("");
}
