/**
 * The tables. After a change: `drizzle-kit generate --config drizzle/config.ts --name <verb_noun>`.
 *
 * - `runs.due_at` alone says when a run may be claimed: queued = at once (later while it is reserved
 *   for its creator), waiting = its timer (null: only something that wakes it goes on), running = the end
 *   of the lease, final = null.
 * - What hangs on a run by number (`events`, `step_calls`, `signals`) and the sums of time spans are WITHOUT
 *   ROWID (written into the migration by hand, drizzle has no word for it): one b-tree in the order in which
 *   it is read.
 * - `run_counts`, `run_minutes` and `run_half_hours` are kept by the writes themselves, so that no page ever
 *   counts rows.
 * - Columns that change often come first in `runs` and `steps`: SQLite reads a long row only as far as
 *   it must.
 * - `memory_words` is the FTS5 index of `memories`, `run_words` that of `runs` by rowid: a migration that rebuilds
 *   `runs` has to keep the rowids. They and their triggers are in the migrations only.
 */
import { sql } from "drizzle-orm";
import {
  foreignKey,
  index,
  integer,
  primaryKey,
  sqliteTable,
  text,
  unique,
} from "drizzle-orm/sqlite-core";
import type { ErrorRecord } from "../domain/error.ts";
import type { ModelAnswer } from "../domain/model.ts";
import type {
  NewRun,
  RunOrigin,
  RunOverrides,
  RunState,
  StepState,
  Wait,
  WaitingFor,
} from "../domain/run.ts";
import type { MemoryScope } from "../domain/workflow.ts";
import type { TokenScope } from "../domain/access-token.ts";
import type { ScheduleOutcome, ScheduleOverlap } from "../domain/schedule.ts";
import type { ServiceState } from "../domain/service.ts";
import type { Json, JsonObject } from "../lib/json.ts";

export const workflows = sqliteTable("workflows", {
  id: text().primaryKey(),
  name: text().notNull().unique(),
  description: text(),
  /** The version that was saved last; runs of this workflow start with it. */
  versionHash: text().notNull(),
  createdAt: integer().notNull(),
  updatedAt: integer().notNull(),
});

export const workflowVersions = sqliteTable(
  "workflow_versions",
  {
    workflowId: text()
      .notNull()
      .references(() => workflows.id, { onDelete: "cascade" }),
    hash: text().notNull(),
    number: integer().notNull(),
    format: text({ enum: ["yaml", "json"] }).notNull(),
    createdAt: integer().notNull(),
    source: text().notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.workflowId, table.hash] }),
    unique("workflow_versions_by_number").on(table.workflowId, table.number),
  ],
);

/** Token counts and cost, kept by each recorded call. */
const totals = () => ({
  inputTokens: integer().notNull().default(0),
  outputTokens: integer().notNull().default(0),
  cacheReadTokens: integer().notNull().default(0),
  cacheWriteTokens: integer().notNull().default(0),
  reasoningTokens: integer().notNull().default(0),
  costNanoUsd: integer().notNull().default(0),
  unpricedCount: integer().notNull().default(0),
});

export const runs = sqliteTable(
  "runs",
  {
    id: text().primaryKey(),
    state: text().$type<RunState>().notNull(),
    dueAt: integer(),
    worker: text(),
    epoch: integer().notNull().default(0),
    waitingFor: text().$type<WaitingFor>(),
    reservedFor: text(),
    cancelRequestedAt: integer(),
    createdAt: integer().notNull(),
    startedAt: integer(),
    finishedAt: integer(),
    activeMs: integer().notNull().default(0),
    /** Up to when `active_ms` has been counted in the present claim. */
    activeAt: integer(),
    wakeCount: integer().notNull().default(0),
    depth: integer().notNull().default(0),
    rootId: text().notNull(),
    originKind: text().$type<RunOrigin["kind"]>(),
    originRunId: text(),
    originStep: text(),
    /** What the run and all inside of it have spent so far; kept at the outermost run alone. */
    treeCostNanoUsd: integer().notNull().default(0),
    treeTokenCount: integer().notNull().default(0),
    ...totals(),
    workflowId: text().notNull(),
    versionHash: text().notNull(),
    workflowName: text().notNull(),
    source: text().$type<NewRun["source"]>().notNull(),
    /** The id backwards, so that `find` by the end of an id is a range of an index. */
    reversedId: text().notNull(),
    error: text({ mode: "json" }).$type<ErrorRecord>(),
    overrides: text({ mode: "json" }).$type<RunOverrides>().notNull(),
    doneNodeIds: text({ mode: "json" }).$type<readonly string[]>().notNull(),
    values: text({ mode: "json" }).$type<JsonObject>().notNull(),
    nodeIds: text({ mode: "json" }).$type<readonly string[]>().notNull(),
    inputs: text({ mode: "json" }).$type<JsonObject>().notNull(),
  },
  (table) => [
    foreignKey({
      columns: [table.workflowId, table.versionHash],
      foreignColumns: [workflowVersions.workflowId, workflowVersions.hash],
    }),
    index("runs_by_due_at")
      .on(table.dueAt)
      .where(sql`due_at IS NOT NULL`),
    index("runs_by_state").on(table.state, table.id),
    index("runs_by_workflow").on(table.workflowId, table.state, table.id),
    unique("runs_by_reversed_id").on(table.reversedId),
    index("runs_by_origin")
      .on(table.originRunId, table.id)
      .where(sql`origin_run_id IS NOT NULL`),
    // Of runs inside of others: those of one root that are due.
    index("runs_by_root")
      .on(table.rootId, table.dueAt)
      .where(sql`depth > 0 AND due_at IS NOT NULL`),
    // Dearest first; a run comes into it once, when it has ended.
    index("runs_by_cost")
      .on(table.costNanoUsd, table.id)
      .where(sql`finished_at IS NOT NULL`),
  ],
);

