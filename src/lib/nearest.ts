/** Longer words are never compared: a name that long is not a spelling mistake. */
const WORD_LENGTH_MAX = 64;

/**
 * The candidate that `word` was most likely meant to be, or undefined when none is close: one slip
 * in a word of up to three letters, two in a word of up to eight, three in a longer one. Case,
 * hyphens and underscores count for nothing.
 */
export function nearest(word: string, candidates: Iterable<string>): string | undefined {
  if (word.length > WORD_LENGTH_MAX) return undefined;
  const wanted = plain(word);
  let limit = wanted.length <= 3 ? 1 : wanted.length <= 8 ? 2 : 3;
  let best: string | undefined;
  for (const candidate of candidates) {
    const other = plain(candidate);
    if (Math.abs(other.length - wanted.length) > limit) continue;
    const distance = editDistance(wanted, other);
    // A word of which every letter would have to change is another word.
    if (distance > limit || distance >= wanted.length) continue;
    best = candidate;
    limit = distance - 1;
    if (limit < 0) break;
  }
  return best;
}

/** Insertions, deletions, replacements and swaps of neighbours that turn one word into the other. */
export function editDistance(left: string, right: string): number {
  let older: number[] = [];
  let previous = Array.from({ length: right.length + 1 }, (_, index) => index);
  for (let row = 1; row <= left.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= right.length; column += 1) {
      const same = left[row - 1] === right[column - 1];
      let distance = Math.min(
        (previous[column] ?? 0) + 1,
        (current[column - 1] ?? 0) + 1,
        (previous[column - 1] ?? 0) + (same ? 0 : 1),
      );
      const swapped = left[row - 1] === right[column - 2] && left[row - 2] === right[column - 1];
      if (row > 1 && column > 1 && swapped)
        distance = Math.min(distance, (older[column - 2] ?? 0) + 1);
      current.push(distance);
    }
    older = previous;
    previous = current;
  }
  return previous[right.length] ?? 0;
}

function plain(word: string): string {
  return word.toLowerCase().replaceAll(/[-_\s]/g, "");
}
