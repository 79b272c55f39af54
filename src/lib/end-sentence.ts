/** The text as a whole sentence, so that others can follow it: with a full stop, unless it ends with a mark. */
export function endSentence(text: string): string {
  return /[.!?…]$/.test(text) ? text : `${text}.`;
}
