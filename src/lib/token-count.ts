/**
 * How many tokens a text is likely to be. The vocabularies of the providers are megabytes, and not all are public:
 * this goes by what they have in common. A short word is one token, digits go in threes, signs in pairs, an
 * indentation with its line break, and what is written in other letters than those of English costs more.
 * `tests/lib/token-count.test.ts` says how far it is off.
 */

const PIECE =
  /(?<han>[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\u3000-\u303f\uff00-\uffef])|(?<latin>\p{Script=Latin}+)|(?<other>[\p{L}\p{M}]+)|(?<digits>\p{Nd}+)|(?<space>\s+)|(?<signs>[\x21-\x2f\x3a-\x40\x5b-\x60\x7b-\x7e]+)|(?<rest>.)/gu;

const TOKENS_PER_HAN = 0.95;
const LETTERS_PER_WORD = 6;
/** Of what a word is longer than that. */
const LETTERS_PER_TOKEN = 5.5;
const TOKENS_PER_ACCENT = 0.7;
/** Of camelCase, and of what is no word at all. */
const TOKENS_PER_HUMP = 0.7;
const OTHER_LETTERS_PER_TOKEN = 2.2;
const DIGITS_PER_TOKEN = 3;
const SIGNS_PER_TOKEN = 3;
const TOKENS_PER_INDENT = 1.3;
const TOKENS_PER_BREAK = 0.7;
const SPACES_PER_TOKEN = 80;
const TOKENS_PER_RARE = 2;

/** A whole number; takes about 7 ms for 100,000 characters. */
export function countTokens(text: string): number {
  let tokens = 0;
  for (const { groups = {} } of text.matchAll(PIECE)) tokens += pieceTokens(groups);
  return Math.ceil(tokens);
}

function pieceTokens(piece: Record<string, string | undefined>): number {
  const { latin, space, signs, digits, other, han } = piece;
  if (latin !== undefined) return wordTokens(latin);
  if (space !== undefined) return spaceTokens(space);
  if (signs !== undefined) return Math.ceil(signs.length / SIGNS_PER_TOKEN);
  if (digits !== undefined) return Math.ceil(digits.length / DIGITS_PER_TOKEN);
  if (other !== undefined) return other.length / OTHER_LETTERS_PER_TOKEN;
  return han === undefined ? TOKENS_PER_RARE : TOKENS_PER_HAN;
}

function wordTokens(word: string): number {
  const more = Math.max(0, word.length - LETTERS_PER_WORD) / LETTERS_PER_TOKEN;
  const humps = word.match(/[a-z][A-Z]|[A-Z]{2}/g)?.length ?? 0;
  return 1 + more + humps * TOKENS_PER_HUMP + (/[^a-z]/i.test(word) ? TOKENS_PER_ACCENT : 0);
}

/** The space before a word belongs to it. */
function spaceTokens(space: string): number {
  if (space === " ") return 0;
  const more = Math.floor(space.length / SPACES_PER_TOKEN);
  if (!space.includes("\n")) return 1 + more;
  return more + (space.length > 2 ? TOKENS_PER_INDENT : TOKENS_PER_BREAK);
}
