/**
 * RunStore and Queue in memory: a second implementation of the ports, held by the same conformance suites
 * as the one on SQLite. Quick enough for thousands of runs on a fake clock.
 */
import { AppError } from "../../src/domain/error.ts";
import { isItemKey, type RunEvent, type StoredEvent } from "../../src/domain/event.ts";
import {
  approvalSignal,
  type BrokenCalls,
  type ChangeSignal,
  type Claim,
  LEASE_MS,
  type NewRun,
  type Queue,
  type Run,
  RUN_DEPTH_MAX,
  RUN_STATES,
  RUN_STATES_FINAL,
  type RunOrigin,
  type RunState,
  type RunStore,
  type Signal,
  SIGNAL_COUNT_MAX,
  type StepAttempt,
  type StepCall,
  type StepWrite,
  type Totals,
} from "../../src/domain/run.ts";
import { pageOf } from "../store/support/plain-page.ts";
import { assertSignalFits } from "../../src/domain/signal-limit.ts";
import { applyPatch } from "../../src/domain/state.ts";
import type { WorkflowStore } from "../../src/domain/workflow.ts";
import type { Clock } from "../../src/lib/clock.ts";
import { isJsonObject, type JsonObject } from "../../src/lib/json.ts";

const MINUTE_MS = 60_000;
const NO_USAGE = { input: 0, output: 0, cacheRead: 0, cacheWrite: 0, reasoning: 0 };

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };

/** A run and what belongs to it. Changed only inside of a transaction, through `edit` and the lists' own methods. */
interface Row {
  readonly run: Omit<Run, "dueAt" | "wakeCount">;
  readonly wakeCount: number;
  /** Also of a running run: when its lease is over. */
  readonly dueAt: number | null;
  readonly epoch: number;
  readonly activeAt: number | null;
  readonly reservedFor: string | null;
}

interface Entry {
  row: Row;
  readonly events: StoredEvent[];
  /** By `key/attempt`. */
  readonly steps: Map<string, Step>;
  /** The newest attempt of each step. */
  readonly newest: Map<string, number>;
  readonly calls: Map<string, StepCall>;
  readonly signals: Signal[];
}

interface Step {
  readonly attempt: StepAttempt;
  /** Of the claim that began it or took it up. */
  readonly epoch: number;
  readonly askedAt: number | null;
}

interface MinuteSums {
  created: number;
  succeeded: number;
  failed: number;
  costNanoUsd: number;
  tokens: number;
}

export interface MemoryStore {
  readonly runs: RunStore;
  readonly queue: Queue;
  readonly workflows: Pick<WorkflowStore, "save">;
  readonly changes: ChangeSignal;
}

export function createMemoryStore(clock: Clock): MemoryStore {
  const db = createTables(clock);
  return {
    runs: createRuns(db),
    queue: createQueue(db),
    workflows: createWorkflows(db),
    changes: { onChange: db.onChange },
  };
}

