/** The settings that a page may change, and how. The rest stays with files, flags and the environment. */
import { describePlace, type Settings } from "../config/load.ts";
import { SEARCH_PROVIDERS, type VariableName, VARIABLES, variables } from "../config/schema.ts";
import { PROVIDERS } from "../domain/workflow.ts";
import type { WebDeps } from "../web/deps.ts";

type SettingControl = NonNullable<ReturnType<WebDeps["values"]>[number]["control"]>;
type Editable = Omit<SettingControl, "isSaved" | "fixedBy">;

const text = { kind: "text" } as const;
const count = { kind: "number" } as const;
const onOff = { kind: "choice", choices: ["on", "off"] } as const;
const now = { applies: "now" } as const;
const restart = { applies: "restart" } as const;

const ownModel = { label: "Model", ...text, ...now } as const;
const ownConcurrency = { label: "Calls at the same time", ...count, ...now } as const;
const ownRequests = { label: "Calls per minute", ...count, ...now } as const;

const EDITABLE: Readonly<Partial<Record<VariableName, Editable>>> = {
  AGENTS_PROVIDER: {
    section: "defaults",
    label: "Provider",
    kind: "choice",
    choices: PROVIDERS,
    ...now,
  },
  AGENTS_MODEL: { section: "defaults", label: "Model", ...text, ...now },
  WEB_SEARCH_PROVIDER: {
    section: "defaults",
    label: "Web search",
    kind: "choice",
    choices: SEARCH_PROVIDERS,
    ...restart,
  },
  AGENTS_WORKERS: { section: "defaults", label: "Workers", ...count, ...restart },
  AGENTS_CHAT: { section: "defaults", label: "Chat", ...onOff, ...restart },
  AGENTS_MLFLOW: { section: "defaults", label: "MLflow", ...onOff, ...restart },
  AGENTS_WORKFLOWS_DIR: { section: "defaults", label: "Workflows folder", ...text, ...restart },
  AGENTS_MODEL_CONCURRENCY: {
    section: "limits",
    label: "Calls at the same time",
    ...count,
    ...now,
  },
  AGENTS_MODEL_REQUESTS_PER_MINUTE: {
    section: "limits",
    label: "Calls per minute",
    ...count,
    ...now,
  },
  AGENTS_WORKER_CONCURRENCY: {
    section: "limits",
    label: "Runs for each worker",
    ...count,
    ...restart,
  },
  AGENTS_ALLOWED_ADDRESSES: {
    section: "limits",
    label: "Private addresses",
    ...text,
    ...restart,
  },
  AGENTS_KEEP_RUNS_DAYS: { section: "retention", label: "Runs", unit: "days", ...count, ...now },
  AGENTS_KEEP_RUNS_COUNT: {
    section: "retention",
    label: "Newest runs",
    unit: "runs",
    ...count,
    ...now,
  },
  AGENTS_KEEP_LOGS_DAYS: {
    section: "retention",
    label: "Log files",
    unit: "days",
    ...count,
    ...now,
  },
  AGENTS_KEEP_LOGS_MB: {
    section: "retention",
    label: "Size of all log files",
    unit: "MB",
    ...count,
    ...now,
  },
  AGENTS_KEEP_DEAD_AGENTS_HOURS: {
    section: "retention",
    label: "Dead agents",
    unit: "hours",
    ...count,
    ...now,
  },
  AGENTS_OPENAI_MODEL: { section: "openai", ...ownModel },
  AGENTS_OPENAI_CONCURRENCY: { section: "openai", ...ownConcurrency },
  AGENTS_OPENAI_REQUESTS_PER_MINUTE: { section: "openai", ...ownRequests },
  AGENTS_ANTHROPIC_MODEL: { section: "anthropic", ...ownModel },
  AGENTS_ANTHROPIC_CONCURRENCY: { section: "anthropic", ...ownConcurrency },
  AGENTS_ANTHROPIC_REQUESTS_PER_MINUTE: { section: "anthropic", ...ownRequests },
  AGENTS_GOOGLE_MODEL: { section: "google", ...ownModel },
  AGENTS_GOOGLE_CONCURRENCY: { section: "google", ...ownConcurrency },
  AGENTS_GOOGLE_REQUESTS_PER_MINUTE: { section: "google", ...ownRequests },
  AGENTS_OLLAMA_MODEL: { section: "ollama", ...ownModel },
  AGENTS_OLLAMA_CONCURRENCY: { section: "ollama", ...ownConcurrency },
  AGENTS_OLLAMA_REQUESTS_PER_MINUTE: { section: "ollama", ...ownRequests },
  AGENTS_OPENAI_COMPATIBLE_MODEL: { section: "openai-compatible", ...ownModel },
  AGENTS_OPENAI_COMPATIBLE_CONCURRENCY: { section: "openai-compatible", ...ownConcurrency },
  AGENTS_OPENAI_COMPATIBLE_REQUESTS_PER_MINUTE: { section: "openai-compatible", ...ownRequests },
  OPENAI_BASE_URL: { section: "addresses", label: "OpenAI", ...text, ...now },
  ANTHROPIC_BASE_URL: { section: "addresses", label: "Anthropic", ...text, ...now },
  GOOGLE_BASE_URL: { section: "addresses", label: "Google Gemini", ...text, ...now },
  OPENAI_COMPATIBLE_BASE_URL: {
    section: "addresses",
    label: "OpenAI-compatible server",
    ...text,
    ...now,
  },
  OLLAMA_BASE_URL: { section: "addresses", label: "Ollama", ...text, ...now },
};

/** How a page changes it; undefined when it does not. */
export function controlOf(settings: Settings, name: VariableName): SettingControl | undefined {
  const editable = EDITABLE[name];
  if (editable === undefined) return undefined;
  const origin = settings.origins[name];
  const isSaved = origin?.kind === "data_env_file";
  const isFixed = origin !== undefined && origin.kind !== "default" && !isSaved;
  return { ...editable, isSaved, fixedBy: isFixed ? describePlace(origin) : null };
}

/** Why it cannot be saved; undefined when it can. */
export function settingFault(
  settings: Settings,
  name: VariableName,
  value: string | undefined,
): string | undefined {
  const control = controlOf(settings, name);
  if (control === undefined) return "This setting is not changed on a page.";
  if (control.fixedBy !== null)
    return `It is set by ${control.fixedBy}, which wins over what is saved here.`;
  if (value === undefined) return undefined;
  if (/[\r\n]/.test(value)) return "It has to be one line.";
  const parsed = variables.shape[name].safeParse(value);
  return parsed.success ? undefined : `Give ${parsed.error.issues[0]?.message ?? "another value"}.`;
}

/** True when something that a start takes up is another than at the start. */
export function isRestartDue(atStart: Settings, current: Settings): boolean {
  return VARIABLES.some(
    ({ name }) =>
      EDITABLE[name]?.applies === "restart" && atStart.texts[name] !== current.texts[name],
  );
}
