/** What comes to a run from outside: signals and decisions. Nothing that came is lost; each is consumed once. */
import type { Database } from "bun:sqlite";
import { AppError } from "../domain/error.ts";
import type { RunEvent } from "../domain/event.ts";
import {
  type Decision,
  type PendingApproval,
  RUN_STATES_FINAL,
  type RunStore,
  SIGNAL_COUNT_MAX,
  type Signal,
  type Wait,
  approvalSignal,
} from "../domain/run.ts";
import { assertSignalFits } from "../domain/signal-limit.ts";
import type { Clock } from "../lib/clock.ts";
import { type Json, type JsonObject, isJsonObject } from "../lib/json.ts";
import type { Connection } from "./connection.ts";
import { insertEvents } from "./run-event.ts";
import { type LiveRun, requireRun, wake } from "./run-state.ts";
import { defineStatement } from "./statement.ts";

export type RunSignals = Pick<RunStore, "signal" | "decide" | "pendingApprovals">;

type SignalInput = Parameters<RunStore["signal"]>[1];

/** Approvals of one answer, whatever is asked for. */
const APPROVAL_COUNT_MAX = 10_000;
const APPROVAL_PREFIX = approvalSignal("");

const LAST = defineStatement<{ seq: number }, [string]>(
  "SELECT coalesce(max(seq), 0) AS seq FROM signals WHERE run_id = ?",
);
const INSERT = defineStatement<unknown, [string, number, string, number, string | null, string]>(
  "INSERT INTO signals (run_id, seq, name, at, by, payload) VALUES (?, ?, ?, ?, ?, ?)",
);
const CONSUME = defineStatement<unknown, [string, string, number]>(
  `UPDATE signals SET consumed_by = ? WHERE run_id = ? AND seq = ? AND consumed_by IS NULL`,
);
const CONSUME_BY_NAME = defineStatement<unknown, [string, string, string]>(
  "UPDATE signals SET consumed_by = ? WHERE run_id = ? AND name = ? AND consumed_by IS NULL",
);
const LATEST = defineStatement<
  { payload: string; by: string | null; consumedBy: string | null },
  [string, string]
>(
  `SELECT payload, by, consumed_by AS consumedBy FROM signals WHERE run_id = ? AND name = ?
   ORDER BY consumed_by IS NULL DESC, seq DESC LIMIT 1`,
);
const WAITING = defineStatement<{ wait: string }, [string, string]>(
  "SELECT wait FROM steps WHERE run_id = ? AND key = ? AND state = 'waiting'",
);
const ANSWERED = defineStatement<unknown, [string, string]>(
  "UPDATE steps SET asked_at = NULL WHERE run_id = ? AND key = ? AND asked_at IS NOT NULL",
);
const PENDING_COLUMNS = `SELECT steps.run_id AS runId, runs.workflow_name AS workflowName, steps.key,
  steps.node_id AS nodeId, steps.asked_at AS askedAt, steps.wait
  FROM steps JOIN runs ON runs.id = steps.run_id`;
const PENDING = defineStatement<PendingRow, [number]>(
  `${PENDING_COLUMNS} WHERE asked_at IS NOT NULL
   ORDER BY steps.asked_at, steps.run_id, steps.key LIMIT ?`,
);
const PENDING_OF_RUN = defineStatement<PendingRow, [string, number]>(
  `${PENDING_COLUMNS} WHERE steps.run_id = ? AND asked_at IS NOT NULL
   ORDER BY steps.asked_at, steps.key LIMIT ?`,
);

interface PendingRow {
  runId: string;
  workflowName: string;
  key: string;
  nodeId: string;
  askedAt: number;
  wait: string;
}

export function createRunSignals(connection: Connection, clock: Clock): RunSignals {
  return {
    signal: (runId, signal) =>
      connection.write(({ client }) => {
        const run = requireRun(client, runId);
        if (RUN_STATES_FINAL.includes(run.state)) {
          throw new AppError(
            "conflict",
            `Run ${runId} is over (${run.state}) and takes no signals.`,
            {
              fix: "Send it to a run that is not over.",
            },
          );
        }
        const { name, by } = signal;
        return receive(client, {
          run,
          signal,
          now: clock.now(),
          event: { type: "signal.received", name, by },
        });
      }),
    decide: (runId, key, decision) =>
      connection.write(({ client }) => decide(client, { runId, key, decision, now: clock.now() })),
    pendingApprovals: ({ runId, limit }) =>
      connection.read(({ client }) => {
        const count = Math.max(0, Math.min(limit, APPROVAL_COUNT_MAX));
        const rows =
          runId === undefined
            ? PENDING(client).all(count)
            : PENDING_OF_RUN(client).all(runId, count);
        return rows.map(toPendingApproval);
      }),
  };
}

