/**
 * What the commands need from the composition root. `app.ts` satisfies this interface; it is loaded
 * only by commands that use it, so that `--version` and `help` load nothing heavy.
 */
import type { TokenStore } from "../domain/access-token.ts";
import type { Config } from "../config/config.ts";
import type { AnswerMessage, ConversationTotals } from "../domain/conversation.ts";
import type { Settings } from "../config/load.ts";
import type { ErrorRecord } from "../domain/error.ts";
import type { MemoryStore } from "../domain/memory.ts";
import type { ModelPort } from "../domain/model.ts";
import type { ChangeSignal, Queue, Run, RunOverrides, RunStore } from "../domain/run.ts";
import type { RunActions } from "../domain/run-actions.ts";
import type { Schedule, ScheduleStore } from "../domain/schedule.ts";
import type { DatabaseHealth, ServiceStatus, SystemStore } from "../domain/service.ts";
import type { Clock } from "../lib/clock.ts";
import type {
  Problem,
  ProviderName,
  Workflow,
  WorkflowRecord,
  WorkflowStore,
} from "../domain/workflow.ts";

export interface Runner {
  /** Resolves when the run that it is limited to has ended. */
  readonly drained: Promise<void>;
  stop(options: { graceMs: number }): Promise<void>;
}

export interface Product {
  readonly config: Config;
  readonly store: {
    readonly runs: RunStore;
    readonly queue: Queue;
    readonly workflows: WorkflowStore;
    readonly system: SystemStore;
    readonly memory: MemoryStore;
    readonly schedules: ScheduleStore;
    readonly tokens: TokenStore;
    readonly changes: ChangeSignal;
    health(): DatabaseHealth;
  };
  readonly models: ModelPort;
  startRunner(options: { worker: string; concurrency: number; only?: string }): Runner;
  createRun(input: {
    source: string;
    format: "yaml" | "json";
    inputs: Record<string, unknown>;
    overrides: RunOverrides;
    from: "cli";
    folder?: string;
    reservedFor?: string;
  }): Promise<{ run: Run; problems: readonly Problem[] }>;
  /** A run of the newest version now, with what the schedule says; its times stay as they are. */
  runSchedule(schedule: Schedule, made: { readonly reservedFor?: string }): Promise<Run>;
  readonly actions: RunActions;
  close(): Promise<void>;
}

export interface LogLine {
  readonly service: string;
  readonly stream: "stdout" | "stderr";
  readonly line: string;
}

export interface Dashboard {
  readonly url: string;
  services(): readonly ServiceStatus[];
  /** Runs that a crash interrupted and that go on now. */
  readonly interrupted: readonly string[];
  /** Resolves once all services are running, failed or disabled. */
  readonly settled: Promise<void>;
  stop(): Promise<void>;
  kill(): void;
}

export interface DashboardHooks {
  readonly version: string;
  /** Reads the settings anew, for what was saved on a page. */
  readonly reload: () => Promise<Settings>;
  readonly onStatus: (status: ServiceStatus) => void;
  readonly onLine: (line: LogLine) => void;
  readonly onNotice: (text: string) => void;
  /** `agents stop` asked where there are no signals. */
  readonly onStopAsked: () => void;
  /** A page asked for a new start. */
  readonly onRestartAsked: () => void;
}

/** The server that runs on a data folder; `info` is undefined for an instant after its start. */
export interface Instance {
  readonly info:
    | {
        readonly pid: number;
        /** Null until the dashboard listens. */
        readonly url: string | null;
        readonly startedAt: number;
      }
    | undefined;
}

/** A model server on this machine. */
export interface LocalServer {
  /** As people call it: `Ollama`, `LM Studio`. */
  readonly name: string;
  readonly provider: "ollama" | "openai-compatible";
  readonly baseUrl: string;
  readonly models: readonly string[];
}

export interface ProviderSettings {
  readonly provider: ProviderName;
  readonly apiKey?: string;
  readonly baseUrl?: string;
}

/** The result of one real request. */
export type ProviderCheck =
  | { readonly ok: true; readonly models: readonly string[] }
  | { readonly ok: false; readonly error: ErrorRecord };

/** An answer that has ended. */
export interface BuildAnswer {
  readonly message: AnswerMessage;
  /** Undefined when there is no workflow in it. */
  readonly result:
    | {
        readonly source: string;
        /** Undefined when it has errors. */
        readonly workflow: Workflow | undefined;
        readonly problems: readonly Problem[];
      }
    | undefined;
}