/** One row an attempt. */
export const steps = sqliteTable(
  "steps",
  {
    runId: text()
      .notNull()
      .references(() => runs.id, { onDelete: "cascade" }),
    key: text().notNull(),
    attempt: integer().notNull(),
    nodeId: text().notNull(),
    state: text().$type<StepState>().notNull(),
    /** The claim under which it was begun or taken up last. */
    epoch: integer().notNull(),
    /** `seq` of its first event: the order in which attempts began. */
    seq: integer().notNull(),
    /** `seq` of the event that ended it. */
    endedSeq: integer(),
    recoveryCount: integer().notNull().default(0),
    startedAt: integer().notNull(),
    finishedAt: integer(),
    retryAt: integer(),
    /** Since when it waits for a person; null once the decision has come. */
    askedAt: integer(),
    ...totals(),
    wait: text({ mode: "json" }).$type<Wait>(),
    next: text({ mode: "json" }).$type<readonly string[]>(),
    error: text({ mode: "json" }).$type<ErrorRecord>(),
    patch: text({ mode: "json" }).$type<JsonObject>(),
    input: text({ mode: "json" }).$type<Json>().notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.runId, table.key, table.attempt] }),
    // Attempts in the order in which they began; items of maps are found by their key.
    index("steps_in_order")
      .on(table.runId, table.seq)
      .where(sql`substr(key, -1) <> ']'`),
    index("steps_by_asked_at")
      .on(table.askedAt, table.runId, table.key)
      .where(sql`asked_at IS NOT NULL`),
    index("steps_asked_by_run")
      .on(table.runId, table.askedAt)
      .where(sql`asked_at IS NOT NULL`),
  ],
);

/** What came to a run from outside, in the order in which it came. */
export const signals = sqliteTable(
  "signals",
  {
    runId: text()
      .notNull()
      .references(() => runs.id, { onDelete: "cascade" }),
    seq: integer().notNull(),
    name: text().notNull(),
    at: integer().notNull(),
    by: text(),
    consumedBy: text(),
    payload: text({ mode: "json" }).$type<Json>().notNull(),
  },
  (table) => [primaryKey({ columns: [table.runId, table.seq] })],
);

/** Model and tool calls inside an attempt, in the order of `ordinal`. */
export const stepCalls = sqliteTable(
  "step_calls",
  {
    runId: text().notNull(),
    key: text().notNull(),
    attempt: integer().notNull(),
    ordinal: integer().notNull(),
    kind: text({ enum: ["model", "tool"] }).notNull(),
    name: text().notNull(),
    inputTokens: integer().notNull(),
    outputTokens: integer().notNull(),
    cacheReadTokens: integer().notNull(),
    cacheWriteTokens: integer().notNull(),
    reasoningTokens: integer().notNull(),
    costNanoUsd: integer(),
    startedAt: integer().notNull(),
    finishedAt: integer().notNull(),
    request: text({ mode: "json" }).$type<Json>().notNull(),
    result: text({ mode: "json" }).$type<Json>().notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.runId, table.key, table.attempt, table.ordinal] }),
    foreignKey({
      columns: [table.runId, table.key, table.attempt],
      foreignColumns: [steps.runId, steps.key, steps.attempt],
    }).onDelete("cascade"),
  ],
);

/** The log of each run. `seq` is gapless from 1, so the highest is also the count. */
export const events = sqliteTable(
  "events",
  {
    runId: text()
      .notNull()
      .references(() => runs.id, { onDelete: "cascade" }),
    seq: integer().notNull(),
    at: integer().notNull(),
    type: text().notNull(),
    /** The event without its type, as JSON. */
    data: text().notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.runId, table.seq] }),
    index("events_by_at")
      .on(table.at)
      .where(sql`type NOT IN ('model.delta', 'output.delta')`),
  ],
);

