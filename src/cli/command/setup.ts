import { absolutePath } from "../../config/place.ts";
import { describePlace, readSettings, type Settings } from "../../config/load.ts";
import { AppError } from "../../domain/error.ts";
import type { ProviderName } from "../../domain/workflow.ts";
import type { CommandContext } from "../command.ts";
import type { SETUP } from "../definition.ts";
import { createLiveRegion } from "../live-region.ts";
import type { App } from "../product.ts";
import { applySetup } from "../setup-apply.ts";
import {
  changesOf,
  keyOf,
  type SetupAnswers,
  type SetupFound,
  suggestProvider,
} from "../setup-plan.ts";
import { canRedraw, print, printError, readAll, type Terminal } from "../terminal.ts";

type Base = Omit<CommandContext, "flags">;
type Context = CommandContext<typeof SETUP.flags>;

/** Asks, or takes flags and defaults where nobody can be asked, and writes the settings. */
export async function setup(context: Context): Promise<number> {
  const { terminal, flags } = context;
  const app = await context.loadApp();
  const found = await findAll(context, app);
  const asks = terminal.interactive && !flags.yes;
  const answers = asks
    ? await (await import("../setup-questions.ts")).askSetup(terminal, found)
    : await answersOfFlags(context, found);
  await apply(context, app, { found, answers });
  print(terminal, "Run `agents start`.");
  return 0;
}

/** The questions before the very first start. */
export async function firstSetup(context: Base): Promise<void> {
  const app = await context.loadApp();
  const found = await findAll(context, app);
  const { askSetup } = await import("../setup-questions.ts");
  await apply(context, app, { found, answers: await askSetup(context.terminal, found) });
}

async function findAll({ sources }: Base, app: App): Promise<SetupFound> {
  const settings = await readSettings(sources);
  const [servers, mlflow, examples] = await Promise.all([
    app.detectLocalServers(settings),
    app.findMlflow(settings),
    app.exampleWorkflows(),
  ]);
  return {
    settings,
    servers,
    mlflowVersion: mlflow?.version,
    exampleCount: examples.length,
    suggestion: suggestProvider(settings, servers),
    checkProvider: async (tried) => await app.checkProvider(settings, tried),
  };
}

/** Flags, else what is set, else defaults. */
async function answersOfFlags(context: Context, found: SetupFound): Promise<SetupAnswers> {
  const { flags, terminal } = context;
  const { settings, suggestion } = found;
  const apiKey = await keyOfFlags(context);
  const provider = suggestion.provider;
  if (apiKey !== undefined && (provider === undefined || provider === "demo")) {
    throw new AppError("usage", "A key was given, but not whose it is.", {
      fix: "Name the provider with --provider.",
    });
  }
  const baseUrl = flags["base-url"] ?? suggestion.baseUrl;
  const inUse = apiKey ?? (provider === undefined ? undefined : keyOf(settings, provider));
  if (provider !== undefined && apiKey !== undefined) {
    const check = await found.checkProvider({
      provider,
      ...(inUse === undefined ? {} : { apiKey: inUse }),
      ...(baseUrl === undefined ? {} : { baseUrl }),
    });
    if (!check.ok) printError(terminal, `Warning: the key is kept, but: ${check.error.message}`);
  }
  return {
    provider,
    apiKey,
    baseUrl,
    model: (await isModelOfOther(context, provider)) ? undefined : suggestion.model,
    mlflow: settings.mlflow.enabled,
    installMlflow: flags["install-mlflow"] === true,
    workflowsDir: settings.workflowsDir,
    examples: flags.examples ?? true,
    open: settings.open,
  };
}

/** A saved model belongs to the saved provider: another one would refuse it. */
async function isModelOfOther(
  { sources, flags }: Context,
  provider: ProviderName | undefined,
): Promise<boolean> {
  if (flags.model !== undefined || flags.provider === undefined) return false;
  const { AGENTS_PROVIDER: _, ...others } = sources.flags;
  const { llm } = await readSettings({ ...sources, flags: others });
  return llm.provider !== undefined && llm.provider !== provider;
}

async function keyOfFlags({ flags, sources, terminal }: Context): Promise<string | undefined> {
  if (flags["key-stdin"]) {
    const key = (await readAll(terminal.input)).trim();
    if (/^\S+$/.test(key)) return key;
    throw new AppError("invalid", "Standard input does not hold a key.", {
      fix: "Give the key on one line: agents setup --key-stdin < file.",
    });
  }
  const name = flags["key-env"];
  if (name === undefined) return undefined;
  const key = sources.environment[name]?.trim();
  if (key !== undefined && key !== "") return key;
  throw new AppError("missing_key", `The environment variable ${name} is not set.`, {
    fix: `Set ${name}, or name another variable with --key-env.`,
  });
}

async function apply(
  context: Base,
  app: App,
  { found, answers }: { found: SetupFound; answers: SetupAnswers },
): Promise<void> {
  const { terminal, sources } = context;
  const { settings } = found;
  const workflowsDir = absolutePath(answers.workflowsDir, sources.workingDir, sources.homeDir);
  const { envFile, writtenCount } = await applySetup(
    { ...answers, workflowsDir },
    { dataDir: settings.dataDir, examples: await app.exampleWorkflows() },
  );
  print(terminal, `Settings: ${envFile}`);
  print(
    terminal,
    `Workflows: ${workflowsDir}${writtenCount === 0 ? "" : ` (${writtenCount} examples written)`}`,
  );
  warnHidden(terminal, settings, answers);
  if (answers.installMlflow && found.mlflowVersion === undefined) {
    await installMlflow(context, app, settings);
  }
}

/** A setting above the data folder's `.env` hides what was just written there. */
function warnHidden(terminal: Terminal, settings: Settings, answers: SetupAnswers): void {
  for (const name of Object.keys(changesOf(answers))) {
    const origin = settings.origins[name];
    if (origin?.kind !== "environment" && origin?.kind !== "working_env_file") continue;
    printError(terminal, `Note: ${name} is also set (${describePlace(origin)}), and that wins.`);
  }
}

/** A failure is told and changes nothing else: the product works without MLflow. */
async function installMlflow(context: Base, app: App, settings: Settings): Promise<void> {
  const { terminal } = context;
  const cancelled = new AbortController();
  const stopListening = terminal.onInterrupt(() => cancelled.abort());
  const region = canRedraw(terminal, terminal.output)
    ? createLiveRegion(terminal.output)
    : undefined;
  let last = "";
  const onProgress = (text: string) => {
    if (region !== undefined) region.draw([`Installing MLflow: ${text}`]);
    else if (text !== last) print(terminal, `Installing MLflow: ${text}`);
    last = text;
  };
  const failure = await app
    .installMlflow(settings, { signal: cancelled.signal, onProgress })
    .then(() => undefined)
    .catch((error: unknown) => AppError.from(error));
  region?.clear();
  stopListening();
  if (failure === undefined) {
    print(terminal, "MLflow is installed.");
    return;
  }
  printError(terminal, `MLflow was not installed: ${failure.message}`);
  printError(terminal, `Fix: ${failure.fix ?? "Run `agents setup --install-mlflow`."}`);
}
