import type { AppError } from "../domain/error.ts";
import type { DatabaseHealth } from "../domain/service.ts";

export type HealthListener = (health: DatabaseHealth) => void;

/** Whether the database works, and who wants to know. */
export interface Health {
  /** Why it does not work; undefined when it does. */
  readonly failure: () => AppError | undefined;
  readonly setFailure: (failure: AppError | undefined) => void;
  readonly state: () => DatabaseHealth;
  readonly onChange: (listener: HealthListener) => () => void;
  readonly close: () => void;
}

/** Listeners are called when the reason changes, not when the same failure is met again. */
export function createHealth(): Health {
  const listeners = new Set<HealthListener>();
  let failure: AppError | undefined;
  return {
    failure: () => failure,
    setFailure(next) {
      const same = failure?.code === next?.code && failure?.message === next?.message;
      failure = next;
      if (same) return;
      for (const listener of listeners) listener(stateOf(next));
    },
    state: () => stateOf(failure),
    onChange(listener) {
      // A wrapper, so that the same function may listen twice.
      const entry: HealthListener = (health) => listener(health);
      listeners.add(entry);
      return () => listeners.delete(entry);
    },
    close: () => listeners.clear(),
  };
}

function stateOf(failure: AppError | undefined): DatabaseHealth {
  if (failure === undefined) return { state: "ok" };
  const { code, message } = failure;
  return { state: "degraded", code, message, fix: failure.fix ?? "Run `agents doctor`." };
}
