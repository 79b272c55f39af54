/**
 * Every variable that the product reads, once: what it may be, its default, and what users are told
 * about it. `.env.example`, the wizard's `.env`, docs/cli.md and error messages are made from this.
 */
import * as z from "zod";
import { PROVIDERS } from "../domain/workflow.ts";
import {
  databaseUrl,
  host,
  key,
  list,
  ollamaUrl,
  onOff,
  port,
  text,
  url,
  wholeNumber,
} from "./variable-kind.ts";

export const SECTIONS = ["Server", "Data", "Models", "Tools", "Security"] as const;

export interface VariableInfo {
  readonly section: (typeof SECTIONS)[number];
  /** Sentences for `.env.example`. */
  readonly description: string;
  /** The default as text; left out when there is none. */
  readonly default?: string;
  readonly example: string;
  /** Never printed. */
  readonly secret?: true;
  /** The flag that sets it. */
  readonly flag?: string;
  /** Another name that other tools use for the same thing; this product's own name wins. */
  readonly alias?: string;
}

export const variableInfo = z.registry<VariableInfo>();

function variable<Schema extends z.ZodType>(schema: Schema, info: VariableInfo): Schema {
  variableInfo.add(schema, info);
  return schema;
}

const WORKER_COUNT_MAX = 64;
const WORKER_CONCURRENCY_MAX = 1_000;
const SECRET_LENGTH_MIN = 16;
export const PASSWORD_LENGTH_MIN = 8;
const KEEP_DAYS_MAX = 36_500;
const KEEP_HOURS_MAX = 87_600;
const KEEP_RUNS_MAX = 999_999;
const KEEP_LOGS_MB_MAX = 100_000;
const MODEL_CONCURRENCY_MAX = 1_000;
const MODEL_REQUESTS_MAX = 100_000;
export const SEARCH_PROVIDERS = ["serper", "tavily", "brave", "searxng"] as const;
/** AI coding CLIs: they keep their own login and bring their own sandbox. */
const COMMANDS_ALLOWED_DEFAULT = ["claude", "codex", "gemini", "opencode"];
/** A page that changes less often than this is not live. */
const REFRESH_MS_MAX = 600_000;

const ownModel = (label: string, example: string) =>
  variable(text().optional(), {
    section: "Models",
    description: `Model of ${label} for workflows that name none. AGENTS_MODEL wins where it is set for ${label}.`,
    example,
  });

const ownConcurrency = (label: string) =>
  variable(wholeNumber(0, MODEL_CONCURRENCY_MAX).optional(), {
    section: "Models",
    description: `Calls to ${label} at the same time. 0: no limit. Default: AGENTS_MODEL_CONCURRENCY.`,
    example: "4",
  });

const ownRequests = (label: string) =>
  variable(wholeNumber(0, MODEL_REQUESTS_MAX).optional(), {
    section: "Models",
    description: `Calls to ${label} per minute. 0: no limit. Default: AGENTS_MODEL_REQUESTS_PER_MINUTE.`,
    example: "60",
  });

