/** The checks of `agents doctor`, one function each. None changes anything but what it cleans up. */
import { access, constants, mkdtemp, readdir, rmdir, stat, statfs } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Config } from "../config/config.ts";
import { fileError } from "../config/file-error.ts";
import { loadConfig, readSettings, type Settings } from "../config/load.ts";
import { AppError, type ErrorCode } from "../domain/error.ts";
import { PROVIDERS, type ProviderName } from "../domain/workflow.ts";
import { checkAddress } from "./bind-check.ts";
import type { CommandContext } from "./command.ts";
import { backgroundReporter } from "./error.ts";
import type { App } from "./product.ts";
import { baseUrlOf, keyOf, LABELS } from "./setup-plan.ts";
import { COLUMNS_DEFAULT, columnsOf } from "./terminal.ts";

const MIB = 1024 * 1024;
const DISK_FREE_BYTES_MIN = 50 * MIB;
const DISK_FREE_BYTES_LOW = 500 * MIB;

export interface Finding {
  readonly name: string;
  readonly state: "ok" | "warn" | "fail";
  readonly text: string;
  readonly fix?: string;
  /** Of a failure: says the exit code. */
  readonly code?: ErrorCode;
}

type Base = Omit<CommandContext, "flags">;

interface Subject {
  readonly context: Base;
  readonly app: App;
  readonly settings: Settings;
  /** A server runs on the data folder: it holds the ports itself. */
  readonly served: boolean;
}

/** All findings, in a fixed order; a check that cannot be made is a failure, not an end. */
export async function runChecks(context: Base): Promise<Finding[]> {
  const terminal = checkTerminal(context);
  const settings = await readSettings(context.sources).catch((error: unknown) =>
    AppError.from(error),
  );
  if (settings instanceof AppError) return [failureOf("settings", settings), terminal];
  const app = await context.loadApp();
  const served = (await app.readInstance(settings.dataDir)) !== undefined;
  const subject: Subject = { context, app, settings, served };
  const findings: Finding[] = [{ name: "settings", state: "ok", text: "Every setting is valid." }];
  for (const [name, check] of CHECKS) {
    // One after the other: a check must not disturb the next.
    // oxlint-disable-next-line no-await-in-loop
    const found = await check(subject).catch((error: unknown) => [failureOf(name, error)]);
    findings.push(...found);
  }
  return [...findings, terminal];
}

const CHECKS: readonly (readonly [string, (subject: Subject) => Promise<Finding[]>])[] = [
  ["data folder", checkDataDir],
  ["disk space", checkDisk],
  ["database", checkDatabase],
  ["address", checkHost],
  ["ports", checkPorts],
  ["providers", checkProviders],
  ["local servers", checkLocalServers],
  ["sandbox", checkSandbox],
  ["mlflow", checkMlflow],
  ["workflows", checkWorkflows],
];

function ok(name: string, text: string): Finding {
  return { name, state: "ok", text };
}

function failureOf(name: string, error: unknown): Finding {
  const { code, message, fix } = AppError.from(error);
  return { name, state: "fail", text: message, code, ...(fix === undefined ? {} : { fix }) };
}

/** The folder, or the nearest one above it that exists. */
async function existingFolder(path: string): Promise<string> {
  const exists = await stat(path).then(
    () => true,
    () => false,
  );
  return exists || dirname(path) === path ? path : await existingFolder(dirname(path));
}

async function checkDataDir({ settings }: Subject): Promise<Finding[]> {
  const { dataDir } = settings;
  const folder = await existingFolder(dataDir);
  try {
    if (folder !== dataDir) {
      await access(folder, constants.W_OK);
      return [ok("data folder", `${dataDir} (is made at the first start)`)];
    }
    await rmdir(await mkdtemp(join(dataDir, ".doctor-")));
    return [ok("data folder", dataDir)];
  } catch (error) {
    throw fileError(error, `write into the data folder ${dataDir}`);
  }
}

async function checkDisk({ settings }: Subject): Promise<Finding[]> {
  const { bavail, bsize } = await statfs(await existingFolder(settings.dataDir));
  const free = bavail * bsize;
  const text = `${Math.floor(free / MIB).toLocaleString("en-US")} MiB are free.`;
  const fix = "Free some space on the disk, or choose another one with --data-dir.";
  if (free < DISK_FREE_BYTES_MIN) {
    return [{ name: "disk space", state: "fail", text, fix, code: "disk_full" }];
  }
  if (free < DISK_FREE_BYTES_LOW) return [{ name: "disk space", state: "warn", text, fix }];
  return [ok("disk space", text)];
}

async function checkDatabase({ context, app, settings }: Subject): Promise<Finding[]> {
  const name = "database";
  const exists = await stat(settings.databasePath).then(
    () => true,
    () => false,
  );
  if (!exists) return [ok(name, `${settings.databasePath} (is made at the first start)`)];
  const config: Config = await loadConfig(context.sources);
  const product = await app.openProduct(config, backgroundReporter(context));
  try {
    const health = product.store.health();
    if (health.state === "ok") return [ok(name, settings.databasePath)];
    const { message, fix } = health;
    return [{ name, state: "fail", text: message, fix, code: "unavailable" }];
  } finally {
    await product.close();
  }
}

