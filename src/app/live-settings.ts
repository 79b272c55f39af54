/** Settings that follow the data folder's `.env`: a key saved on a page counts from the next call on. */
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { createTurns } from "../lib/in-turn.ts";

export interface LiveSettings<T> {
  /** As they were at the last refresh. */
  current(): T;
  /**
   * Reads them again when the file has changed since. A file that has become invalid changes nothing
   * until it is mended: the page and `doctor` tell what is wrong with it.
   */
  refresh(): Promise<T>;
}

/** @param reload Reads all settings anew, for the same data folder. */
export function followSettings<T extends { readonly dataDir: string }>(
  first: T,
  reload: () => Promise<T>,
): LiveSettings<T> {
  const path = join(first.dataDir, ".env");
  let current = first;
  let seen = stampOf(path);
  // One at a time: of two at once the one that read the older file could be the last to end.
  const inTurn = createTurns();
  let next: Promise<T> | undefined;

  async function read(): Promise<T> {
    next = undefined;
    const [before, now] = await Promise.all([seen, stampOf(path)]);
    if (before !== now) {
      seen = Promise.resolve(now);
      current = await reload().catch(() => current);
    }
    return current;
  }

  return {
    current: () => current,
    // One that has not begun is as good as another after it.
    refresh: () => (next ??= inTurn(read)),
  };
}

/** Changes whenever the file does. */
async function stampOf(path: string): Promise<string> {
  try {
    const { mtimeMs, size, ino } = await stat(path);
    return `${ino}/${mtimeMs}/${size}`;
  } catch {
    // No file is a state of it like any other.
    return "none";
  }
}
