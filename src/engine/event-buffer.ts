/**
 * Events on their way to the log of a run. Pieces of one answer, or of one output of a program, that arrive within EVENT_JOIN_MS
 * become one event, and whatever waits goes along with the next checkpoint, so an instant step costs
 * no write of its own. Order is kept; nothing is dropped while the database is away.
 */
import type { RunEvent } from "../domain/event.ts";
import type { Clock } from "../lib/clock.ts";
import { startTimer } from "../lib/timer.ts";

const EVENT_JOIN_MS = 100;

export interface EventBuffer {
  add(event: RunEvent): void;
  /** Takes out what waits, for the caller to write with its own record. */
  take(): Promise<readonly RunEvent[]>;
  /** Writes what waits. Rejects as the store does; the events then wait on. */
  flush(): Promise<void>;
}

interface EventBufferOptions {
  readonly append: (events: readonly RunEvent[]) => Promise<void>;
  readonly clock: Clock;
  /** Told of a write in the background that failed. */
  readonly onError: (error: unknown) => void;
}

export function createEventBuffer({ append, clock, onError }: EventBufferOptions): EventBuffer {
  let waiting: RunEvent[] = [];
  /** A write whose outcome is unknown. It is repeated as it was, so that the store knows it again. */
  let unwritten: readonly RunEvent[] = [];
  let stopTimer: (() => void) | undefined;
  /** Ends when all writes so far have ended, well or badly. */
  let writes: Promise<unknown> = Promise.resolve();
  let writeCount = 0;

  const endTimer = () => {
    stopTimer?.();
    stopTimer = undefined;
  };
  const write = async () => {
    if (unwritten.length > 0) await append(unwritten);
    unwritten = waiting;
    waiting = [];
    if (unwritten.length > 0) await append(unwritten);
    unwritten = [];
  };
  const flush = () => {
    endTimer();
    writeCount += 1;
    const current = writes.then(write).finally(() => {
      writeCount -= 1;
    });
    // The failure is the caller's to handle; here it only ends the queue of writes.
    writes = current.catch(() => undefined);
    return current;
  };

  return {
    add: (event) => {
      const joined = join(waiting.at(-1), event);
      if (joined === undefined) waiting.push(event);
      else waiting[waiting.length - 1] = joined;
      stopTimer ??= startTimer(clock, EVENT_JOIN_MS, () => {
        stopTimer = undefined;
        flush().catch(onError);
      });
    },
    take: async () => {
      endTimer();
      // Later events must not overtake a write that is under way.
      if (writeCount > 0) await writes;
      const taken = unwritten.length === 0 ? waiting : [...unwritten, ...waiting];
      unwritten = [];
      waiting = [];
      return taken;
    },
    flush,
  };
}

/** Two pieces of one text as one event; undefined when they are not of one text. */
function join(last: RunEvent | undefined, event: RunEvent): RunEvent | undefined {
  if (event.type === "model.delta" && last?.type === "model.delta" && last.call === event.call)
    return { ...last, text: last.text + event.text };
  if (event.type !== "output.delta" || last?.type !== "output.delta") return undefined;
  if (last.call !== event.call || last.stream !== event.stream) return undefined;
  return { ...last, text: last.text + event.text };
}