/** True when a signal of that name is there that nothing has consumed. */
export function isSignalled(client: Database, runId: string, name: string): boolean {
  return LATEST(client).get(runId, name)?.consumedBy === null;
}

/** @throws AppError `conflict` when something has consumed it before. */
export function consumeSignal(
  client: Database,
  { runId, seq, key }: { runId: string; seq: number; key: string },
): void {
  if (CONSUME(client).run(key, runId, seq).changes === 1) return;
  throw new AppError("conflict", `Signal ${seq} of run ${runId} has been consumed, or never came.`);
}

/** Decisions of this step that nothing has consumed do not count any more. */
export function dropDecisions(client: Database, runId: string, key: string): void {
  CONSUME_BY_NAME(client).run(key, runId, approvalSignal(key));
}

function receive(
  client: Database,
  options: { run: LiveRun; signal: SignalInput; event: RunEvent; now: number },
): Signal {
  const { run, signal, event, now } = options;
  const { name, payload, by } = signal;
  const seq = (LAST(client).get(run.id)?.seq ?? 0) + 1;
  assertSignalFits(signal);
  if (seq > SIGNAL_COUNT_MAX) {
    throw new AppError("limit_reached", `Run ${run.id} has had ${SIGNAL_COUNT_MAX} signals.`, {
      fix: "Start another run.",
    });
  }
  INSERT(client).run(run.id, seq, name, now, by, JSON.stringify(payload));
  if (name.startsWith(APPROVAL_PREFIX)) {
    ANSWERED(client).run(run.id, name.slice(APPROVAL_PREFIX.length));
  }
  insertEvents(client, { runId: run.id, seq: run.seq, at: now }, [event]);
  wake(client, run.id, now);
  return { seq, name, payload, at: now, by, consumedBy: null };
}

function decide(
  client: Database,
  options: {
    runId: string;
    key: string;
    decision: Parameters<RunStore["decide"]>[2];
    now: number;
  },
): Signal {
  const { runId, key, decision, now } = options;
  const { approved, comment, by } = decision;
  const run = requireRun(client, runId);
  const name = approvalSignal(key);
  const before = LATEST(client).get(runId, name);
  const waiting = WAITING(client).get(runId, key);
  const wait: Wait | undefined = waiting === null ? undefined : JSON.parse(waiting.wait);
  if (wait?.for !== "approval" || before?.consumedBy === null) {
    throw before === null ? notAsked(runId, key) : decided(key, before);
  }
  return receive(client, {
    run,
    now,
    signal: { name, payload: { approved, comment }, by },
    event: { type: "approval.decided", step: key, approved, comment, by },
  });
}

function notAsked(runId: string, key: string): AppError {
  return new AppError("not_found", `Step ${key} of run ${runId} waits for no approval.`, {
    fix: "Look at the run: it may have ended, or gone on without one.",
  });
}

function decided(key: string, signal: { payload: string; by: string | null }): AppError {
  const payload: Json = JSON.parse(signal.payload);
  const { approved, comment } = toDecision(payload);
  const what = approved ? "approved" : "rejected";
  const by = signal.by === null ? "" : ` by ${signal.by}`;
  const why = comment === null || comment === "" ? "" : `: ${comment}`;
  return new AppError("conflict", `Step ${key} has already been ${what}${by}${why}.`, {
    fix: "Do nothing: the first decision counts.",
  });
}

/** A signal by hand may have any payload under that name. */
function toDecision(payload: Json): Decision {
  const { approved, comment }: JsonObject = isJsonObject(payload) ? payload : {};
  return {
    approved: approved === true,
    comment: typeof comment === "string" ? comment : null,
  };
}

function toPendingApproval(row: PendingRow): PendingApproval {
  const { wait: json, ...rest } = row;
  const wait: Wait = JSON.parse(json);
  const isApproval = wait.for === "approval";
  return {
    ...rest,
    message: isApproval ? wait.message : "",
    untilMs: isApproval ? wait.untilMs : null,
  };
}
