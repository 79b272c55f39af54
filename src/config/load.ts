/** flag > environment > `.env` in the working folder > `.env` in the data folder > default. */
import { chmod, mkdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { AppError } from "../domain/error.ts";
import type { ProviderLimits } from "../domain/model.ts";
import { defined } from "../lib/defined.ts";
import { createFileOnce, errorCode } from "../lib/atomic-file.ts";
import type { Config, Origin } from "./config.ts";
import { fileError } from "./file-error.ts";
import { hashPassword } from "./password.ts";
import { absolutePath } from "./place.ts";
import { VARIABLES, type VariableName, type VariableValues, variables } from "./schema.ts";
import { type ConfigSources, type RawSettings, type RawValue, readSources } from "./source.ts";

export const SECRET_FILE = "secret.key";
const SECRET_BYTES = 32;

/** Settings without the secret key: read without making anything on disk. */
export type Settings = Omit<Config, "secretKey">;

/**
 * Reads all settings and changes nothing.
 * @throws AppError `config_invalid` that names every bad value with its place and what was expected.
 */
export async function readSettings(sources: ConfigSources): Promise<Settings> {
  const { settings } = await read(sources);
  return settings;
}

/**
 * Reads all settings, makes the data folder (0700) and, where none is set, the secret key (0600,
 * once: processes that start together get the same).
 * @throws AppError `config_invalid` as `readSettings`; `permission_denied`, `read_only`, `disk_full`.
 */
export async function loadConfig(sources: ConfigSources): Promise<Config> {
  const { settings, secretKey } = await read(sources);
  await makeDataDir(settings.dataDir);
  return Object.freeze({
    ...settings,
    secretKey: secretKey ?? (await keptSecretKey(settings.dataDir)),
  });
}

async function makeDataDir(dataDir: string): Promise<void> {
  try {
    await mkdir(dataDir, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw fileError(error, `make the data folder ${dataDir}`);
  }
}

async function keptSecretKey(dataDir: string): Promise<string> {
  const path = join(dataDir, SECRET_FILE);
  let kept: string;
  try {
    kept = await readOrCreate(path);
    // A restored backup may have brought the file with wider rights.
    if (((await stat(path)).mode & 0o077) !== 0) await chmod(path, 0o600);
  } catch (error) {
    throw fileError(error, `keep the secret key in ${path}`);
  }
  if (kept.length < SECRET_BYTES) {
    throw new AppError("config_invalid", `The secret key in ${path} is damaged.`, {
      fix: `Delete ${path}: a new one is made, and everyone signs in again.`,
    });
  }
  return kept;
}

async function readOrCreate(path: string): Promise<string> {
  try {
    return (await readFile(path, "utf8")).trim();
  } catch (error) {
    if (errorCode(error) !== "ENOENT") throw error;
    const fresh = Buffer.from(crypto.getRandomValues(new Uint8Array(SECRET_BYTES))).toString("hex");
    return (await createFileOnce(path, `${fresh}\n`)).trim();
  }
}

async function read(
  sources: ConfigSources,
): Promise<{ settings: Settings; secretKey: string | undefined }> {
  const raw = await readSources(sources);
  const input = Object.fromEntries(
    [...raw.values].flatMap(([name, value]) => (value.text === "" ? [] : [[name, value.text]])),
  );
  const parsed = variables.safeParse(input);
  if (!parsed.success || raw.faults.length > 0) {
    const issues = parsed.success ? [] : parsed.error.issues;
    throw invalid(
      raw,
      issues.map((issue) => ({ name: String(issue.path[0]), expected: issue.message })),
    );
  }
  const settings = await buildSettings(parsed.data, raw, sources);
  return { settings, secretKey: parsed.data.SECRET_KEY };
}

function invalid(
  raw: RawSettings,
  issues: readonly { name: string; expected: string }[],
): AppError {
  const sentences = [...raw.faults];
  for (const { name, info } of VARIABLES) {
    const issue = issues.find((candidate) => candidate.name === name);
    const value = raw.values.get(name);
    if (issue === undefined || value === undefined) continue;
    const shown = info.secret ? "" : ` is ${JSON.stringify(withoutUser(value.text))}`;
    const written = value.origin.kind === "environment" ? value.origin.place : name;
    sentences.push(
      `${written}${shown} (${describePlace(value.origin)}); expected ${issue.expected}.`,
    );
  }
  if (sentences.length === 1) {
    return new AppError("config_invalid", sentences[0] ?? "", {
      fix: "Correct or remove this setting.",
    });
  }
  const list = sentences.map((sentence) => `\n  ${sentence}`).join("");
  return new AppError("config_invalid", `${sentences.length} settings are not valid:${list}`, {
    fix: "Correct or remove these settings.",
  });
}

/** An address may carry a password. */
function withoutUser(text: string): string {
  return text.replace(/\/\/[^/]*@/, "//***@");
}

/** A place as a person knows it: `--port`, `environment`, `/home/a/.env:3`, `default`. */
export function describePlace(origin: Origin): string {
  const { kind, place } = origin;
  return kind === "environment" || kind === "default" ? kind : place;
}

async function buildSettings(
  values: VariableValues,
  raw: RawSettings,
  sources: ConfigSources,
): Promise<Settings> {
  const path = (name: VariableName, otherwise: string) => {
    const value = raw.values.get(name);
    if (value === undefined || value.text === "") return otherwise;
    return absolutePath(value.text, value.base, sources.homeDir);
  };
  const { AGENTS_DB_URL: databaseUrl } = values;
  return {
    host: values.AGENTS_HOST,
    port: values.AGENTS_PORT,
    chat: { enabled: values.AGENTS_CHAT, port: values.AGENTS_CHAT_PORT },
    refresh: {
      queueMs: values.AGENTS_REFRESH_QUEUE_MS,
      workflowsMs: values.AGENTS_REFRESH_WORKFLOWS_MS,
      agentsMs: values.AGENTS_REFRESH_AGENTS_MS,
      systemMs: values.AGENTS_REFRESH_SYSTEM_MS,
      pollMs: values.AGENTS_REFRESH_POLL_MS,
    },
    mlflow: { enabled: values.AGENTS_MLFLOW, port: values.AGENTS_MLFLOW_PORT },
    workerCount: values.AGENTS_WORKERS,
    workerConcurrency: values.AGENTS_WORKER_CONCURRENCY,
    open: values.AGENTS_OPEN,
    verbose: values.AGENTS_VERBOSE,
    dataDir: raw.dataDir,
    databasePath:
      databaseUrl === undefined
        ? join(raw.dataDir, "agents.db")
        : databasePath(databaseUrl, sources.os),
    workflowsDir: path("AGENTS_WORKFLOWS_DIR", join(raw.dataDir, "workflows")),
    keep: {
      runsDays: values.AGENTS_KEEP_RUNS_DAYS,
      runsCount: values.AGENTS_KEEP_RUNS_COUNT,
      logsDays: values.AGENTS_KEEP_LOGS_DAYS,
      logsMb: values.AGENTS_KEEP_LOGS_MB,
      deadAgentsHours: values.AGENTS_KEEP_DEAD_AGENTS_HOURS,
    },
    llm: buildLlm(values),
    tools: buildTools(values, {
      workspace: path("AGENTS_WORKSPACE", join(raw.dataDir, "workspace")),
      allowedPaths: (values.ALLOWED_PATHS ?? []).map((entry) =>
        absolutePath(entry, raw.values.get("ALLOWED_PATHS")?.base ?? "", sources.homeDir),
      ),
      variables: pick(sources.environment, values.ALLOWED_VARIABLES ?? []),
    }),
    adminPasswordHash: await adminPasswordHash(values, raw.values),
    origins: originsOf(raw),
    texts: textsOf(raw),
  };
}

/** `sqlite:///a/b.db` is the file /a/b.db, as in a file URL; so is `sqlite:////a/b.db`. */
function databasePath(databaseUrl: string, os: string): string {
  const path = databaseUrl.replace(/^sqlite:\/+/, "");
  return os === "win32" ? path : `/${path}`;
}

function buildLlm(values: VariableValues): Config["llm"] {
  return {
    provider: values.AGENTS_PROVIDER,
    model: values.AGENTS_MODEL,
    openai: { apiKey: values.OPENAI_API_KEY, baseUrl: values.OPENAI_BASE_URL },
    anthropic: { apiKey: values.ANTHROPIC_API_KEY, baseUrl: values.ANTHROPIC_BASE_URL },
    google: { apiKey: values.GOOGLE_API_KEY, baseUrl: values.GOOGLE_BASE_URL },
    ollama: { baseUrl: values.OLLAMA_BASE_URL },
    openaiCompatible: {
      apiKey: values.OPENAI_COMPATIBLE_API_KEY,
      baseUrl: values.OPENAI_COMPATIBLE_BASE_URL,
    },
    limits: limitsOf(values, {}),
    own: Object.fromEntries(
      OWN_PREFIXES.flatMap(({ name, prefix }) => {
        const model = values[`AGENTS_${prefix}_MODEL`];
        const concurrency = values[`AGENTS_${prefix}_CONCURRENCY`];
        const requestsPerMinute = values[`AGENTS_${prefix}_REQUESTS_PER_MINUTE`];
        const isLimited = concurrency !== undefined || requestsPerMinute !== undefined;
        const limits = isLimited
          ? limitsOf(values, defined({ concurrency, requestsPerMinute }))
          : undefined;
        return model === undefined && limits === undefined
          ? []
          : [[name, defined({ model, limits })]];
      }),
    ),
  };
}

const OWN_PREFIXES = [
  { name: "openai", prefix: "OPENAI" },
  { name: "anthropic", prefix: "ANTHROPIC" },
  { name: "google", prefix: "GOOGLE" },
  { name: "ollama", prefix: "OLLAMA" },
  { name: "openai-compatible", prefix: "OPENAI_COMPATIBLE" },
] as const;

/** A provider's own limits, and those of all where it has none; 0 is no limit. */
function limitsOf(values: VariableValues, own: ProviderLimits): ProviderLimits {
  const { AGENTS_MODEL_CONCURRENCY, AGENTS_MODEL_REQUESTS_PER_MINUTE } = values;
  return defined({
    concurrency: (own.concurrency ?? AGENTS_MODEL_CONCURRENCY) || undefined,
    requestsPerMinute: (own.requestsPerMinute ?? AGENTS_MODEL_REQUESTS_PER_MINUTE) || undefined,
  });
}

function buildTools(
  values: VariableValues,
  places: Pick<Config["tools"], "workspace" | "allowedPaths" | "variables">,
): Config["tools"] {
  return {
    ...places,
    search: {
      provider: values.WEB_SEARCH_PROVIDER,
      serper: { apiKey: values.SERPER_API_KEY, baseUrl: values.SERPER_BASE_URL },
      tavily: { apiKey: values.TAVILY_API_KEY, baseUrl: values.TAVILY_BASE_URL },
      brave: { apiKey: values.BRAVE_API_KEY, baseUrl: values.BRAVE_BASE_URL },
      searxng: { baseUrl: values.SEARXNG_BASE_URL },
    },
    allowedCommands: values.ALLOWED_COMMANDS,
    allowedAddresses: values.AGENTS_ALLOWED_ADDRESSES ?? [],
  };
}

function pick(
  environment: Readonly<Record<string, string | undefined>>,
  names: readonly string[],
): Record<string, string> {
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = environment[name];
      return value === undefined ? [] : [[name, value]];
    }),
  );
}

