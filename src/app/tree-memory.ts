/** The memory of this process and its children, as the status page shows it. */
import type { Clock } from "../lib/clock.ts";
import { processTree } from "../process/process-tree.ts";

/** Looking takes some milliseconds, so it is done at most this often, and only when somebody asks. */
const LOOK_INTERVAL_MS = 5_000;

/** @returns a function that gives the bytes of the last look; null before the first one is done. */
export function createTreeMemory(clock: Clock): () => number | null {
  let bytes: number | null = null;
  let lookedAt = Number.NEGATIVE_INFINITY;
  const look = async () => {
    const tree = await processTree(process.pid);
    if (tree.processes.length > 0) bytes = tree.bytes;
  };
  return () => {
    if (clock.now() - lookedAt >= LOOK_INTERVAL_MS) {
      lookedAt = clock.now();
      // Without an answer the page goes on showing the last one.
      look().catch(() => undefined);
    }
    return bytes;
  };
}