/** A conversation with the model that builds workflows. */
export interface WorkflowBuilder {
  /** Begins a conversation. @param model Null for the default. @returns its id. */
  create(text: string, model: string | null): Promise<string>;
  /** Goes on with one. @throws AppError `not_found`; `conflict` while an answer is under way. */
  say(id: string, text: string): Promise<void>;
  /** Marks an answer whose process was killed as interrupted; returns soon after one that lives gives a sign. */
  interruptAbandoned(id: string): Promise<void>;
  /** @throws AppError `not_found`. */
  pickModel(id: string, model: string): Promise<void>;
  /** The newest message, when it is an answer that is done and whose workflow can run. */
  newest(id: string): Promise<BuildAnswer | undefined>;
  /** Answers what was said last, or tries again, repairs included. @throws AppError `conflict`, `not_found`. */
  answer(
    id: string,
    hooks: {
      onBegin(about: { provider: string; model: string; round: number }): void;
      onText(text: string): void;
      onEnd(answer: BuildAnswer): void;
      readonly signal: AbortSignal;
    },
  ): Promise<BuildAnswer>;
  totals(id: string): Promise<ConversationTotals>;
  save(workflow: Workflow, source: string): Promise<WorkflowRecord>;
  close(): Promise<void>;
}

export interface App {
  /**
   * @param reportError Takes failures in the background, such as of a checkpoint that is tried again.
   * @param options `reads`: a database that cannot be written is opened all the same.
   */
  openProduct(
    config: Config,
    reportError: (error: unknown) => void,
    options?: { reads?: boolean },
  ): Promise<Product>;
  startDashboard(config: Config, hooks: DashboardHooks): Promise<Dashboard>;
  startWorker(
    config: Config,
    options: {
      name: string;
      reload: () => Promise<Settings>;
      onReady(): void;
      reportError(error: unknown): void;
      onLog(line: string): void;
    },
  ): Promise<{ stop(): Promise<void> }>;
  startChat(
    config: Config,
    options: {
      version: string;
      reload: () => Promise<Settings>;
      reportError(error: unknown): void;
    },
  ): Promise<{ readonly url: string; stop(): Promise<void> }>;
  /** @throws AppError those of the database. */
  openWorkflowBuilder(
    config: Config,
    reportError: (error: unknown) => void,
  ): Promise<WorkflowBuilder>;
  /** Runs the guard until its program has ended. @returns the exit code. */
  runGuard(argv: readonly string[], clock: Clock): Promise<number>;
  /** Calls back when the parent process is gone. */
  watchParent(onGone: () => void): Promise<void>;
  readInstance(dataDir: string): Promise<Instance | undefined>;
  /** Stops the server of a data folder and waits for its end. @throws AppError `not_running`. */
  stopInstance(dataDir: string): Promise<{ readonly url: string | null }>;
  openBrowser(url: string): Promise<void>;
  /** The last lines, oldest first. */
  tailLogs(options: {
    dataDir: string;
    service?: string;
    lineCount: number;
  }): Promise<readonly LogLine[]>;
  /** New lines as they come, until the signal. */
  followLogs(options: {
    dataDir: string;
    service?: string;
    signal: AbortSignal;
    onLine(line: LogLine): void;
  }): Promise<void>;
  /** @returns what was done about a damaged database; undefined when it is not damaged. */
  repairDatabase(
    settings: Settings,
  ): Promise<{ setAside: readonly string[]; restored: string | undefined } | undefined>;
  /** @returns where the copy is. */
  backUpDatabase(settings: Settings, file: string | undefined): Promise<string>;
  /** @returns the name that the database before has now; undefined when there was none or it is only staged. */
  restoreDatabase(
    settings: Settings,
    file: string,
    options: { stage: boolean },
  ): Promise<string | undefined>;
  findMlflow(settings: Settings): Promise<{ readonly version: string } | undefined>;
  /** @throws AppError when it cannot be installed; nothing is left half-installed. */
  installMlflow(
    settings: Settings,
    options: { signal: AbortSignal; onProgress(text: string): void },
  ): Promise<void>;
  detectLocalServers(settings: Settings): Promise<readonly LocalServer[]>;
  /** One real request with the wish, over the settings that are in force. */
  checkProvider(settings: Settings, wish: ProviderSettings): Promise<ProviderCheck>;
  /** The tools that workflow files may name. */
  toolNames(): Promise<readonly string[]>;
  /** Whether code can be confined on this machine. @throws AppError `sandbox_unavailable`. */
  checkSandbox(): Promise<void>;
  /** The example workflows that are inside the executable. */
  exampleWorkflows(): Promise<readonly { readonly file: string; readonly source: string }[]>;
  /** What holds a port, where it can be known; undefined when the port is free. */
  findPortHolder(host: string, port: number): Promise<{ readonly description: string } | undefined>;
}

/** Loads the composition root. */
export async function loadApp(): Promise<App> {
  return await import("../app.ts");
}