function createTables(clock: Clock) {
  const entries = new Map<string, Entry>();
  const versions = new Set<string>();
  const minutes = new Map<number, MinuteSums>();
  const listeners = new Set<() => void>();
  let undo: (() => void)[] = [];

  const db = {
    clock,
    entries,
    versions,
    minutes,
    onChange: (listener: () => void) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    /** All of it or nothing. */
    async write<T>(work: () => T): Promise<T> {
      undo = [];
      try {
        const result = work();
        for (const listener of listeners) listener();
        return result;
      } catch (error) {
        for (const step of undo.toReversed()) step();
        throw error;
      }
    },
    onUndo: (step: () => void) => undo.push(step),
    set<Key, Value>(map: Map<Key, Value>, key: Key, value: Value) {
      const had = map.has(key);
      const before = map.get(key) as Value;
      undo.push(() => (had ? map.set(key, before) : map.delete(key)));
      map.set(key, value);
    },
    edit(entry: Entry, change: Partial<Row>, run: Partial<Run> = {}) {
      const before = entry.row;
      undo.push(() => (entry.row = before));
      entry.row = { ...before, ...change, run: { ...before.run, ...run } };
    },
    log(entry: Entry, events: readonly RunEvent[]) {
      const { length } = entry.events;
      undo.push(() => entry.events.splice(length));
      for (const event of events)
        entry.events.push({
          runId: entry.row.run.id,
          seq: entry.events.length + 1,
          at: clock.now(),
          event,
        });
    },
    addToMinute(sums: Partial<MinuteSums>) {
      const at = Math.floor(clock.now() / MINUTE_MS) * MINUTE_MS;
      const none = { created: 0, succeeded: 0, failed: 0, costNanoUsd: 0, tokens: 0 };
      const next = { ...(minutes.get(at) ?? none) };
      for (const [name, value] of Object.entries(sums)) next[name as keyof MinuteSums] += value;
      db.set(minutes, at, next);
    },
    find(id: string): Entry {
      const entry = entries.get(id);
      if (entry === undefined) throw new AppError("not_found", `There is no run ${id}.`);
      return entry;
    },
    /** The run that the claim holds. */
    claimed(claim: Claim): Entry | undefined {
      const entry = entries.get(claim.runId);
      if (entry === undefined) return undefined;
      const { run, epoch } = entry.row;
      const isHeld = run.state === "running" && run.worker === claim.worker;
      return isHeld && epoch === claim.epoch ? entry : undefined;
    },
    fenced(claim: Claim): Entry {
      const entry = db.claimed(claim);
      if (entry !== undefined) return entry;
      throw new AppError("lease_lost", `Worker ${claim.worker} no longer holds ${claim.runId}.`);
    },
    activeMs({ row: { run, activeAt } }: Entry): number {
      const since = activeAt === null ? 0 : clock.now() - activeAt;
      return run.activeMs + Math.max(0, Math.min(LEASE_MS, since));
    },
    children: (id: string): Entry[] =>
      [...entries.values()].filter(
        ({ row: { run } }) => run.origin?.kind === "child" && run.origin.runId === id,
      ),
    wake(entry: Entry) {
      const { run, dueAt, wakeCount } = entry.row;
      if (RUN_STATES_FINAL.includes(run.state)) return;
      const now = clock.now();
      const soon = run.state === "waiting" ? { dueAt: Math.min(dueAt ?? now, now) } : {};
      db.edit(entry, { wakeCount: wakeCount + 1, ...soon });
    },
    end(entry: Entry, event: RunEvent, ending: Pick<Run, "state"> & Partial<Run>) {
      const at = clock.now();
      const { run } = entry.row;
      db.log(entry, [event]);
      for (const [id, step] of entry.steps) {
        const { attempt } = step;
        if (attempt.state !== "running" && attempt.state !== "waiting") continue;
        const stopped = { state: "cancelled", wait: null, finishedAt: at } as const;
        const endedSeq = entry.events.length;
        db.set(entry.steps, id, {
          ...step,
          askedAt: null,
          attempt: { ...attempt, ...stopped, endedSeq },
        });
      }
      const cancelRequestedAt = run.cancelRequestedAt ?? (ending.state === "cancelled" ? at : null);
      db.edit(
        entry,
        { dueAt: null, activeAt: null, reservedFor: null },
        {
          ...ending,
          cancelRequestedAt,
          finishedAt: at,
          activeMs: db.activeMs(entry),
          worker: null,
          waitingFor: null,
        },
      );
      if (ending.state !== "cancelled") db.addToMinute({ [ending.state]: 1 });
      const parent = run.origin?.kind === "child" ? entries.get(run.origin.runId) : undefined;
      if (parent !== undefined) db.wake(parent);
      for (const child of db.children(run.id)) db.requestCancel(child);
    },
    requestCancel(entry: Entry) {
      const { run, dueAt } = entry.row;
      if (RUN_STATES_FINAL.includes(run.state)) return;
      const isHeld = run.state === "running" && dueAt !== null && dueAt > clock.now();
      if (!isHeld) return db.end(entry, { type: "run.cancelled" }, { state: "cancelled" });
      if (run.cancelRequestedAt !== null) return;
      db.edit(entry, {}, { cancelRequestedAt: clock.now() });
      db.log(entry, [{ type: "run.cancelling" }]);
      for (const child of db.children(run.id)) db.requestCancel(child);
    },
  };
  return db;
}

type Tables = ReturnType<typeof createTables>;

function createWorkflows({ versions, clock }: Tables): MemoryStore["workflows"] {
  return {
    save: async ({ name, description, source, format }) => {
      const id = `workflow-${name}`;
      const hash = new Bun.CryptoHasher("sha256").update(source).digest("hex");
      versions.add(`${id}/${hash}`);
      const createdAt = clock.now();
      const version = { hash, workflowId: id, number: 1, source, format, createdAt };
      return { id, name, description, createdAt, updatedAt: createdAt, version };
    },
  };
}

function toRun({ row: { run, dueAt, wakeCount } }: Entry): Run {
  return { ...run, wakeCount, dueAt: run.state === "waiting" ? dueAt : null };
}

function descending(left: Run, right: Run): number {
  return left.id < right.id ? 1 : -1;
}

function removeRun(db: Tables, id: string): void {
  const { row } = db.find(id);
  const root = db.entries.get(row.run.rootId);
  const tree = [db.find(id)];
  for (const one of tree) tree.push(...db.children(one.row.run.id));
  for (const {
    row: { run },
  } of root === undefined ? tree : [...tree, root]) {
    if (RUN_STATES_FINAL.includes(run.state)) continue;
    throw new AppError("conflict", `Run ${run.id} has not ended.`);
  }
  for (const one of tree) {
    const { id: gone } = one.row.run;
    db.onUndo(() => db.entries.set(gone, one));
    db.entries.delete(gone);
  }
}

