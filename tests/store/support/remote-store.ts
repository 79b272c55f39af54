/**
 * The same ports, served by another process with its own store on the same file. Calls carry the time,
 * so both processes live by one manual clock.
 */
import type { Queue, RunStore } from "../../../src/domain/run.ts";
import { AppError, type ErrorCode } from "../../../src/domain/error.ts";
import type { Clock } from "../../../src/lib/clock.ts";

export interface Call {
  readonly id: number;
  readonly port: "runs" | "queue";
  readonly method: string;
  readonly args: readonly unknown[];
  readonly nowMs: number;
}

export type Answer =
  | { readonly id: number; readonly value: unknown }
  | { readonly id: number; readonly code: ErrorCode; readonly message: string };

export interface RemoteStore extends AsyncDisposable {
  readonly runs: RunStore;
  readonly queue: Queue;
}

export function startRemoteStore(path: string, clock: Clock): RemoteStore {
  const pending = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>();
  const child = Bun.spawn([process.execPath, `${import.meta.dir}/remote-store-process.ts`, path], {
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
  function send(port: Call["port"], method: string, args: readonly unknown[]): Promise<unknown> {
    return new Promise((resolve, reject) => {
      lastId += 1;
      pending.set(lastId, { resolve, reject });
      const call: Call = { id: lastId, port, method, args, nowMs: clock.now() };
      child.send(call);
    });
  }
  // A proxy has every method that is asked of it.
  function methodsOf<T extends object>(port: Call["port"], target: T): T {
    return new Proxy(target, {
      get:
        (_, method) =>
        (...args: unknown[]) =>
          send(port, String(method), args),
    });
  }
  return {
    runs: methodsOf("runs", {} as RunStore),
    queue: methodsOf("queue", {} as Queue),
    async [Symbol.asyncDispose]() {
      child.kill();
      await child.exited;
    },
  };
}
