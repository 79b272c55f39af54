/** Texts as words to be found by: without case, accents and signs. */

const ACCENTS = /[\u0300-\u036f]/g;
const WORD = /[\p{L}\p{N}\p{Co}]+/gu;

/** The words of a text, in order. `Café-Tisch 7` gives `cafe`, `tisch`, `7`. */
export function searchWords(text: string): string[] {
  return (
    text.normalize("NFD").replaceAll(ACCENTS, "").toLowerCase().normalize("NFC").match(WORD) ?? []
  );
}

/** True when each of `words` begins a word of the text. */
export function hasWords(text: string, words: readonly string[]): boolean {
  const found = searchWords(text);
  return words.every((word) => found.some((one) => one.startsWith(word)));
}
