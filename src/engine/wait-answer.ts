/** Whether a waiting step may go on, and with what. Pure. */
import { approvalSignal, type Decision, type Signal } from "../domain/run.ts";
import { isJsonObject, type Json } from "../lib/json.ts";
import type { History, OpenStep } from "./history.ts";
import type { WaitAnswer } from "./node/executor.ts";

type WaitState =
  /** The attempt is executed again, with its finished calls. */
  | { readonly kind: "again" }
  | { readonly kind: "answered"; readonly answer: WaitAnswer; readonly signal?: Signal }
  /** `dueAt` null: until something comes from outside. */
  | { readonly kind: "waiting"; readonly dueAt: number | null };

interface WaitFacts {
  readonly history: Pick<History, "signal" | "child">;
  readonly nowMs: number;
}

export function answerTo(step: OpenStep, { history, nowMs }: WaitFacts): WaitState {
  const { key } = step;
  const { wait } = step.attempt;
  // A step that waits for nothing goes on.
  if (wait === null) return { kind: "again" };
  switch (wait.for) {
    case "rate_limit":
      return wait.untilMs <= nowMs ? { kind: "again" } : { kind: "waiting", dueAt: wait.untilMs };
    case "budget":
      // The run has been resumed since then, so the budget may be a higher one.
      return step.isAsRead ? { kind: "again" } : { kind: "waiting", dueAt: null };
    case "timer":
      return wait.untilMs <= nowMs
        ? { kind: "answered", answer: { for: "timer" } }
        : { kind: "waiting", dueAt: wait.untilMs };
    case "run": {
      const run = history.child(wait.runId);
      return run === undefined
        ? { kind: "waiting", dueAt: null }
        : { kind: "answered", answer: { for: "run", run } };
    }
    case "approval": {
      const signal = history.signal(approvalSignal(key));
      if (signal === undefined) return untilLimit(wait.untilMs, nowMs);
      const decision = readDecision(signal.payload);
      return { kind: "answered", answer: { for: "approval", decision, by: signal.by }, signal };
    }
    case "signal":
      break;
  }
  const signal = history.signal(wait.name);
  if (signal === undefined) return untilLimit(wait.untilMs, nowMs);
  return { kind: "answered", answer: { for: "signal", payload: signal.payload }, signal };
}

/** What has come by then counts, also when nobody has looked until after the limit. */
function untilLimit(untilMs: number | null, nowMs: number): WaitState {
  if (untilMs === null || untilMs > nowMs) return { kind: "waiting", dueAt: untilMs };
  return { kind: "answered", answer: { for: "expired" } };
}

/** A signal of that name that somebody sent by hand approves only when it says so. */
function readDecision(payload: Json): Decision {
  const { approved, comment } = isJsonObject(payload) ? payload : {};
  return { approved: approved === true, comment: typeof comment === "string" ? comment : null };
}