const RANK: readonly Origin["kind"][] = [
  "flag",
  "environment",
  "working_env_file",
  "data_env_file",
  "default",
];

/** A password in the environment must win over the hash in a file, as with any other setting. */
async function adminPasswordHash(
  values: VariableValues,
  raw: ReadonlyMap<VariableName, RawValue>,
): Promise<string | undefined> {
  const { AGENTS_ADMIN_PASSWORD: password, AGENTS_ADMIN_PASSWORD_HASH: hash } = values;
  if (password === undefined) return hash;
  const rank = (name: VariableName) => RANK.indexOf(raw.get(name)?.origin.kind ?? "default");
  const hashWins =
    hash !== undefined && rank("AGENTS_ADMIN_PASSWORD_HASH") <= rank("AGENTS_ADMIN_PASSWORD");
  return hashWins ? hash : await hashPassword(password);
}

function originsOf(raw: RawSettings): Record<string, Origin> {
  return Object.fromEntries(
    VARIABLES.map(({ name, info }) => [
      name,
      raw.values.get(name)?.origin ?? { kind: "default", place: info.default ?? "" },
    ]),
  );
}

function textsOf(raw: RawSettings): Record<string, string> {
  return Object.fromEntries(
    VARIABLES.flatMap(({ name, info }) => {
      const value = raw.values.get(name);
      return value === undefined || info.secret ? [] : [[name, withoutUser(value.text)]];
    }),
  );
}
