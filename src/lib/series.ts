/**
 * The newest items of an endless series; each has a number that counts from 0 and never changes, so
 * many readers can each keep their own place. (`ring.ts` is the same without places.)
 */
export interface Series<T> {
  push(item: T): void;
  /** Undefined when the item has been forgotten or does not exist yet. */
  get(number: number): T | undefined;
  /** Number of the oldest item kept; equal to `next` when there is none. */
  readonly first: number;
  /** Number that the next item will get. */
  readonly next: number;
}

/** Keeps at most `countMax` items; the oldest is forgotten for each new one beyond that. */
export function createSeries<T>(countMax: number): Series<T> {
  const items: T[] = [];
  let next = 0;
  const first = () => Math.max(0, next - countMax);
  return {
    push(item) {
      items[next % countMax] = item;
      next += 1;
    },
    get: (number) => (number < first() || number >= next ? undefined : items[number % countMax]),
    get first() {
      return first();
    },
    get next() {
      return next;
    },
  };
}