export const variables = z.object({
  AGENTS_HOST: variable(host().default("127.0.0.1"), {
    section: "Server",
    description:
      "Address that the dashboard listens on. Any other than the loopback needs an administrator password (`agents password`).",
    default: "127.0.0.1",
    example: "0.0.0.0",
    flag: "--host",
  }),
  AGENTS_PORT: variable(port().default(7861), {
    section: "Server",
    description: "Port of the dashboard and the API. 0 takes a free one.",
    default: "7861",
    example: "7861",
    flag: "--port",
  }),
  AGENTS_CHAT: variable(onOff().default(true), {
    section: "Server",
    description: "Run the chat that builds workflows, shown at /chat in the dashboard.",
    default: "on",
    example: "off",
    flag: "--chat",
  }),
  AGENTS_CHAT_PORT: variable(port().default(7860), {
    section: "Server",
    description: "Port of the chat's own process, on the loopback. 0 takes a free one.",
    default: "7860",
    example: "7870",
    flag: "--chat-port",
  }),
  AGENTS_MLFLOW: variable(onOff().default(true), {
    section: "Server",
    description:
      "Run the MLflow tracking server, where it is installed (`agents setup` installs it).",
    default: "on",
    example: "off",
    flag: "--mlflow",
  }),
  AGENTS_MLFLOW_PORT: variable(port().default(5000), {
    section: "Server",
    description: "Port of the MLflow tracking server.",
    default: "5000",
    example: "5001",
    flag: "--mlflow-port",
  }),
  AGENTS_WORKERS: variable(wholeNumber(0, WORKER_COUNT_MAX).default(2), {
    section: "Server",
    description: "Worker processes that execute runs.",
    default: "2",
    example: "4",
    flag: "--workers",
  }),
  AGENTS_WORKER_CONCURRENCY: variable(wholeNumber(1, WORKER_CONCURRENCY_MAX).default(16), {
    section: "Server",
    description: "Runs that one worker executes at the same time.",
    default: "16",
    example: "4",
  }),
  AGENTS_REFRESH_QUEUE_MS: variable(wholeNumber(100, REFRESH_MS_MAX).default(500), {
    section: "Server",
    description: "Live pages show a new queue depth, and new log lines, at most this often.",
    default: "500",
    example: "1000",
  }),
  AGENTS_REFRESH_WORKFLOWS_MS: variable(wholeNumber(100, REFRESH_MS_MAX).default(2_000), {
    section: "Server",
    description: "Live pages show what has become of workflows and runs at most this often.",
    default: "2000",
    example: "1000",
  }),
  AGENTS_REFRESH_AGENTS_MS: variable(wholeNumber(100, REFRESH_MS_MAX).default(5_000), {
    section: "Server",
    description: "Live pages show the heartbeats of agents and services at most this often.",
    default: "5000",
    example: "2000",
  }),
  AGENTS_REFRESH_SYSTEM_MS: variable(wholeNumber(1_000, REFRESH_MS_MAX).default(5_000), {
    section: "Server",
    description: "CPU, memory and disk are looked at, and shown on live pages, this often.",
    default: "5000",
    example: "10000",
  }),
  AGENTS_REFRESH_POLL_MS: variable(wholeNumber(1_000, REFRESH_MS_MAX).default(5_000), {
    section: "Server",
    description:
      "A page that has lost its stream asks for itself after this long, or up to twice as long.",
    default: "5000",
    example: "10000",
  }),
  AGENTS_OPEN: variable(onOff().default(false), {
    section: "Server",
    description: "Open the dashboard in the browser at start.",
    default: "off",
    example: "on",
    flag: "--open",
  }),
  AGENTS_VERBOSE: variable(onOff().default(false), {
    section: "Server",
    description: "Show technical details.",
    default: "off",
    example: "on",
    flag: "--verbose",
  }),
  AGENTS_DATA_DIR: variable(text().optional(), {
    section: "Data",
    description:
      "Folder for the database, logs and secrets. Default: the system's own place for application data. Cannot stand in the .env of the data folder itself.",
    example: "~/agents",
    flag: "--data-dir",
  }),
  AGENTS_DB_URL: variable(databaseUrl().optional(), {
    section: "Data",
    description:
      "Database: sqlite:/// and the absolute path. Default: agents.db in the data folder.",
    example: "sqlite:///data/agents.db",
    flag: "--db-url",
  }),
  AGENTS_WORKFLOWS_DIR: variable(text().optional(), {
    section: "Data",
    description: "Folder with workflow files. Default: workflows in the data folder.",
    example: "~/workflows",
    flag: "--workflows-dir",
  }),
  AGENTS_KEEP_RUNS_DAYS: variable(wholeNumber(0, KEEP_DAYS_MAX).default(0), {
    section: "Data",
    description: "Days that a run is kept after its end, with its log. 0: for ever.",
    default: "0",
    example: "90",
  }),
  AGENTS_KEEP_RUNS_COUNT: variable(wholeNumber(0, KEEP_RUNS_MAX).default(0), {
    section: "Data",
    description:
      "So many of the runs that have ended are kept, the newest, with the runs inside of them. 0: all.",
    default: "0",
    example: "10000",
  }),
  AGENTS_KEEP_LOGS_DAYS: variable(wholeNumber(0, KEEP_DAYS_MAX).default(0), {
    section: "Data",
    description:
      "Days that a log file of a service is kept after its last line; each service has at most three files of 5 MB. 0: for ever.",
    default: "0",
    example: "30",
  }),
  AGENTS_KEEP_LOGS_MB: variable(wholeNumber(0, KEEP_LOGS_MB_MAX).default(0), {
    section: "Data",
    description:
      "Megabytes that the log files of all services may have together; the oldest go first. 0: no limit but that of each service.",
    default: "0",
    example: "20",
  }),
  AGENTS_KEEP_DEAD_AGENTS_HOURS: variable(wholeNumber(0, KEEP_HOURS_MAX).default(24), {
    section: "Data",
    description:
      "Hours that an agent which sends no heartbeats stays registered. 0: for ever, as those registered by hand.",
    default: "24",
    example: "168",
  }),
  AGENTS_PROVIDER: variable(z.enum(PROVIDERS, `one of ${PROVIDERS.join(", ")}`).optional(), {
    section: "Models",
    description:
      "Provider for workflows that name none. Default: one that has a key, else the offline demo.",
    example: "openai",
    flag: "--provider",
  }),
  AGENTS_MODEL: variable(text().optional(), {
    section: "Models",
    description: "Model for workflows that name none. Default: the provider's usual one.",
    example: "gpt-5-mini",
    flag: "--model",
  }),
  OPENAI_API_KEY: variable(key().optional(), {
    section: "Models",
    description: "Key for OpenAI.",
    example: "sk-...",
    secret: true,
  }),
  OPENAI_BASE_URL: variable(url().optional(), {
    section: "Models",
    description: "Another address for the OpenAI API.",
    example: "https://api.openai.com/v1",
  }),
  ANTHROPIC_API_KEY: variable(key().optional(), {
    section: "Models",
    description: "Key for Anthropic.",
    example: "sk-ant-...",
    secret: true,
  }),
  ANTHROPIC_BASE_URL: variable(url().optional(), {
    section: "Models",
    description: "Another address for the Anthropic API.",
    example: "https://api.anthropic.com/v1",
  }),
  GOOGLE_API_KEY: variable(key().optional(), {
    section: "Models",
    description: "Key for Google Gemini. GEMINI_API_KEY is understood too.",
    example: "AIza...",
    secret: true,
    alias: "GEMINI_API_KEY",
  }),
  GOOGLE_BASE_URL: variable(url().optional(), {
    section: "Models",
    description: "Another address for the Gemini API.",
    example: "https://generativelanguage.googleapis.com/v1beta",
  }),
  OLLAMA_BASE_URL: variable(ollamaUrl().default("http://127.0.0.1:11434"), {
    section: "Models",
    description: "Address of the Ollama server. OLLAMA_HOST is understood too.",
    default: "http://127.0.0.1:11434",
    example: "http://192.168.1.20:11434",
    alias: "OLLAMA_HOST",
  }),
  OPENAI_COMPATIBLE_BASE_URL: variable(url().optional(), {
    section: "Models",
    description:
      "Address of any other server that speaks the OpenAI API (LM Studio, llama.cpp, vLLM and more).",
    example: "http://127.0.0.1:1234/v1",
  }),
  OPENAI_COMPATIBLE_API_KEY: variable(key().optional(), {
    section: "Models",
    description: "Key for that server, where it wants one.",
    example: "secret",
    secret: true,
  }),
  AGENTS_MODEL_CONCURRENCY: variable(wholeNumber(0, MODEL_CONCURRENCY_MAX).default(0), {
    section: "Models",
    description: "Calls to one provider at the same time, of all workers together. 0: no limit.",
    default: "0",
    example: "8",
  }),
  AGENTS_MODEL_REQUESTS_PER_MINUTE: variable(wholeNumber(0, MODEL_REQUESTS_MAX).default(0), {
    section: "Models",
    description: "Calls to one provider per minute, of all workers together. 0: no limit.",
    default: "0",
    example: "60",
  }),
  AGENTS_OPENAI_MODEL: ownModel("OpenAI", "gpt-5-mini"),
  AGENTS_OPENAI_CONCURRENCY: ownConcurrency("OpenAI"),
  AGENTS_OPENAI_REQUESTS_PER_MINUTE: ownRequests("OpenAI"),
  AGENTS_ANTHROPIC_MODEL: ownModel("Anthropic", "claude-haiku-4-5"),
  AGENTS_ANTHROPIC_CONCURRENCY: ownConcurrency("Anthropic"),
  AGENTS_ANTHROPIC_REQUESTS_PER_MINUTE: ownRequests("Anthropic"),
  AGENTS_GOOGLE_MODEL: ownModel("Google Gemini", "gemini-3.5-flash-lite"),
  AGENTS_GOOGLE_CONCURRENCY: ownConcurrency("Google Gemini"),
  AGENTS_GOOGLE_REQUESTS_PER_MINUTE: ownRequests("Google Gemini"),
  AGENTS_OLLAMA_MODEL: ownModel("Ollama", "llama3.2"),
  AGENTS_OLLAMA_CONCURRENCY: ownConcurrency("Ollama"),
  AGENTS_OLLAMA_REQUESTS_PER_MINUTE: ownRequests("Ollama"),
  AGENTS_OPENAI_COMPATIBLE_MODEL: ownModel("the OpenAI-compatible server", "qwen3"),
  AGENTS_OPENAI_COMPATIBLE_CONCURRENCY: ownConcurrency("the OpenAI-compatible server"),
  AGENTS_OPENAI_COMPATIBLE_REQUESTS_PER_MINUTE: ownRequests("the OpenAI-compatible server"),
  AGENTS_WORKSPACE: variable(text().optional(), {
    section: "Tools",
    description:
      "Folder that file tools, code and commands work in. Default: workspace in the data folder.",
    example: "~/agents-workspace",
    flag: "--workspace",
  }),
  ALLOWED_PATHS: variable(list().optional(), {
    section: "Tools",
    description: "More folders that file tools may use, separated by commas.",
    example: "~/reports,/srv/data",
  }),
  ALLOWED_COMMANDS: variable(list().default(COMMANDS_ALLOWED_DEFAULT), {
    section: "Tools",
    description:
      "Programs that run outside of the sandbox, separated by commas. `cli` nodes run all others inside of it; the program of an MCP server must be named here.",
    default: COMMANDS_ALLOWED_DEFAULT.join(","),
    example: "claude,git",
  }),
  ALLOWED_VARIABLES: variable(list().optional(), {
    section: "Tools",
    description:
      "Environment variables that workflows may use as ${NAME} in headers and in the environment of programs, separated by commas.",
    example: "GITHUB_TOKEN,CRM_KEY",
  }),
  AGENTS_ALLOWED_ADDRESSES: variable(list().optional(), {
    section: "Tools",
    description:
      "Private addresses that steps and tools may call all the same, separated by commas: host, host:port or network/bits.",
    example: "localhost:8080,10.1.0.0/16",
  }),
  WEB_SEARCH_PROVIDER: variable(
    z.enum(SEARCH_PROVIDERS, `one of ${SEARCH_PROVIDERS.join(", ")}`).optional(),
    {
      section: "Tools",
      description: "Service behind the tool web_search. Default: one that is set up.",
      example: "brave",
    },
  ),
  SERPER_API_KEY: variable(key().optional(), {
    section: "Tools",
    description: "Key of serper.dev, for the tools web_search and serper_search.",
    example: "0123abcd...",
    secret: true,
  }),
  SERPER_BASE_URL: variable(url().optional(), {
    section: "Tools",
    description: "Another address for the Serper API.",
    example: "https://google.serper.dev",
  }),
  TAVILY_API_KEY: variable(key().optional(), {
    section: "Tools",
    description: "Key of tavily.com, for the tool web_search.",
    example: "tvly-...",
    secret: true,
  }),
  TAVILY_BASE_URL: variable(url().optional(), {
    section: "Tools",
    description: "Another address for the Tavily API.",
    example: "https://api.tavily.com",
  }),
  BRAVE_API_KEY: variable(key().optional(), {
    section: "Tools",
    description: "Key of the Brave Search API, for the tool web_search.",
    example: "BSA...",
    secret: true,
  }),
  BRAVE_BASE_URL: variable(url().optional(), {
    section: "Tools",
    description: "Another address for the Brave Search API.",
    example: "https://api.search.brave.com",
  }),
  SEARXNG_BASE_URL: variable(url().optional(), {
    section: "Tools",
    description: "Address of a SearXNG server with JSON results, for the tool web_search.",
    example: "http://127.0.0.1:8888",
  }),
  SECRET_KEY: variable(
    z
      .string()
      .refine(
        (value) => value.length >= SECRET_LENGTH_MIN,
        `at least ${SECRET_LENGTH_MIN} characters`,
      )
      .optional(),
    {
      section: "Security",
      description:
        "Signs cookies and form tokens. Default: made once and kept in secret.key in the data folder.",
      example: "a-long-random-text",
      secret: true,
    },
  ),
  AGENTS_ADMIN_PASSWORD_HASH: variable(
    z
      .string()
      .refine((value) => value.startsWith("$argon2id$"), "a hash made by `agents password`")
      .optional(),
    {
      section: "Security",
      description: "Hash of the administrator's password, written by `agents password`.",
      example: "'$argon2id$...'",
      secret: true,
    },
  ),
  AGENTS_ADMIN_PASSWORD: variable(
    z
      .string()
      .refine(
        (value) => value.length >= PASSWORD_LENGTH_MIN,
        `at least ${PASSWORD_LENGTH_MIN} characters`,
      )
      .optional(),
    {
      section: "Security",
      description: "The administrator's password itself, where a hash cannot be given.",
      example: "correct-horse-battery",
      secret: true,
    },
  ),
});

export type VariableName = keyof typeof variables.shape;

export function isVariableName(name: string): name is VariableName {
  return Object.hasOwn(variables.shape, name);
}

export type VariableValues = z.output<typeof variables>;

/** All variables in the order in which they are documented. */
export const VARIABLES: readonly { readonly name: VariableName; readonly info: VariableInfo }[] =
  variables.keyof().options.map((name) => {
    const info = variableInfo.get(variables.shape[name]);
    if (info === undefined) throw new Error(`${name} is not documented.`);
    return { name, info };
  });
