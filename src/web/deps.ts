/** What the web app is given by the composition root. */
import type { JsonObject } from "../lib/json.ts";
import type { TokenStore } from "../domain/access-token.ts";
import type { IdempotencyStore } from "../domain/idempotent-answer.ts";
import type { BulkJobStore } from "../domain/bulk-job.ts";
import type { Clock } from "../lib/clock.ts";
import type { Backups } from "../domain/backup.ts";
import type { ConversationStore } from "../domain/conversation.ts";
import type { EventLog, ServiceLogs } from "../domain/log.ts";
import type { MemoryStore } from "../domain/memory.ts";
import type { AgentStore, RegisteredAgent } from "../domain/registered-agent.ts";
import type { MetricsStore } from "../domain/metrics.ts";
import type { ChangeSignal, Run, RunOverrides, RunStore } from "../domain/run.ts";
import type { RunReader } from "../domain/run-reader.ts";
import type { RunActions } from "../domain/run-actions.ts";
import type { ScheduleStore } from "../domain/schedule.ts";
import type {
  DatabaseHealth,
  ResourceSample,
  ServiceStatus,
  SystemStore,
} from "../domain/service.ts";
import type { Workflow, WorkflowStore } from "../domain/workflow.ts";
import type { Vocabulary } from "../language/completion.ts";
import type { ProviderStatus, SettingValue } from "../../views/settings.tsx";
import type { StreamLimits } from "./sse.ts";

/** A workflow that comes with the product. */
export interface Example {
  readonly name: string;
  readonly description: string;
  readonly source: string;
}

/** A run to be started; the inputs have been read and checked. */
export interface RunRequest {
  readonly workflowId: string;
  readonly versionHash: string;
  readonly workflow: Workflow;
  /** The first state: inputs and defaults. */
  readonly values: JsonObject;
  readonly inputs: JsonObject;
  readonly overrides: RunOverrides;
}

/** How often the parts of live pages change at most. */
export interface RefreshIntervals {
  readonly queueMs: number;
  readonly workflowsMs: number;
  readonly agentsMs: number;
  readonly systemMs: number;
  /** Of pages that have lost their stream, at least. */
  readonly pollMs: number;
}

export interface RunMade {
  /** The dashboard when it is left out. */
  readonly source?: Run["source"];
  readonly id?: string;
}

export interface WebDeps {
  readonly runs: RunStore;
  readonly runReader: RunReader;
  readonly workflows: WorkflowStore;
  readonly system: SystemStore;
  readonly memory: MemoryStore;
  readonly schedules: ScheduleStore;
  readonly agents: AgentStore;
  /** The chat's own process answers; here they are only found, and their workflows opened in the editor. */
  readonly conversations: Pick<ConversationStore, "list" | "get" | "message" | "file">;
  readonly metrics: MetricsStore;
  readonly eventLog: EventLog;
  readonly serviceLogs: ServiceLogs;
  readonly bulkJobs: BulkJobStore;
  readonly tokens: TokenStore;
  readonly idempotency: IdempotencyStore;
  readonly changes: ChangeSignal;
  readonly health: () => DatabaseHealth;
  readonly services: () => readonly ServiceStatus[];
  /** Ids of the runs that an unclean end had interrupted. */
  readonly interrupted: readonly string[];
  readonly clock: Clock;
  readonly version: string;
  readonly secretKey: string;
  /** The address it listens on: a loopback one needs no login, every other does. */
  readonly host: string;
  readonly port: () => number;
  readonly adminPasswordHash: () => string | undefined;
  readonly demo: () => boolean;
  readonly providers: () => readonly ProviderStatus[];
  readonly checkProvider: (name: string) => Promise<{ ok: boolean; message: string }>;
  /** Sends it one request. Never rejects. */
  readonly checkAgent: (
    agent: RegisteredAgent,
  ) => Promise<{ readonly ok: boolean; readonly message: string; readonly docs: string | null }>;
  readonly saveKey: (variable: string, value: string) => Promise<void>;
  readonly removeKey: (variable: string) => Promise<void>;
  /**
   * Saves settings in the data folder's `.env`; `undefined` goes back to the default. All or none.
   * @returns what is wrong with each that was refused; empty when all were saved.
   */
  readonly saveSettings: (
    changes: Readonly<Record<string, string | undefined>>,
  ) => Promise<Readonly<Record<string, string>>>;
  /** Something was saved that a new start takes up. */
  readonly needsRestart: () => boolean;
  /** When this start was; another one has another time. */
  readonly startedAt: number;
  /** Ends everything and starts anew, soon after it returns. */
  readonly restart: () => void;
  readonly backups: Backups;
  /** Sessions that were begun before this time have ended. */
  readonly sessionsSince: () => number;
  readonly endSessions: () => Promise<void>;
  readonly commit: string;
  readonly databasePath: string;
  /** `adminPasswordHash` gives the new one afterwards. */
  readonly setPassword: (hash: string) => Promise<void>;
  readonly values: () => readonly SettingValue[];
  readonly memoryBytes: () => number | null;
  readonly databaseBytes: () => number | null;
  /** Oldest first. */
  readonly resources: () => readonly ResourceSample[];
  readonly refresh: RefreshIntervals;
  readonly dataDir: string;
  readonly knownTools: readonly string[];
  readonly examples: readonly Example[];
  /** What an editor proposes besides what the text itself names; loaded when first asked for. */
  readonly vocabulary: () => Promise<Pick<Vocabulary, "tools" | "models">>;
  /** `made.id`: a run with this id is made once, however often it is asked for. */
  readonly createRun: (request: RunRequest, made?: RunMade) => Promise<Run>;
  readonly actions: RunActions;
  readonly reportError: (error: unknown) => void;
  readonly streamLimits?: StreamLimits;
}

/** The part of Bun's server that handlers need. */
export interface WebServer {
  requestIP(request: Request): { readonly address: string } | null;
  timeout(request: Request, seconds: number): void;
}