function createRuns(db: Tables): RunStore {
  const { entries } = db;
  const all = () => Array.from(entries.values(), toRun);
  return {
    ...createReads(db),
    ...createJournal(db),
    ...createOutside(db),
    create: (run, values) => db.write(() => ({ created: insertRun(db, run, values) })),
    get: async (id) => {
      const entry = entries.get(id);
      return entry === undefined ? undefined : toRun(entry);
    },
    find: async (part) => {
      if (part === "") return undefined;
      const exact = entries.get(part);
      if (exact !== undefined) return toRun(exact);
      const found = all().filter(({ id }) => id.startsWith(part) || id.endsWith(part));
      return found.length === 1 ? found[0] : undefined;
    },
    list: async (filter) => [...pageOf(all(), filter).runs],
    page: async (filter) => pageOf(all(), filter),
    remove: (id) => db.write(() => removeRun(db, id)),
    findEndedBeyond: async (count) =>
      all()
        .filter(({ depth, finishedAt }) => depth === 0 && finishedAt !== null)
        .toSorted(descending)[count]?.id,
    removeEnded: (range, limit) =>
      db.write(() => {
        const old = all().filter(
          ({ id, depth, finishedAt }) =>
            depth === 0 &&
            finishedAt !== null &&
            ("untilMs" in range ? finishedAt < range.untilMs : id <= range.upToId),
        );
        const gone = old.toSorted((a, b) => descending(b, a)).slice(0, limit);
        for (const { id } of gone) removeRun(db, id);
        return gone.length;
      }),
    requestCancel: (id) =>
      db.write(() => {
        const entry = db.find(id);
        db.requestCancel(entry);
        return toRun(entry);
      }),
    treeSpending: async (rootId) => {
      db.find(rootId);
      const spending = { costNanoUsd: 0, tokenCount: 0 };
      for (const entry of entries.values()) {
        if (entry.row.run.rootId !== rootId) continue;
        for (const { usage, costNanoUsd } of entry.calls.values()) {
          spending.costNanoUsd += costNanoUsd ?? 0;
          spending.tokenCount += usage.input + usage.output;
        }
      }
      return spending;
    },
    descendants: async (id, limit) =>
      all()
        .filter(({ origin }) => origin?.runId === id)
        .toSorted((left, right) => descending(right, left))
        .slice(0, limit),
  };
}

function createReads(
  db: Tables,
): Pick<RunStore, "counts" | "stats" | "journal" | "events" | "recentEvents"> {
  const { entries, minutes } = db;
  return {
    counts: async () => {
      const counts = Object.fromEntries(RUN_STATES.map((state) => [state, 0]));
      for (const { row } of entries.values())
        counts[row.run.state] = (counts[row.run.state] ?? 0) + 1;
      return counts as Record<RunState, number>;
    },
    stats: async (range) => {
      const wantedMs = (range.untilMs - range.sinceMs) / range.bucketCount;
      const bucketMs = Math.max(1, Math.ceil(wantedMs / MINUTE_MS)) * MINUTE_MS;
      const untilMs = Math.ceil(range.untilMs / MINUTE_MS) * MINUTE_MS;
      const sinceMs = untilMs - bucketMs * range.bucketCount;
      const none = { created: 0, succeeded: 0, failed: 0, costNanoUsd: 0, tokens: 0 };
      const buckets = Array.from({ length: range.bucketCount }, () => ({ ...none }));
      for (const [at, sums] of minutes) {
        const bucket = buckets[Math.floor((at - sinceMs) / bucketMs)];
        if (bucket === undefined) continue;
        for (const name of Object.keys(none) as (keyof MinuteSums)[]) bucket[name] += sums[name];
      }
      return { sinceMs, bucketMs, buckets };
    },
    journal: async (runId) => {
      const entry = entries.get(runId);
      if (entry === undefined) return { steps: [], calls: [], signals: [] };
      const steps = Array.from(entry.steps.values(), ({ attempt }) => attempt);
      return {
        steps: steps.toSorted((left, right) => left.startedSeq - right.startedSeq),
        calls: [...entry.calls.values()],
        signals: [...entry.signals],
      };
    },
    events: async (runId, after, limit) =>
      entries.get(runId)?.events.slice(after, after + limit) ?? [],
    recentEvents: async (limit) =>
      [...entries.values()]
        .flatMap(({ events }) => events)
        .filter(({ event }) => event.type !== "model.delta" && event.type !== "output.delta")
        .toSorted((left, right) => left.at - right.at)
        .slice(-limit),
  };
}

