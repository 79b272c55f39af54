/** The last characters of a run's id: the random ones, and what `agents runs ID` accepts. */
const SHORT_LENGTH = 6;

export function shortId(id: string): string {
  return id.slice(-SHORT_LENGTH);
}

/**
 * A text as part of an element's id, which is also used as a CSS selector: `draft#2[5]` becomes
 * `draft_23_2_5b_5_5d_`. Different texts stay different.
 */
export function idPart(text: string): string {
  return text.replaceAll(
    /[^a-zA-Z0-9-]/g,
    (character) => `_${(character.codePointAt(0) ?? 0).toString(16)}_`,
  );
}

/** Marks the lines of a model call. A call that a crash cut off is made again and has two. */
export function textKey(step: string, attempt: number, call: number): string {
  return `run-text-${idPart(step)}-${attempt}-${call}`;
}
