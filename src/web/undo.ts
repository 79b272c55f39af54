import { AppError } from "../domain/error.ts";

/** Things that can be put back; the oldest are let go. */
const KEPT_COUNT_MAX = 100;

export interface Undo<T> {
  keep(thing: T): void;
  get(id: string | undefined): T | undefined;
  /** @throws AppError `not_found`. */
  require(id: string): T;
  /** It has been put back. */
  drop(id: string): void;
}

/** Keeps what was removed on a page, in this process, so that it can be put back. */
export function createUndo<T extends { readonly id: string }>(): Undo<T> {
  const kept = new Map<string, T>();
  return {
    keep(thing) {
      kept.set(thing.id, thing);
      const [oldest] = kept.keys();
      if (kept.size > KEPT_COUNT_MAX && oldest !== undefined) kept.delete(oldest);
    },
    get: (id) => kept.get(id ?? ""),
    require(id) {
      const thing = kept.get(id);
      if (thing !== undefined) return thing;
      throw new AppError("not_found", "This can no longer be put back.", {
        fix: "Go back to the list.",
      });
    },
    drop: (id) => void kept.delete(id),
  };
}