function insertRun(db: Tables, run: NewRun, values: JsonObject): boolean {
  const { entries, versions, clock } = db;
  if (entries.has(run.id)) return false;
  const { id, workflowId, versionHash, origin, steps = [], reservedFor } = run;
  const place = { depth: 0, rootId: id };
  if (origin?.kind === "child") {
    const parent = db.find(origin.runId).row.run;
    if (RUN_STATES_FINAL.includes(parent.state) || parent.cancelRequestedAt !== null)
      throw new AppError("conflict", `Run ${parent.id} is over and starts no more runs.`);
    if (parent.depth >= RUN_DEPTH_MAX)
      throw new AppError("limit_reached", `Runs are inside of each other ${RUN_DEPTH_MAX} deep.`);
    Object.assign(place, { depth: parent.depth + 1, rootId: parent.rootId });
  }
  if (!versions.has(`${workflowId}/${versionHash}`))
    throw new AppError("not_found", `There is no version ${versionHash} of ${workflowId}.`);
  const now = clock.now();
  const done = steps.filter(({ key, state }) => state === "succeeded" && !isItemKey(key));
  const doneNodeIds = done
    .toSorted((left, right) => (left.endedSeq ?? 0) - (right.endedSeq ?? 0))
    .map(({ nodeId }) => nodeId);
  const { workflowName, nodeIds, inputs, overrides, source } = run;
  const entry: Entry = {
    row: {
      run: {
        id,
        workflowId,
        workflowName,
        versionHash,
        nodeIds,
        inputs,
        overrides,
        source,
        state: "queued",
        waitingFor: null,
        origin: origin ?? null,
        ...place,
        values,
        error: null,
        cancelRequestedAt: null,
        createdAt: now,
        startedAt: null,
        finishedAt: null,
        activeMs: 0,
        doneNodeIds: [...new Set(doneNodeIds)],
        worker: null,
        usage: NO_USAGE,
        costNanoUsd: 0,
        unpricedCount: 0,
      },
      wakeCount: 0,
      dueAt: reservedFor === undefined ? now : now + LEASE_MS,
      epoch: 0,
      activeAt: null,
      reservedFor: reservedFor ?? null,
    },
    events: [],
    steps: new Map(),
    newest: new Map(),
    calls: new Map(),
    signals: [],
  };
  db.set(entries, id, entry);
  db.log(entry, [{ type: "run.queued" }]);
  if (origin?.kind === "fork") logForked(db, entry, { ...run, origin });
  insertForked(db, entry, steps);
  db.addToMinute({ created: 1 });
  return true;
}

function logForked(
  db: Tables,
  entry: Entry,
  { origin, steps = [], set = {} }: NewRun & { readonly origin: RunOrigin },
): void {
  const momentCount = steps.reduce((sum, { state }) => sum + (state === "skipped" ? 1 : 2), 0);
  const afterSeq = entry.events.length + 1 + momentCount;
  const changed = Object.keys(set).length > 0 ? { set: { values: set, afterSeq } } : {};
  const { runId: from, step: fromStep = "" } = origin;
  db.log(entry, [{ type: "run.forked", from, fromStep, ...changed }]);
}

function insertForked(db: Tables, entry: Entry, steps: NonNullable<NewRun["steps"]>): void {
  const moments = steps
    .flatMap((step) =>
      step.state === "skipped"
        ? [{ step, seq: step.startedSeq }]
        : [
            { step, seq: step.startedSeq },
            { step, seq: step.endedSeq ?? step.startedSeq },
          ],
    )
    .toSorted((left, right) => left.seq - right.seq);
  const now = db.clock.now();
  for (const { step } of moments) {
    const { key, nodeId, state, input, patch, error, next } = step;
    const ref = { step: key, attempt: 1 };
    const begun = entry.steps.get(`${key}/1`)?.attempt;
    const startedSeq = begun?.startedSeq ?? entry.events.length + 1;
    const attempt: StepAttempt = {
      key,
      nodeId,
      attempt: 1,
      state,
      input,
      patch,
      error,
      next,
      retryAt: null,
      wait: null,
      startedSeq,
      endedSeq: entry.events.length + 1,
      recoveryCount: 0,
      startedAt: now,
      finishedAt: now,
      usage: NO_USAGE,
      costNanoUsd: 0,
      unpricedCount: 0,
    };
    putStep(db, entry, { attempt, epoch: 0, askedAt: null });
    if (state === "skipped") db.log(entry, [{ type: "step.skipped", step: key, node: nodeId }]);
    else if (begun === undefined) db.log(entry, [{ type: "step.started", node: nodeId, ...ref }]);
    else if (error === null)
      db.log(entry, [{ type: "step.succeeded", ...ref, patch: patch ?? {}, next: next ?? [] }]);
    else db.log(entry, [{ type: "step.failed", ...ref, error, next: next ?? [] }]);
  }
}

function putStep(db: Tables, entry: Entry, step: Step): void {
  const { key, attempt } = step.attempt;
  db.set(entry.steps, `${key}/${attempt}`, step);
  if ((entry.newest.get(key) ?? 0) < attempt) db.set(entry.newest, key, attempt);
}

function addTotals(db: Tables, entry: Entry, { key, attempt, totals }: AddedTotals): void {
  const add = (before: Totals): Totals => ({
    usage: {
      input: before.usage.input + totals.usage.input,
      output: before.usage.output + totals.usage.output,
      cacheRead: before.usage.cacheRead + totals.usage.cacheRead,
      cacheWrite: before.usage.cacheWrite + totals.usage.cacheWrite,
      reasoning: before.usage.reasoning + totals.usage.reasoning,
    },
    costNanoUsd: before.costNanoUsd + totals.costNanoUsd,
    unpricedCount: before.unpricedCount + totals.unpricedCount,
  });
  const step = requireStep(entry, key, attempt);
  putStep(db, entry, { ...step, attempt: { ...step.attempt, ...add(step.attempt) } });
  db.edit(entry, {}, add(entry.row.run));
}

interface AddedTotals {
  readonly key: string;
  readonly attempt: number;
  readonly totals: Totals;
}

