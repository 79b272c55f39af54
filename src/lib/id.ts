const ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz";
const TIME_LENGTH = 10;
const RANDOM_LENGTH = 6;

/**
 * A new identifier: 16 characters, Crockford base 32, in lower case. The first ten are the time in
 * milliseconds, so identifiers sort by creation; the last six are random (30 bits).
 */
export function newId(nowMs: number): string {
  let time = "";
  let rest = nowMs;
  for (let index = 0; index < TIME_LENGTH; index += 1) {
    time = `${ALPHABET[rest % 32]}${time}`;
    rest = Math.floor(rest / 32);
  }
  const random = crypto.getRandomValues(new Uint8Array(RANDOM_LENGTH));
  return time + Array.from(random, (byte) => ALPHABET[byte % 32]).join("");
}
