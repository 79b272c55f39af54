/** The settings of one process, after flags, environment, `.env` files and defaults were merged. */
import type { ProviderLimits } from "../domain/model.ts";
import type { ToolSettings } from "../domain/tool-settings.ts";
import type { ProviderName } from "../domain/workflow.ts";

/** Where a value came from, for `doctor`, `/settings` and error messages. */
export interface Origin {
  readonly kind: "flag" | "environment" | "working_env_file" | "data_env_file" | "default";
  /** The flag or variable name, or the file with its line: `/home/a/.env:3`. */
  readonly place: string;
}

interface OwnModelConfig {
  readonly model?: string;
  readonly limits?: ProviderLimits;
}

export interface Config {
  readonly host: string;
  readonly port: number;
  /** The chat process listens on a loopback address always; people reach it through the dashboard. */
  readonly chat: { readonly enabled: boolean; readonly port: number };
  /** How often the parts of live pages change at most. */
  readonly refresh: {
    readonly queueMs: number;
    readonly workflowsMs: number;
    readonly agentsMs: number;
    readonly systemMs: number;
    readonly pollMs: number;
  };
  readonly mlflow: { readonly enabled: boolean; readonly port: number };
  readonly workerCount: number;
  /** Runs that one worker executes at the same time. */
  readonly workerConcurrency: number;
  readonly open: boolean;
  readonly verbose: boolean;
  /** Absolute. */
  readonly dataDir: string;
  /** Absolute path of the SQLite file. */
  readonly databasePath: string;
  /** Absolute; where `agents` looks for workflow files to import. */
  readonly workflowsDir: string;
  /** How long and how much history is kept; 0: all of it. */
  readonly keep: {
    readonly runsDays: number;
    readonly runsCount: number;
    readonly logsDays: number;
    readonly logsMb: number;
    readonly deadAgentsHours: number;
  };
  readonly llm: {
    /** Used where a workflow names no provider; undefined: whichever has a key, else demo. */
    readonly provider: ProviderName | undefined;
    readonly model: string | undefined;
    readonly openai: { readonly apiKey: string | undefined; readonly baseUrl: string | undefined };
    readonly anthropic: {
      readonly apiKey: string | undefined;
      readonly baseUrl: string | undefined;
    };
    readonly google: { readonly apiKey: string | undefined; readonly baseUrl: string | undefined };
    readonly ollama: { readonly baseUrl: string };
    readonly openaiCompatible: {
      readonly apiKey: string | undefined;
      readonly baseUrl: string | undefined;
    };
    /** Of each provider, all workers together. */
    readonly limits: ProviderLimits;
    /** What counts for one of them in place of that, and its model where `model` is not for it. */
    readonly own: Readonly<Partial<Record<ProviderName, OwnModelConfig>>>;
  };
  readonly tools: ToolSettings & {
    /** Programs that `cli` nodes may run outside of the sandbox. */
    readonly allowedCommands: readonly string[];
    /** Private addresses that may be called: host, host:port or network/bits. */
    readonly allowedAddresses: readonly string[];
  };
  /** Signs cookies and CSRF tokens; from SECRET_KEY, else kept in the data folder (0600). */
  readonly secretKey: string;
  /** argon2id hash of the administrator's password; undefined: none set. */
  readonly adminPasswordHash: string | undefined;
  /** Variable name → where its value came from. */
  readonly origins: Readonly<Record<string, Origin>>;
  /** What was written for the variables that are set, to be shown: without secrets. */
  readonly texts: Readonly<Record<string, string>>;
}