/** How many runs are in each state. */
export const runCounts = sqliteTable("run_counts", {
  state: text().$type<RunState>().primaryKey(),
  count: integer().notNull(),
});

const happened = () => ({
  startsAt: integer().primaryKey(),
  created: integer().notNull().default(0),
  succeeded: integer().notNull().default(0),
  failed: integer().notNull().default(0),
  costNanoUsd: integer().notNull().default(0),
  tokens: integer().notNull().default(0),
});

/** What happened in each minute: created, succeeded and failed runs, spent tokens and money. */
export const runMinutes = sqliteTable("run_minutes", happened());

/** The same once more: a week has ten thousand minutes. */
export const runHalfHours = sqliteTable("run_half_hours", happened());

export const services = sqliteTable("services", {
  name: text().primaryKey(),
  /** The order in which they were first saved. */
  position: integer().notNull(),
  state: text().$type<ServiceState>().notNull(),
  pid: integer(),
  url: text(),
  restartCount: integer().notNull(),
  since: integer(),
  message: text(),
  fix: text(),
});

/** One row: the present session, or the last one. */
export const sessionState = sqliteTable("session_state", {
  id: integer().primaryKey(),
  startedAt: integer().notNull(),
  pid: integer().notNull(),
  url: text().notNull(),
  version: text().notNull(),
  clean: integer({ mode: "boolean" }).notNull(),
  /** Runs that were running when the session before this one ended uncleanly. */
  interruptedRunIds: text({ mode: "json" }).$type<string[]>().notNull(),
});

export const settings = sqliteTable("settings", {
  key: text().primaryKey(),
  value: text().notNull(),
});

/** What agents remember. */
export const memories = sqliteTable(
  "memories",
  {
    /** Grows with each new entry; names the row in `memory_words`. */
    number: integer().primaryKey(),
    id: text().notNull().unique("memories_by_id"),
    /** Digest of the four columns that name it: one term for indexes. */
    namespace: text().notNull(),
    scope: text().$type<MemoryScope>().notNull(),
    agent: text().notNull(),
    runId: text(),
    nodeId: text(),
    createdAt: integer().notNull(),
    updatedAt: integer().notNull(),
    expiresAt: integer(),
    key: text().notNull(),
    value: text().notNull(),
  },
  (table) => [
    unique("memories_by_key").on(table.namespace, table.key),
    index("memories_by_updated_at").on(table.namespace, table.updatedAt),
    index("memories_by_agent").on(table.agent),
    index("memories_by_scope").on(table.scope),
    index("memories_by_run")
      .on(table.runId)
      .where(sql`run_id IS NOT NULL`),
    index("memories_by_expires_at")
      .on(table.expiresAt)
      .where(sql`expires_at IS NOT NULL`),
  ],
);

/** How many entries each agent has, expired ones included; kept by triggers. */
export const memoryCounts = sqliteTable("memory_counts", {
  agent: text().primaryKey(),
  count: integer().notNull(),
});

/** Answers of models, oldest first. */
export const cachedAnswers = sqliteTable("cached_answers", {
  /** Bytes of all answers before it, gone ones included: the difference of two is what lies between. */
  position: integer().primaryKey(),
  key: text().notNull().unique("cached_answers_by_key"),
  answer: text({ mode: "json" }).$type<ModelAnswer>().notNull(),
});

/** Until when a provider has asked to be left alone. */
export const providerBlocks = sqliteTable("provider_blocks", {
  account: text().primaryKey(),
  untilAt: integer().notNull(),
});

/** Requests to providers within the last minute, and those still under way. */
export const providerTurns = sqliteTable(
  "provider_turns",
  {
    id: integer().primaryKey(),
    account: text().notNull(),
    takenAt: integer().notNull(),
    /** When it is free unless its worker renews it; null once given back. */
    heldUntil: integer(),
  },
  (table) => [
    index("provider_turns_by_account").on(table.account, table.takenAt),
    index("provider_turns_held")
      .on(table.account, table.heldUntil)
      .where(sql`held_until IS NOT NULL`),
  ],
);

/** Agents elsewhere that have said that they are there. */
export const agents = sqliteTable(
  "agents",
  {
    id: text().primaryKey(),
    name: text().notNull(),
    /** Where it answers, without a slash at its end. */
    url: text().notNull(),
    ttlSeconds: integer().notNull(),
    registeredAt: integer().notNull(),
    heartbeatAt: integer().notNull(),
    capabilities: text({ mode: "json" }).$type<readonly string[]>().notNull(),
    metadata: text({ mode: "json" }).$type<JsonObject>().notNull(),
  },
  (table) => [index("agents_by_name").on(table.name, table.id)],
);

