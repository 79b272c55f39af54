/**
 * The writes of the worker that holds a claim. Each begins with the fence (`requireClaim`), so a write
 * under an old epoch changes nothing. Each may be repeated after a failure whose outcome is unknown:
 * what is already written is left as it is.
 */
import type { Database } from "bun:sqlite";
import type { RunEvent } from "../domain/event.ts";
import type { Claim, RunStore, RunTurn, StepAttempt, StepCall, WaitingFor } from "../domain/run.ts";
import { type MergeModes, applyPatch } from "../domain/state.ts";
import type { Clock } from "../lib/clock.ts";
import type { JsonObject } from "../lib/json.ts";
import type { Connection } from "./connection.ts";
import { type LogPosition, areLogged, insertEvents } from "./run-event.ts";
import {
  type LiveRun,
  activeMsAt,
  addToMinute,
  countMove,
  endRun,
  requireClaim,
} from "./run-state.ts";
import { countModelCall, durationOf } from "./span-write.ts";
import { defineStatement } from "./statement.ts";
import { addBrokenCalls, addTotals, addToTree } from "./step-totals.ts";
import {
  type StepWriting,
  isWritten,
  notRunning,
  requireAttempt,
  writeStep,
} from "./step-write.ts";

export type RunJournal = Pick<
  RunStore,
  "write" | "recordCall" | "appendEvents" | "failRun" | "cancelRun"
>;

type Change = Parameters<RunStore["write"]>[1];

const PARK = defineStatement<unknown, [number | null, WaitingFor, number, string]>(
  `UPDATE runs SET state = 'waiting', due_at = ?, waiting_for = ?, active_ms = ?, active_at = NULL,
     worker = NULL WHERE id = ?`,
);
const VALUES = defineStatement<{ values: string; doneNodeIds: string }, [string]>(
  'SELECT "values", done_node_ids AS doneNodeIds FROM runs WHERE id = ?',
);
const SET_VALUES = defineStatement<unknown, [string, string, string]>(
  'UPDATE runs SET "values" = ?, done_node_ids = ? WHERE id = ?',
);
const INSERT_CALL = defineStatement<
  unknown,
  [
    ...[string, string, number, number, string, string],
    ...[number, number, number, number, number, number | null],
    ...[number, number, string, string],
  ]