function requireStep(entry: Entry, key: string, attempt: number): Step {
  const step = entry.steps.get(`${key}/${attempt}`);
  if (step !== undefined) return step;
  throw new AppError("not_found", `Attempt ${attempt} of step ${key} was never begun.`);
}

function notRunning({ key, attempt, state }: StepAttempt): AppError {
  return new AppError("conflict", `Attempt ${attempt} of step ${key} is ${state}.`);
}

function createJournal(
  db: Tables,
): Pick<RunStore, "write" | "recordCall" | "appendEvents" | "failRun" | "cancelRun"> {
  return {
    write: (claim, { steps, turn, merges, events = [], brokenCalls = [] }) =>
      db.write(() => {
        const entry = db.fenced(claim);
        const [first] = steps;
        if (first === undefined || !isWritten(entry, claim, first)) db.log(entry, events);
        const begun: StepAttempt[] = [];
        for (const step of steps) {
          const attempt = writeStep(db, { entry, claim, merges }, step);
          if (attempt !== undefined) begun.push(attempt);
        }
        for (const broken of brokenCalls) addBrokenCalls(db, entry, broken);
        if (turn?.state === "succeeded")
          db.end(entry, { type: "run.succeeded", outputs: turn.outputs }, { state: "succeeded" });
        else if (turn?.state === "failed") endFailed(db, entry, turn.error);
        else if (turn !== undefined) park(db, entry, turn);
        return begun;
      }),
    recordCall: (claim, call, events) =>
      db.write(() => {
        const entry = db.fenced(claim);
        const { key, attempt, ordinal, usage } = call;
        const step = requireStep(entry, key, attempt);
        if (step.attempt.state !== "running") throw notRunning(step.attempt);
        const id = `${key}/${attempt}/${ordinal}`;
        if (entry.calls.has(id)) return;
        db.set(entry.calls, id, call);
        const costNanoUsd = call.costNanoUsd ?? 0;
        const unpricedCount = call.kind === "model" && call.costNanoUsd === null ? 1 : 0;
        addTotals(db, entry, { key, attempt, totals: { usage, costNanoUsd, unpricedCount } });
        db.addToMinute({ costNanoUsd, tokens: usage.input + usage.output });
        db.log(entry, events);
      }),
    appendEvents: (claim, events) => db.write(() => db.log(db.fenced(claim), events)),
    failRun: (claim, error, brokenCalls = []) =>
      db.write(() => {
        const entry = db.fenced(claim);
        for (const broken of brokenCalls) addBrokenCalls(db, entry, broken);
        endFailed(db, entry, error);
      }),
    cancelRun: (claim, brokenCalls = []) =>
      db.write(() => {
        const entry = db.fenced(claim);
        for (const broken of brokenCalls) addBrokenCalls(db, entry, broken);
        db.end(entry, { type: "run.cancelled" }, { state: "cancelled" });
      }),
  };
}

function addBrokenCalls(db: Tables, entry: Entry, { key, attempt, count }: BrokenCalls): void {
  if (count === 0) return;
  const totals = { usage: NO_USAGE, costNanoUsd: 0, unpricedCount: count };
  addTotals(db, entry, { key, attempt, totals });
}

function endFailed(db: Tables, entry: Entry, error: NonNullable<Run["error"]>): void {
  db.end(entry, { type: "run.failed", error }, { state: "failed", error });
}

type WaitingTurn = Extract<
  NonNullable<Parameters<RunStore["write"]>[1]["turn"]>,
  { state: "waiting" }
>;

function park(db: Tables, entry: Entry, turn: WaitingTurn): void {
  const { run, wakeCount } = entry.row;
  if (run.cancelRequestedAt !== null)
    return db.end(entry, { type: "run.cancelled" }, { state: "cancelled" });
  const dueAt = wakeCount === turn.seenWakeCount ? turn.dueAt : db.clock.now();
  const activeMs = db.activeMs(entry);
  const waiting = { state: "waiting", waitingFor: turn.for, worker: null, activeMs } as const;
  db.edit(entry, { dueAt, activeAt: null }, waiting);
  db.log(entry, [{ type: "run.waiting", for: turn.for, untilMs: turn.dueAt }]);
}

interface Writing {
  readonly entry: Entry;
  readonly claim: Claim;
  readonly merges: Parameters<RunStore["write"]>[1]["merges"];
}

/** An earlier try has written it. */
function isWritten(entry: Entry, claim: Claim, step: StepWrite): boolean {
  if (step.type === "skip") {
    const newest = entry.newest.get(step.key);
    return entry.steps.get(`${step.key}/${newest}`)?.attempt.state === "skipped";
  }
  const written = entry.steps.get(`${step.key}/${step.attempt}`);
  const state = written?.attempt.state;
  if (step.type === "start") return state === "running" && written?.epoch === claim.epoch;
  if (step.type === "wait")
    return state === "waiting" && Bun.deepEquals(written?.attempt.wait, step.wait);
  return state === (step.type === "succeed" ? "succeeded" : "failed");
}

