/**
 * Keeps the session with one MCP server: begun at its first use, shared by all users, ended when nobody has used
 * it for a while, begun again (later and later) when the server dies.
 */
import type { Client, Tool as ServerTool } from "@modelcontextprotocol/client";
import { abortable } from "../lib/abortable.ts";
import { backoffMs } from "../lib/backoff.ts";
import type { Clock } from "../lib/clock.ts";
import { startTimer } from "../lib/timer.ts";
import { startFailure } from "./failure.ts";

export const IDLE_MS = 5 * 60_000;
const BACKOFF = { growth: "exponential", firstMs: 200, maxMs: 30_000 } as const;
/** A server that has lived as long has not died of its start. */
const STABLE_MS = 60_000;

/** A client that is connected, and the tools of its server. */
export interface Session {
  readonly client: Client;
  readonly tools: () => readonly ServerTool[];
}

/** Begins a session. Leaves nothing behind when it fails. */
export type Connect = (options: {
  readonly signal: AbortSignal;
  /** Called when the session is over, for whatever reason. */
  readonly onClose: () => void;
}) => Promise<Session>;

export interface SessionKeeper {
  /** Calls `work` with the session. @throws AppError as `Connect`; what `work` throws; the signal's reason. */
  use<T>(signal: AbortSignal, work: (session: Session) => Promise<T>): Promise<T>;
  /** On purpose: the next use begins a new one at once. */
  end(session: Session): Promise<void>;
  /** For good. */
  close(): Promise<void>;
}

/** @param name What messages call the server. */
export function createSessionKeeper(name: string, connect: Connect, clock: Clock): SessionKeeper {
  const over = new AbortController();
  const pause = createPause(clock);
  let session: Session | undefined;
  let starting: Promise<Session> | undefined;
  let useCount = 0;
  let stopIdleTimer: (() => void) | undefined;

  const start = async (): Promise<Session> => {
    await pause.wait(over.signal);
    let begun: Session | undefined;
    let isOver = false;
    const startedAt = clock.now();
    const onClose = () => {
      isOver = true;
      if (session === undefined || session !== begun) return;
      session = undefined;
      pause.noteEnd(clock.now() - startedAt);
    };
    try {
      over.signal.throwIfAborted();
      begun = await connect({ signal: over.signal, onClose });
      if (isOver) throw new Error("it ended at once");
    } catch (error) {
      pause.noteEnd(0);
      throw startFailure(name, error);
    }
    session = begun;
    return begun;
  };
  const ready = (): Promise<Session> => {
    if (session !== undefined) return Promise.resolve(session);
    starting ??= start().finally(() => {
      starting = undefined;
    });
    return starting;
  };
  const end = async (ended: Session | undefined) => {
    if (session === ended) session = undefined;
    await ended?.client.close();
  };
  return {
    async use(signal, work) {
      signal.throwIfAborted();
      useCount += 1;
      try {
        return await work(await abortable(signal, ready()));
      } finally {
        useCount -= 1;
        stopIdleTimer?.();
        stopIdleTimer = startTimer(clock, IDLE_MS, () => {
          if (useCount === 0) void end(session);
        });
      }
    },
    end,
    async close() {
      over.abort(new Error("The MCP servers were closed."));
      stopIdleTimer?.();
      // Its failure is for those who wait for it.
      await starting?.catch(() => undefined);
      await end(session);
    },
  };
}

/** How long to wait before the next start: nothing at first, more with each end that nobody wanted. */
function createPause(clock: Clock) {
  let failureCount = 0;
  let until = 0;
  return {
    noteEnd(livedMs: number) {
      failureCount = livedMs >= STABLE_MS ? 1 : failureCount + 1;
      until = clock.now() + backoffMs(BACKOFF, failureCount);
    },
    async wait(signal: AbortSignal) {
      const ms = until - clock.now();
      if (ms > 0) await clock.sleep(ms, signal);
    },
  };
}