/** What programs prove themselves with; of the token itself only a digest is kept. */
export const accessTokens = sqliteTable("access_tokens", {
  id: text().primaryKey(),
  name: text().notNull(),
  /** SHA-256 of the token, hexadecimal. */
  digest: text().notNull().unique("access_tokens_by_digest"),
  scope: text().$type<TokenScope>().notNull(),
  createdAt: integer().notNull(),
  lastUsedAt: integer(),
  expiresAt: integer(),
});

/** Answers to requests that carried an `Idempotency-Key`; the same key gets the same answer. */
export const idempotentAnswers = sqliteTable(
  "idempotent_answers",
  {
    key: text().primaryKey(),
    /** Of method, path and body: another request under the same key is refused. */
    requestDigest: text().notNull(),
    createdAt: integer().notNull(),
    /** null while the first request is under way. */
    status: integer(),
    location: text(),
    body: text(),
  },
  (table) => [index("idempotent_answers_by_created_at").on(table.createdAt)],
);

/** Workflows that are started by the clock. */
export const schedules = sqliteTable(
  "schedules",
  {
    id: text().primaryKey(),
    workflowId: text()
      .notNull()
      .references(() => workflows.id, { onDelete: "cascade" }),
    /** null while it is paused. */
    nextAt: integer(),
    /** The run that is being started for `next_at`, so that a crash in between starts no second one. */
    startingRunId: text(),
    cron: text().notNull(),
    timeZone: text().notNull(),
    overlap: text().$type<ScheduleOverlap>().notNull(),
    catchUp: integer({ mode: "boolean" }).notNull(),
    lastAt: integer(),
    lastOutcome: text().$type<ScheduleOutcome>(),
    lastRunId: text(),
    createdAt: integer().notNull(),
    updatedAt: integer().notNull(),
    lastError: text({ mode: "json" }).$type<ErrorRecord>(),
    overrides: text({ mode: "json" }).$type<RunOverrides>().notNull(),
    inputs: text({ mode: "json" }).$type<JsonObject>().notNull(),
  },
  (table) => [
    index("schedules_by_next_at")
      .on(table.nextAt)
      .where(sql`next_at IS NOT NULL`),
    index("schedules_by_workflow").on(table.workflowId),
  ],
);

/**
 * Sums over a time span that begins at `starts_at`. Everything is in two rows, that of its hour and that of its
 * day (UTC), written together; rows of hours go when they are old.
 */
const spanned = () => ({
  workflowId: text().notNull(),
  startsAt: integer().notNull(),
  spanMs: integer().notNull(),
});

/**
 * Kept by the writes of runs, as the next two, so that no page ever sums up runs, steps or calls. An empty
 * `workflow_id` stands for all workflows together.
 */
export const workflowSpans = sqliteTable(
  "workflow_spans",
  {
    ...spanned(),
    created: integer().notNull().default(0),
    succeeded: integer().notNull().default(0),
    failed: integer().notNull().default(0),
    cancelled: integer().notNull().default(0),
    /** Of runs that ended in this span, from their start to their end. */
    durationMs: integer().notNull().default(0),
    durationMsMax: integer().notNull().default(0),
    inputTokens: integer().notNull().default(0),
    outputTokens: integer().notNull().default(0),
    costNanoUsd: integer().notNull().default(0),
  },
  (table) => [
    primaryKey({ columns: [table.workflowId, table.spanMs, table.startsAt] }),
    index("workflow_spans_by_start").on(table.spanMs, table.startsAt),
  ],
);

export const nodeSpans = sqliteTable(
  "node_spans",
  {
    ...spanned(),
    nodeId: text().notNull(),
    /** Attempts that ended in this span. */
    succeeded: integer().notNull().default(0),
    failed: integer().notNull().default(0),
    durationMs: integer().notNull().default(0),
    durationMsMax: integer().notNull().default(0),
    inputTokens: integer().notNull().default(0),
    outputTokens: integer().notNull().default(0),
    costNanoUsd: integer().notNull().default(0),
  },
  (table) => [
    primaryKey({ columns: [table.spanMs, table.startsAt, table.workflowId, table.nodeId] }),
  ],
);

export const modelSpans = sqliteTable(
  "model_spans",
  {
    ...spanned(),
    /** As in the journal: `openai/gpt-5`. */
    model: text().notNull(),
    calls: integer().notNull().default(0),
    durationMs: integer().notNull().default(0),
    durationMsMax: integer().notNull().default(0),
    inputTokens: integer().notNull().default(0),
    outputTokens: integer().notNull().default(0),
    cacheReadTokens: integer().notNull().default(0),
    costNanoUsd: integer().notNull().default(0),
  },
  (table) => [
    primaryKey({ columns: [table.spanMs, table.startsAt, table.workflowId, table.model] }),
  ],
);