function writeStep(db: Tables, writing: Writing, write: StepWrite): StepAttempt | undefined {
  const { entry, claim } = writing;
  if (write.type === "start") return startStep(db, writing, write);
  if (isWritten(entry, claim, write)) return undefined;
  if (write.type === "skip") {
    skipStep(db, writing, write);
    return undefined;
  }
  const { key, attempt } = write;
  const step = requireStep(entry, key, attempt);
  if (step.attempt.state !== "running" && step.attempt.state !== "waiting")
    throw notRunning(step.attempt);
  const put = (change: Partial<StepAttempt>, askedAt: number | null = null) =>
    putStep(db, entry, { ...step, askedAt, attempt: { ...step.attempt, wait: null, ...change } });
  if (write.type === "wait") {
    const isSignalled = entry.signals.some(
      ({ name, consumedBy }) => name === approvalSignal(key) && consumedBy === null,
    );
    const asks = write.wait.for === "approval" && !isSignalled;
    put({ state: "waiting", wait: write.wait }, asks ? db.clock.now() : null);
    spend(db, entry, write);
    db.log(entry, [{ type: "step.waiting", step: key, attempt, wait: write.wait }]);
    return undefined;
  }
  const ended = { endedSeq: entry.events.length + 1, finishedAt: db.clock.now() };
  const { next, patch } = write;
  if (write.type === "succeed") {
    put({ ...ended, state: "succeeded", patch: write.patch, next });
    db.log(entry, [
      { type: "step.succeeded", step: key, attempt, patch: write.patch, next: write.next },
    ]);
  } else {
    const { error, retryAt } = write;
    put({ ...ended, state: "failed", patch: patch ?? null, next, error, retryAt });
    db.log(entry, [
      {
        type: "step.failed",
        step: key,
        attempt,
        error,
        ...(retryAt === null ? {} : { retryAtMs: retryAt }),
        ...(next === null ? {} : { next }),
      },
    ]);
  }
  spend(db, entry, write);
  if (!isItemKey(key)) lay(db, writing, { write, nodeId: step.attempt.nodeId });
  return undefined;
}

function lay(
  db: Tables,
  { entry, merges }: Writing,
  { write, nodeId }: { write: Extract<StepWrite, { next: unknown; key: string }>; nodeId: string },
): void {
  if (write.type === "skip") return;
  const { run } = entry.row;
  const values =
    write.patch === undefined ? run.values : applyPatch(run.values, write.patch, merges);
  const doneNodeIds =
    write.type === "succeed" ? [...new Set([...run.doneNodeIds, nodeId])] : run.doneNodeIds;
  db.edit(entry, {}, { values, doneNodeIds });
}

function startStep(
  db: Tables,
  { entry, claim }: Writing,
  write: Extract<StepWrite, { type: "start" }>,
): StepAttempt {
  const { key, nodeId, attempt, input, itemCount } = write;
  const known = entry.steps.get(`${key}/${attempt}`);
  if (known !== undefined && isWritten(entry, claim, write)) return known.attempt;
  const state = known?.attempt.state;
  if (known !== undefined && state !== "running" && state !== "waiting")
    throw notRunning(known.attempt);
  const fresh: StepAttempt = {
    key,
    nodeId,
    attempt,
    state: "running",
    input,
    patch: null,
    error: null,
    retryAt: null,
    wait: null,
    next: null,
    startedSeq: entry.events.length + 1,
    endedSeq: null,
    recoveryCount: 0,
    startedAt: db.clock.now(),
    finishedAt: null,
    usage: NO_USAGE,
    costNanoUsd: 0,
    unpricedCount: 0,
  };
  const begun = known?.attempt ?? fresh;
  const isCrashed = claim.recovered && state === "running";
  const recoveryCount = begun.recoveryCount + (isCrashed ? 1 : 0);
  const taken: StepAttempt = { ...begun, state: "running", wait: null, recoveryCount };
  putStep(db, entry, { attempt: taken, epoch: claim.epoch, askedAt: null });
  const counted = itemCount === undefined ? {} : { itemCount };
  db.log(entry, [{ type: "step.started", node: begun.nodeId, step: key, attempt, ...counted }]);
  return taken;
}

function skipStep(
  db: Tables,
  { entry, claim }: Writing,
  { key, nodeId, next }: Extract<StepWrite, { type: "skip" }>,
): void {
  const newest = entry.newest.get(key);
  const before = newest === undefined ? undefined : requireStep(entry, key, newest).attempt;
  if (before !== undefined && !["superseded", "failed", "cancelled"].includes(before.state))
    throw notRunning(before);
  const seq = entry.events.length + 1;
  const now = db.clock.now();
  const attempt: StepAttempt = {
    key,
    nodeId,
    attempt: (newest ?? 0) + 1,
    state: "skipped",
    input: null,
    patch: null,
    error: null,
    retryAt: null,
    wait: null,
    next,
    startedSeq: seq,
    endedSeq: seq,
    recoveryCount: 0,
    startedAt: now,
    finishedAt: now,
    usage: NO_USAGE,
    costNanoUsd: 0,
    unpricedCount: 0,
  };
  putStep(db, entry, { attempt, epoch: claim.epoch, askedAt: null });
  db.log(entry, [{ type: "step.skipped", step: key, node: nodeId }]);
}

