/** The SQLite store: all ports on one database file. */
import { MIGRATIONS } from "../../drizzle/index.ts";
import type { TokenStore } from "../domain/access-token.ts";
import type { ConversationStore } from "../domain/conversation.ts";
import type { BulkJobStore } from "../domain/bulk-job.ts";
import { AppError } from "../domain/error.ts";
import type { EventLog } from "../domain/log.ts";
import type { IdempotencyStore } from "../domain/idempotent-answer.ts";
import type { MemoryStore } from "../domain/memory.ts";
import type { MetricsStore } from "../domain/metrics.ts";
import type { AnswerCache, ProviderTurns } from "../domain/model.ts";
import type { AgentStore } from "../domain/registered-agent.ts";
import type { ChangeSignal, Queue, RunStore } from "../domain/run.ts";
import type { RunReader } from "../domain/run-reader.ts";
import type { ScheduleStore } from "../domain/schedule.ts";
import type { DatabaseHealth, SystemStore } from "../domain/service.ts";
import type { WorkflowStore } from "../domain/workflow.ts";
import type { Clock } from "../lib/clock.ts";
import { createAgentStore } from "./agent-store.ts";
import { createAnswerCache } from "./answer-cache.ts";
import { createBulkJobStore } from "./bulk-job-store.ts";
import { type Connection, createConnection } from "./connection.ts";
import { createConversationStore } from "./conversation-store.ts";
import type { OpenResult } from "./database.ts";
import { LOCK_WAIT_MS, LOCK_WAIT_MS_PATIENT } from "./lock.ts";
import { createIdempotencyStore } from "./idempotency-store.ts";
import { createMemoryStore } from "./memory-store.ts";
import { createMetricsStore } from "./metrics-store.ts";
import { createProviderTurns } from "./provider-turns.ts";
import { createQueue } from "./queue.ts";
import { createEventLog } from "./event-log.ts";
import { type FileOptions, openFile } from "./reopen.ts";
import { createRunReader } from "./run-reader.ts";
import { createRunStore } from "./run-store.ts";
import { createScheduleStore } from "./schedule-store.ts";
import { createSystemStore } from "./system-store.ts";
import { createTokenStore } from "./token-store.ts";
import { createWorkflowStore } from "./workflow-store.ts";

export interface StoreOptions {
  /** Absolute path of the file, or `:memory:`. */
  readonly path: string;
  /** Gives the times that are stored. Locks and other processes are waited for in real time. */
  readonly clock: Clock;
  /** Nothing is created, migrated or written. */
  readonly readOnly?: boolean;
}

export interface Store {
  readonly runs: RunStore;
  readonly runReader: RunReader;
  readonly queue: Queue;
  readonly workflows: WorkflowStore;
  readonly conversations: ConversationStore;
  readonly memory: MemoryStore;
  readonly schedules: ScheduleStore;
  readonly agents: AgentStore;
  readonly cache: AnswerCache;
  readonly turns: ProviderTurns;
  readonly bulkJobs: BulkJobStore;
  readonly tokens: TokenStore;
  readonly idempotency: IdempotencyStore;
  readonly system: SystemStore;
  readonly metrics: MetricsStore;
  readonly eventLog: EventLog;
  readonly changes: ChangeSignal;
  readonly opened: OpenResult;
  health(): DatabaseHealth;
  /** Calls `listener` when the health has changed; @returns the way to stop. */
  onHealth(listener: (health: DatabaseHealth) => void): () => void;
  /** Waits for pending writes, then closes the file. Pending reads and later calls are refused. */
  close(): Promise<void>;
}

/** A store that may begin degraded waits no longer than this for a lock at first. */
const DEGRADABLE_LOCK_WAIT_MS = 1_000;

/** Faults that may go by themselves or by mending the file: the product can run degraded meanwhile. */
const DEGRADABLE_CODES = new Set([
  "database_locked",
  "read_only",
  "permission_denied",
  "disk_full",
  "database_corrupt",
  "unavailable",
]);

/**
 * Opens the database, created and migrated as needed (never with `readOnly`).
 * @throws AppError `database_locked`, `read_only`, `permission_denied`, `disk_full`, `database_corrupt`,
 * `database_newer`, `unavailable` (disk failure), `config_invalid` (the path or the file cannot be a
 * database of ours); with `readOnly` also `not_found`.
 */
export async function openStore(options: StoreOptions): Promise<Store> {
  const settings = fileOptions(options, LOCK_WAIT_MS_PATIENT);
  return storeOn(createConnection(settings, await openFile(settings)), options.clock);
}

/**
 * As `openStore`, but a database that is locked, read-only, full or damaged gives a store whose health
 * is `degraded`: it answers what it can, refuses writes with the reason, and recovers by itself.
 * @throws AppError `database_newer`, `config_invalid`.
 */
export async function openStoreDegradable(options: StoreOptions): Promise<Store> {
  const settings = fileOptions(options, LOCK_WAIT_MS);
  try {
    const database = await openFile(settings, DEGRADABLE_LOCK_WAIT_MS);
    return storeOn(createConnection(settings, database), options.clock);
  } catch (error) {
    if (!(error instanceof AppError) || !DEGRADABLE_CODES.has(error.code)) throw error;
    return storeOn(createConnection(settings, error), options.clock);
  }
}

function fileOptions(options: StoreOptions, lockWaitMs: number): FileOptions {
  return {
    path: options.path,
    clock: options.clock,
    readOnly: options.readOnly ?? false,
    migrations: MIGRATIONS,
    lockWaitMs,
  };
}

function storeOn(connection: Connection, clock: Clock): Store {
  const { stop: stopTurns, ...turns } = createProviderTurns(connection, clock);
  return {
    runs: createRunStore(connection, clock),
    runReader: createRunReader(connection),
    queue: createQueue(connection, clock),
    workflows: createWorkflowStore(connection, clock),
    conversations: createConversationStore(connection, clock),
    memory: createMemoryStore(connection, clock),
    schedules: createScheduleStore(connection, clock),
    agents: createAgentStore(connection, clock),
    cache: createAnswerCache(connection),
    turns,
    bulkJobs: createBulkJobStore(connection, clock),
    tokens: createTokenStore(connection, clock),
    idempotency: createIdempotencyStore(connection, clock),
    system: createSystemStore(connection),
    metrics: createMetricsStore(connection, clock),
    eventLog: createEventLog(connection),
    changes: connection.changes,
    opened: connection.opened,
    health: connection.health.state,
    onHealth: connection.health.onChange,
    close() {
      stopTurns();
      return connection.close();
    },
  };
}