async function checkHost({ context, app, settings }: Subject): Promise<Finding[]> {
  await checkAddress(context, app, settings);
  return [ok("address", settings.host)];
}

async function checkPorts({ app, settings, served }: Subject): Promise<Finding[]> {
  if (served) return [ok("ports", "agents is running and holds its ports.")];
  const wanted = [
    { what: "the dashboard", host: settings.host, port: settings.port, flag: "--port" },
    ...(settings.chat.enabled
      ? [{ what: "the chat", host: "127.0.0.1", port: settings.chat.port, flag: "--chat-port" }]
      : []),
    ...(settings.mlflow.enabled
      ? [{ what: "MLflow", host: "127.0.0.1", port: settings.mlflow.port, flag: "--mlflow-port" }]
      : []),
  ];
  return await Promise.all(
    wanted.map(async ({ what, host, port, flag }): Promise<Finding> => {
      const name = `port ${port}`;
      const holder = port === 0 ? undefined : await app.findPortHolder(host, port);
      if (holder === undefined) return ok(name, `free, for ${what}`);
      return {
        name,
        state: what === "the dashboard" ? "fail" : "warn",
        text: `in use by ${holder.description}; wanted for ${what}`,
        fix: `Stop that program, or choose another port with ${flag}.`,
        code: "port_in_use",
      };
    }),
  );
}

async function checkProviders({ app, settings }: Subject): Promise<Finding[]> {
  const { llm } = settings;
  const used = PROVIDERS.filter(
    (name) =>
      name !== "demo" &&
      (keyOf(settings, name) !== undefined ||
        name === llm.provider ||
        (name === "openai-compatible" && llm.openaiCompatible.baseUrl !== undefined)),
  );
  if (used.length === 0) {
    const state = llm.provider === "demo" ? "ok" : "warn";
    const text = "None is set up; workflows run with the offline demo.";
    return [
      { name: "providers", state, text, ...(state === "ok" ? {} : { fix: "Run `agents setup`." }) },
    ];
  }
  return await Promise.all(used.map(async (name) => await checkProvider(app, settings, name)));
}

async function checkProvider(
  app: App,
  settings: Settings,
  provider: ProviderName,
): Promise<Finding> {
  const apiKey = keyOf(settings, provider);
  const baseUrl = baseUrlOf(settings, provider);
  const check = await app.checkProvider(settings, {
    provider,
    ...(apiKey === undefined ? {} : { apiKey }),
    ...(baseUrl === undefined ? {} : { baseUrl }),
  });
  if (check.ok)
    return ok(provider, `${LABELS[provider]} answers, with ${check.models.length} models.`);
  // The product starts without its providers: what uses them fails, and says so.
  const { message, fix } = check.error;
  return { name: provider, state: "warn", text: message, ...(fix === undefined ? {} : { fix }) };
}

async function checkLocalServers({ app, settings }: Subject): Promise<Finding[]> {
  const servers = await app.detectLocalServers(settings);
  if (servers.length === 0) return [ok("local servers", "none found on this machine")];
  return servers.map(({ name, baseUrl, models }) =>
    ok("local servers", `${name} on ${baseUrl}, ${models.length} models`),
  );
}

async function checkSandbox({ app }: Subject): Promise<Finding[]> {
  const name = "sandbox";
  try {
    await app.checkSandbox();
    return [ok(name, "code, shell and commands of workflows can be confined")];
  } catch (error) {
    // Everything else works without it: what needs it is refused when it runs, with the same words.
    const { code, message, fix } = AppError.from(error);
    if (code !== "sandbox_unavailable") throw error;
    return [{ name, state: "warn", text: message, ...(fix === undefined ? {} : { fix }) }];
  }
}

async function checkMlflow({ app, settings }: Subject): Promise<Finding[]> {
  const name = "mlflow";
  if (!settings.mlflow.enabled) return [ok(name, "switched off")];
  const found = await app.findMlflow(settings);
  if (found !== undefined) return [ok(name, `version ${found.version} is installed`)];
  return [
    {
      name,
      state: "warn",
      text: "not installed; everything else works without it",
      fix: "Run `agents setup --yes --install-mlflow`, or switch it off with --no-mlflow.",
    },
  ];
}

async function checkWorkflows({ settings }: Subject): Promise<Finding[]> {
  const { workflowsDir } = settings;
  const name = "workflows";
  const files = await readdir(workflowsDir).catch(() => undefined);
  if (files === undefined) {
    return [
      {
        name,
        state: "warn",
        text: `${workflowsDir} does not exist`,
        fix: "Run `agents setup`, which makes it.",
      },
    ];
  }
  const count = files.filter((file) => /\.(ya?ml|json)$/i.test(file)).length;
  return [ok(name, `${workflowsDir}, ${count} files`)];
}

function checkTerminal({ terminal }: Base): Finding {
  const name = "terminal";
  if (terminal.output.isTTY !== true) return ok(name, "none; output is plain");
  const columns = columnsOf(terminal.output);
  const text = `${columns} columns, ${terminal.color ? "with" : "without"} colours`;
  if (columns >= COLUMNS_DEFAULT) return ok(name, text);
  return { name, state: "warn", text, fix: `Make it at least ${COLUMNS_DEFAULT} columns wide.` };
}