/** What the end of a step says of cost, and the signal that it has answered to. */
function spend(
  db: Tables,
  entry: Entry,
  write: Extract<StepWrite, { type: "succeed" | "fail" | "wait" }>,
): void {
  const { key, attempt } = write;
  if (write.type !== "wait" && write.childTotals !== undefined)
    addTotals(db, entry, { key, attempt, totals: write.childTotals });
  addBrokenCalls(db, entry, { key, attempt, count: write.brokenCallCount ?? 0 });
  if (write.type === "wait" || write.consumes === undefined) return;
  const signal = entry.signals[write.consumes - 1];
  if (signal === undefined || signal.consumedBy !== null)
    throw new AppError("conflict", `Signal ${write.consumes} has been consumed, or never came.`);
  consume(db, entry, { signal, key });
}

function consume(db: Tables, { signals }: Entry, used: { signal: Signal; key: string }): void {
  const { signal, key } = used;
  const index = signals.indexOf(signal);
  db.onUndo(() => (signals[index] = signal));
  signals[index] = { ...signal, consumedBy: key };
}

function createOutside(
  db: Tables,
): Pick<RunStore, "signal" | "decide" | "pendingApprovals" | "resume"> {
  function receive(entry: Entry, input: Parameters<RunStore["signal"]>[1], event: RunEvent) {
    const { signals } = entry;
    assertSignalFits(input);
    if (signals.length >= SIGNAL_COUNT_MAX)
      throw new AppError("limit_reached", `The run has had ${SIGNAL_COUNT_MAX} signals.`);
    const seq = signals.length + 1;
    const signal: Signal = { ...input, seq, at: db.clock.now(), consumedBy: null };
    signals.push(signal);
    db.onUndo(() => signals.pop());
    db.log(entry, [event]);
    db.wake(entry);
    return signal;
  }
  return {
    signal: (runId, input) =>
      db.write(() => {
        const entry = db.find(runId);
        if (RUN_STATES_FINAL.includes(entry.row.run.state))
          throw new AppError("conflict", `Run ${runId} has ended.`);
        const { name, by } = input;
        return receive(entry, input, { type: "signal.received", name, by });
      }),
    decide: (runId, key, { approved, comment, by }) =>
      db.write(() => {
        const entry = db.find(runId);
        const name = approvalSignal(key);
        const open = entry.signals.find((s) => s.name === name && s.consumedBy === null);
        const last = open ?? entry.signals.findLast((s) => s.name === name);
        const { attempt } = entry.steps.get(`${key}/${entry.newest.get(key)}`) ?? {};
        if (attempt?.wait?.for !== "approval" || open !== undefined) {
          if (last === undefined)
            throw new AppError("not_found", `Step ${key} waits for no approval.`);
          const was = isJsonObject(last.payload) && last.payload["approved"] === true;
          throw new AppError(
            "conflict",
            `Step ${key} has been ${was ? "approved" : "rejected"} by ${last.by}.`,
          );
        }
        return receive(
          entry,
          { name, payload: { approved, comment }, by },
          { type: "approval.decided", step: key, approved, comment, by },
        );
      }),
    pendingApprovals: async ({ runId, limit }) =>
      [...db.entries.values()]
        .filter(({ row }) => runId === undefined || row.run.id === runId)
        .flatMap((entry) =>
          Array.from(entry.steps.values()).flatMap(({ attempt, askedAt }) => {
            const { wait, key, nodeId } = attempt;
            const isOpen = entry.signals.every(
              (s) => s.name !== approvalSignal(key) || s.consumedBy !== null,
            );
            if (wait?.for !== "approval" || askedAt === null || !isOpen) return [];
            const { id, workflowName } = entry.row.run;
            const { message, untilMs } = wait;
            return [{ runId: id, workflowName, key, nodeId, message, askedAt, untilMs }];
          }),
        )
        .toSorted((left, right) => left.askedAt - right.askedAt)
        .slice(0, limit),
    resume: (id, change) =>
      db.write(() => {
        const entry = db.find(id);
        resume(db, entry, change);
        return toRun(entry);
      }),
  };
}

