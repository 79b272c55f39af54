/**
 * The same ports, served by another process with its own store on the same file. Calls carry the time,
 * so both processes live by one manual clock.
 */
import { AppError, type ErrorCode } from "../../../src/domain/error.ts";
import type { Queue, RunStore } from "../../../src/domain/run.ts";
import type { Clock } from "../../../src/lib/clock.ts";

export interface Call {
  readonly id: number;
  readonly path: string;
  /** `store`: `close` closes the store on that file. */
  readonly port: "runs" | "queue" | "store";
  readonly method: string;
  readonly args: readonly unknown[];
  readonly nowMs: number;
}

export type Answer =
  | { readonly id: number; readonly value: unknown }
  | { readonly id: number; readonly code: ErrorCode; readonly message: string };

export interface RemotePorts {
  readonly runs: RunStore;
  readonly queue: Queue;
  readonly close: () => Promise<unknown>;
}

export interface RemoteStore {
  /** Ports on this file. */
  readonly open: (path: string, clock: Clock) => RemotePorts;
  readonly stop: () => Promise<void>;
}

export function startRemoteStore(): RemoteStore {
  const pending = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>();
  const child = Bun.spawn([process.execPath, `${import.meta.dir}/remote-store-process.ts`], {
    serialization: "advanced",
    stdio: ["ignore", "inherit", "inherit"],
    ipc(answer: Answer) {
      const caller = pending.get(answer.id);
      pending.delete(answer.id);
      if ("code" in answer) caller?.reject(new AppError(answer.code, answer.message));
      else caller?.resolve(answer.value);
    },
    onExit() {
      for (const caller of pending.values()) caller.reject(new Error("The process has ended."));
    },
  });
  let lastId = 0;
  function send(call: Omit<Call, "id">): Promise<unknown> {
    return new Promise((resolve, reject) => {
      lastId += 1;
      pending.set(lastId, { resolve, reject });
      child.send({ ...call, id: lastId } satisfies Call);
    });
  }
  return {
    open(path, clock) {
      // A proxy has every method that is asked of it.
      function methodsOf<T extends object>(port: "runs" | "queue", target: T): T {
        return new Proxy(target, {
          get:
            (_, method) =>
            (...args: unknown[]) =>
              send({ path, port, method: String(method), args, nowMs: clock.now() }),
        });
      }
      return {
        runs: methodsOf("runs", {} as RunStore),
        queue: methodsOf("queue", {} as Queue),
        close: () => send({ path, port: "store", method: "close", args: [], nowMs: clock.now() }),
      };
    },
    async stop() {
      child.kill();
      await child.exited;
    },
  };
}