>(
  `INSERT INTO step_calls (run_id, key, attempt, ordinal, kind, name, input_tokens, output_tokens,
     cache_read_tokens, cache_write_tokens, reasoning_tokens, cost_nano_usd, started_at, finished_at,
     request, result)
   VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
);

export function createRunJournal(connection: Connection, clock: Clock): RunJournal {
  /** A write under a claim: the fence first, in the same transaction. */
  function fenced<T>(
    claim: Claim,
    work: (client: Database, run: LiveRun, now: number) => T,
  ): Promise<T> {
    return connection.write(({ client }) => work(client, requireClaim(client, claim), clock.now()));
  }

  const appendOnce = createAppendOnce();

  return {
    write: (claim, change) =>
      appendOnce.during(change.events, () =>
        fenced(claim, (client, run, now) => {
          const writing: StepWriting = { client, claim, run, now, seq: run.seq, patches: [] };
          return write(writing, change, appendOnce.append);
        }),
      ),
    recordCall: (claim, call, events) =>
      fenced(claim, (client, run, now) => recordCall(client, { run, call, events, now })),
    appendEvents: (claim, events) =>
      appendOnce.during(events, () =>
        fenced(claim, (client, run, now) => {
          appendOnce.append(client, { runId: run.id, seq: run.seq, at: now }, events);
        }),
      ),
    async failRun(claim, error, brokenCalls = []) {
      await fenced(claim, (client, run, now) => {
        for (const broken of brokenCalls) addBrokenCalls(client, run.id, broken);
        endRun(client, run, { ending: { state: "failed", error }, at: now });
      });
    },
    async cancelRun(claim, brokenCalls = []) {
      await fenced(claim, (client, run, now) => {
        for (const broken of brokenCalls) addBrokenCalls(client, run.id, broken);
        endRun(client, run, { ending: { state: "cancelled" }, at: now });
      });
    },
  };
}

type Append = typeof insertEvents;

/**
 * Events have nothing by which a repetition could be known, so the place where they went at the first
 * try is remembered until it is known to have worked. Repeating means giving the same list again.
 */
function createAppendOnce() {
  const tried = new WeakMap<readonly RunEvent[], LogPosition>();
  const append: Append = (client, position, events) => {
    const before = tried.get(events);
    if (before !== undefined && areLogged(client, before, events)) return position.seq;
    tried.set(events, position);
    return insertEvents(client, position, events);
  };
  return {
    append,
    async during<T>(events: readonly RunEvent[] | undefined, work: () => Promise<T>): Promise<T> {
      const result = await work();
      if (events !== undefined) tried.delete(events);
      return result;
    },
  };
}

function write(writing: StepWriting, change: Change, append: Append): StepAttempt[] {
  const { client, run, now } = writing;
  const { steps, turn, merges, events = [], brokenCalls = [] } = change;
  const [first] = steps;
  // All of a write was committed or nothing, so its first change speaks for its events.
  if (events.length > 0 && (first === undefined || !isWritten(writing, first))) {
    writing.seq = append(client, { runId: run.id, seq: writing.seq, at: now }, events);
  }
  const begun: StepAttempt[] = [];
  for (const step of steps) {
    const attempt = writeStep(writing, step);
    if (attempt !== undefined) begun.push(attempt);
  }
  if (writing.patches.length > 0) layPatches(writing, merges);
  for (const broken of brokenCalls) addBrokenCalls(client, run.id, broken);
  if (turn !== undefined) takeTurn(client, { run: { ...run, seq: writing.seq }, turn, now });
  return begun;
}

function layPatches({ client, run, patches }: StepWriting, merges: MergeModes): void {
  const row = VALUES(client).get(run.id);
  if (row === null) return;
  let values: JsonObject = JSON.parse(row.values);
  const done = new Set<string>(JSON.parse(row.doneNodeIds));
  for (const { patch, doneNodeId } of patches) {
    values = applyPatch(values, patch, merges);
    if (doneNodeId !== undefined) done.add(doneNodeId);
  }
  SET_VALUES(client).run(JSON.stringify(values), JSON.stringify([...done]), run.id);
}

function takeTurn(client: Database, options: { run: LiveRun; turn: RunTurn; now: number }): void {
  const { run, turn, now } = options;
  if (turn.state !== "waiting") return endRun(client, run, { ending: turn, at: now });
  // Nobody would look at it before its timer.
  if (run.cancelRequestedAt !== null) {
    return endRun(client, run, { ending: { state: "cancelled" }, at: now });
  }
  const dueAt = run.wakeCount === turn.seenWakeCount ? turn.dueAt : now;
  PARK(client).run(dueAt, turn.for, activeMsAt(run, now), run.id);
  countMove(client, run.state, "waiting");
  insertEvents(client, { runId: run.id, seq: run.seq, at: now }, [
    { type: "run.waiting", for: turn.for, untilMs: turn.dueAt },
  ]);
}

function recordCall(
  client: Database,
  options: { run: LiveRun; call: StepCall; events: readonly RunEvent[]; now: number },
): void {
  const { run, call, events, now } = options;
  const { usage } = call;
  const attempt = requireAttempt(client, run.id, call);
  if (attempt.state !== "running") throw notRunning(call, attempt.state);
  const inserted = INSERT_CALL(client).run(
    run.id,
    call.key,
    call.attempt,
    call.ordinal,
    call.kind,
    call.name,
    usage.input,
    usage.output,
    usage.cacheRead,
    usage.cacheWrite,
    usage.reasoning,
    call.costNanoUsd,
    call.startedAt,
    call.finishedAt,
    JSON.stringify(call.request),
    JSON.stringify(call.result),
  );
  // Recorded by an earlier try whose outcome was unknown.
  if (inserted.changes === 0) return;
  const costNanoUsd = call.costNanoUsd ?? 0;
  // A tool has no price, so that none is missing.
  const unpricedCount = call.kind === "model" && call.costNanoUsd === null ? 1 : 0;
  addTotals(client, run.id, { ...call, totals: { usage, costNanoUsd, unpricedCount } });
  const tokens = usage.input + usage.output;
  if (costNanoUsd > 0 || tokens > 0) {
    addToMinute(client, now, { costNanoUsd, tokens });
    addToTree(client, run.rootId, { costNanoUsd, tokenCount: tokens });
  }
  if (call.kind === "model") countModelCall(client, modelCall(run, attempt.nodeId, call), now);
  insertEvents(client, { runId: run.id, seq: run.seq, at: now }, events);
}

function modelCall(run: LiveRun, nodeId: string, call: StepCall) {
  const { usage } = call;
  return {
    workflowId: run.workflowId,
    nodeId,
    model: call.name,
    durationMs: durationOf(call.startedAt, call.finishedAt),
    inputTokens: usage.input,
    outputTokens: usage.output,
    cacheReadTokens: usage.cacheRead,
    costNanoUsd: call.costNanoUsd ?? 0,
  };
}