function resume(db: Tables, entry: Entry, change: Parameters<RunStore["resume"]>[1]): void {
  const { supersede = [], from, values, overrides, by, seenWakeCount } = change;
  const { run, wakeCount } = entry.row;
  const now = db.clock.now();
  if (seenWakeCount !== undefined && seenWakeCount !== wakeCount)
    throw new AppError("conflict", `Run ${run.id} has gone on meanwhile.`);
  const isTimed = ["timer", "rate_limit", "budget"].includes(run.waitingFor ?? "");
  const isOver = run.state === "failed" || run.state === "cancelled";
  const goesBack = run.state === "succeeded" && supersede.length > 0;
  if (!isOver && !goesBack && !(run.state === "waiting" && isTimed))
    throw new AppError("conflict", `Run ${run.id} cannot be resumed: it is ${run.state}.`);
  for (const [id, step] of entry.steps) {
    const next = resumed(step.attempt, { isBack: supersede.includes(step.attempt.key), now });
    if (next !== step.attempt) db.set(entry.steps, id, { ...step, attempt: next });
  }
  for (const key of supersede)
    for (const signal of entry.signals.filter((s) => s.name === approvalSignal(key)))
      if (signal.consumedBy === null) consume(db, entry, { signal, key });
  const done = Array.from(entry.steps.values(), ({ attempt }) => attempt)
    .filter(({ state, key }) => state === "succeeded" && !isItemKey(key))
    .toSorted((left, right) => (left.endedSeq ?? 0) - (right.endedSeq ?? 0));
  const changes: Mutable<Partial<Run>> = { doneNodeIds: [...new Set(done.map((s) => s.nodeId))] };
  if (values !== undefined) changes.values = values;
  if (overrides !== undefined) changes.overrides = overrides;
  db.edit(
    entry,
    { dueAt: now, wakeCount: wakeCount + 1 },
    {
      ...changes,
      state: "queued",
      waitingFor: null,
      finishedAt: null,
      error: null,
      cancelRequestedAt: null,
      activeMs: run.state === "waiting" ? run.activeMs : 0,
    },
  );
  db.log(entry, [{ type: "run.resumed", by, ...(from === undefined ? {} : { from }) }]);
}

function resumed(
  attempt: StepAttempt,
  { isBack, now }: { isBack: boolean; now: number },
): StepAttempt {
  const { state, wait, next, retryAt } = attempt;
  if (isBack) return { ...attempt, state: "superseded", retryAt: null, wait: null };
  if (state === "failed" && next === null && (retryAt ?? Infinity) > now)
    return { ...attempt, retryAt: now };
  const isTimed = wait?.for === "timer" || wait?.for === "rate_limit";
  if (state === "waiting" && isTimed && wait.untilMs > now)
    return { ...attempt, wait: { ...wait, untilMs: now } };
  return attempt;
}

function createQueue(db: Tables): Queue {
  const { entries, clock } = db;
  const inside = (only: string | undefined) =>
    [...entries.values()].filter(
      ({ row: { run } }) =>
        only === undefined || run.id === only || (run.rootId === only && run.depth > 0),
    );
  return {
    fetch: (worker, limit, only) =>
      db.write(() => {
        const now = clock.now();
        const isDue = ({ row: { dueAt, run, reservedFor } }: Entry) =>
          dueAt !== null &&
          (dueAt <= now ||
            (only !== undefined && run.state === "queued" && reservedFor === worker));
        return inside(only)
          .filter(isDue)
          .toSorted((left, right) => (left.row.dueAt ?? 0) - (right.row.dueAt ?? 0))
          .slice(0, Math.max(0, limit))
          .flatMap((entry) => claimRun(db, entry, worker));
      }),
    touch: (claims) =>
      db.write(() =>
        claims.map((claim) => {
          const entry = db.claimed(claim);
          if (entry === undefined) return "lost";
          const now = clock.now();
          db.edit(
            entry,
            { dueAt: now + LEASE_MS, activeAt: now },
            { activeMs: db.activeMs(entry) },
          );
          return entry.row.run.cancelRequestedAt === null ? "held" : "cancelled";
        }),
      ),
    release: (claim) =>
      db.write(() => {
        const entry = db.claimed(claim);
        if (entry === undefined) return;
        if (entry.row.run.cancelRequestedAt !== null)
          return db.end(entry, { type: "run.cancelled" }, { state: "cancelled" });
        const activeMs = db.activeMs(entry);
        db.edit(
          entry,
          { dueAt: clock.now(), activeAt: null },
          { state: "queued", worker: null, activeMs },
        );
        db.log(entry, [{ type: "run.queued" }]);
      }),
    releaseWorker: (worker) =>
      db.write(() => {
        const now = clock.now();
        const held = inside(undefined).filter(
          ({ row: { run, dueAt } }) =>
            run.state === "running" && run.worker === worker && (dueAt ?? 0) > now,
        );
        for (const entry of held) db.edit(entry, { dueAt: now });
        return held.length;
      }),
    nextDueAt: async (only) => {
      const dues = inside(only).flatMap(({ row: { dueAt } }) => (dueAt === null ? [] : [dueAt]));
      return dues.length === 0 ? undefined : Math.min(...dues);
    },
  };
}

function claimRun(db: Tables, entry: Entry, worker: string): Claim[] {
  const { run, epoch } = entry.row;
  const now = db.clock.now();
  // It has ended a moment ago, together with the run around it.
  if (RUN_STATES_FINAL.includes(run.state)) return [];
  if (run.cancelRequestedAt !== null) {
    db.edit(entry, { activeAt: null });
    db.end(entry, { type: "run.cancelled" }, { state: "cancelled" });
    return [];
  }
  const recovered = run.state === "running";
  db.edit(
    entry,
    { dueAt: now + LEASE_MS, activeAt: now, epoch: epoch + 1, reservedFor: null },
    { state: "running", worker, startedAt: run.startedAt ?? now, waitingFor: null },
  );
  db.log(entry, [{ type: recovered ? "run.recovered" : "run.started", worker }]);
  return [{ runId: run.id, worker, epoch: epoch + 1, recovered }];
}
