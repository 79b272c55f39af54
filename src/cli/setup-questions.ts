/** The setup questions: asks, and returns the answers. Nothing is written here. */
import * as prompts from "@clack/prompts";
import type { Settings } from "../config/load.ts";
import { AppError } from "../domain/error.ts";
import type { ProviderName } from "../domain/workflow.ts";
import type { LocalServer, ProviderCheck, ProviderSettings } from "./product.ts";
import { defined } from "../lib/defined.ts";
import { isLoopback } from "../lib/loopback.ts";
import { wrapText } from "../lib/wrap-text.ts";
import { KEY_VARIABLES, keyOf, LABELS, type SetupAnswers, type SetupFound } from "./setup-plan.ts";
import { columnsOf, type Terminal } from "./terminal.ts";

/** Longer lists of models can be searched. */
const SELECT_MAX = 12;
const NO_MODEL = "";
const OTHER_MODEL = "\u0000other";

/** The line at the left of everything, and the space after it. */
const BAR_COLUMNS = 3;

type Streams = Pick<Terminal, "input" | "output">;

/** A question that was left with Ctrl-C ends the whole setup. */
async function answerOf<Answer>(
  answer: Promise<Answer | typeof prompts.CANCEL_SYMBOL>,
): Promise<Answer> {
  const given = await answer;
  if (given !== prompts.CANCEL_SYMBOL) return given;
  throw new AppError("cancelled", "Setup was cancelled; nothing was changed.");
}

/** @throws AppError `cancelled` after Ctrl-C at any question. */
export async function askSetup(terminal: Streams, found: SetupFound): Promise<SetupAnswers> {
  const streams = { input: terminal.input, output: terminal.output };
  prompts.intro("Setup of agents", streams);
  const chosen = await askProvider(streams, found);
  const connection = await askConnection(streams, found, chosen);
  const model = await askModel(streams, found, { ...chosen, models: connection.models });
  const mlflow = await answerOf(
    prompts.confirm({
      message: "Run MLflow, the tracking server, beside the dashboard?",
      initialValue: found.settings.mlflow.enabled,
      ...streams,
    }),
  );
  const installMlflow = mlflow && found.mlflowVersion === undefined && (await askInstall(streams));
  const workflowsDir = await answerOf(
    prompts.text({
      message: "Folder for your workflow files",
      initialValue: found.settings.workflowsDir,
      validate: (text) => ((text ?? "").trim() === "" ? "Name a folder." : undefined),
      ...streams,
    }),
  );
  const examples =
    found.exampleCount > 0 &&
    (await answerOf(
      prompts.confirm({
        message: `Put ${found.exampleCount} example workflows there?`,
        ...streams,
      }),
    ));
  const open = await answerOf(
    prompts.confirm({ message: "Open the dashboard in the browser at start?", ...streams }),
  );
  return {
    provider: chosen.provider,
    apiKey: connection.apiKey,
    baseUrl: connection.baseUrl,
    model,
    mlflow,
    installMlflow,
    workflowsDir,
    examples,
    open,
  };
}

interface ChosenProvider {
  readonly provider: ProviderName;
  readonly baseUrl: string | undefined;
  /** Known when the server was found running. */
  readonly models: readonly string[];
}

/** An Ollama whose address is set may be on another machine. */
function placeOf({ baseUrl }: LocalServer): string {
  return isLoopback(new URL(baseUrl).hostname) ? "running on this machine" : `at ${baseUrl}`;
}

function modelCount({ length }: readonly string[]): string {
  return `${length} ${length === 1 ? "model" : "models"}`;
}

function serverName(server: LocalServer): string {
  return `server:${server.baseUrl}`;
}

async function askProvider(streams: Streams, found: SetupFound): Promise<ChosenProvider> {
  const { servers, settings } = found;
  const options = [
    ...servers.map((server) => ({
      value: serverName(server),
      label: server.name,
      hint: `${placeOf(server)}, ${modelCount(server.models)}`,
    })),
    ...(["openai", "anthropic", "google"] as const).map((name) => ({
      value: name,
      label: LABELS[name],
      hint: keyOf(settings, name) === undefined ? "needs a key" : "a key is set",
    })),
    { value: "ollama", label: LABELS.ollama, hint: "at an address that you give" },
    { value: "openai-compatible", label: LABELS["openai-compatible"], hint: "LM Studio, vLLM, …" },
    { value: "demo", label: LABELS.demo, hint: "offline; no real AI is called" },
  ];
  const preferred = found.suggestion;
  const current = servers.find(
    (server) => server.provider === preferred.provider && server.baseUrl === preferred.baseUrl,
  );
  const value = await answerOf(
    prompts.select({
      message: "Which model provider?",
      options,
      initialValue: current === undefined ? (preferred.provider ?? "demo") : serverName(current),
      ...streams,
    }),
  );
  const server = servers.find((candidate) => serverName(candidate) === value);
  if (server !== undefined) return server;
  const provider = PROVIDER_NAMES.find((name) => name === value) ?? "demo";
  const baseUrl = await askBaseUrl(streams, settings, provider);
  return { provider, baseUrl, models: [] };
}

const PROVIDER_NAMES = ["openai", "anthropic", "google", "ollama", "openai-compatible"] as const;

async function askBaseUrl(
  streams: Streams,
  settings: Settings,
  provider: ProviderName,
): Promise<string | undefined> {
  if (provider !== "ollama" && provider !== "openai-compatible") return undefined;
  const current =
    provider === "ollama" ? settings.llm.ollama.baseUrl : settings.llm.openaiCompatible.baseUrl;
  return await enterBaseUrl(streams, current);
}

async function enterBaseUrl(streams: Streams, current: string | undefined): Promise<string> {
  return await answerOf(
    prompts.text({
      message: "Address of the server",
      placeholder: "http://127.0.0.1:1234/v1",
      ...(current === undefined ? {} : { initialValue: current }),
      validate: (text) =>
        /^https?:\/\/\S+$/.test(text ?? "") ? undefined : "It begins with http:// or https://.",
      ...streams,
    }),
  );
}

interface Connection {
  /** A key to store; undefined keeps what is set. */
  readonly apiKey: string | undefined;
  readonly baseUrl: string | undefined;
  readonly models: readonly string[];
}

/** Asks for the key, where one is needed, and tries it with one real request. */
async function askConnection(
  streams: Streams,
  found: SetupFound,
  chosen: ChosenProvider,
): Promise<Connection> {
  const { provider } = chosen;
  if (provider === "demo" || chosen.models.length > 0) {
    return { apiKey: undefined, baseUrl: chosen.baseUrl, models: chosen.models };
  }
  return await connect(streams, found, {
    ...chosen,
    provider,
    apiKey: await askKey(streams, found.settings, provider),
  });
}

interface Attempt extends ChosenProvider {
  readonly apiKey: string | undefined;
}

async function connect(streams: Streams, found: SetupFound, attempt: Attempt): Promise<Connection> {
  const { provider, apiKey, baseUrl } = attempt;
  const check = await tryProvider(
    streams,
    found,
    defined({ provider, apiKey: apiKey ?? keyOf(found.settings, provider), baseUrl }),
  );
  if (check.ok) return { apiKey, baseUrl, models: check.models };
  const options = waysOn(attempt);
  const next = await answerOf(
    prompts.select<string>({ message: "How to go on?", options, ...streams }),
  );
  if (next === "keep") return { apiKey, baseUrl, models: [] };
  if (next === "skip") return { apiKey: undefined, baseUrl, models: [] };
  if (next === "retry") return await connect(streams, found, attempt);
  if (next === "address") {
    const other = await enterBaseUrl(streams, baseUrl);
    return await connect(streams, found, { ...attempt, baseUrl: other });
  }
  return await connect(streams, found, { ...attempt, apiKey: await enterKey(streams, provider) });
}

/** What may help after a provider did not answer as it should. */
function waysOn({ provider, apiKey }: Attempt): { value: string; label: string }[] {
  const hasAddress = provider === "ollama" || provider === "openai-compatible";
  return [
    { value: "retry", label: "Try again" },
    ...(hasAddress ? [{ value: "address", label: "Enter another address" }] : []),
    ...(provider === "ollama" ? [] : [{ value: "key", label: "Enter another key" }]),
    { value: "keep", label: "Keep it anyway" },
    ...(apiKey === undefined ? [] : [{ value: "skip", label: "Go on without a key" }]),
  ];
}

async function tryProvider(
  streams: Streams,
  found: SetupFound,
  settings: ProviderSettings,
): Promise<ProviderCheck> {
  const name = settings.provider === "openai-compatible" ? "the server" : LABELS[settings.provider];
  prompts.log.step(`Asking ${name} for its models…`, streams);
  const check = await found.checkProvider(settings);
  if (check.ok) prompts.log.success(`It answers, with ${modelCount(check.models)}.`, streams);
  else {
    const { message, fix } = check.error;
    const lines = fix === undefined ? [message] : [message, `Fix: ${fix}`];
    const columns = columnsOf(streams.output) - BAR_COLUMNS;
    prompts.log.error(lines.flatMap((line) => wrapText(line, columns)).join("\n"), streams);
  }
  return check;
}

/** @returns undefined when the key that is set already is to be used, or none is needed. */
async function askKey(
  streams: Streams,
  settings: Settings,
  provider: Exclude<ProviderName, "demo">,
): Promise<string | undefined> {
  if (provider === "ollama") return undefined;
  const isSet = keyOf(settings, provider) !== undefined;
  if (isSet) {
    const variable = KEY_VARIABLES[provider];
    const use = await answerOf(
      prompts.confirm({
        message: `Use the key that is set in ${variable}?`,
        inactive: "Enter another",
        ...streams,
      }),
    );
    return use ? undefined : await enterKey(streams, provider);
  }
  if (provider === "openai-compatible") {
    const wants = await answerOf(
      prompts.confirm({ message: "Does the server want a key?", initialValue: false, ...streams }),
    );
    if (!wants) return undefined;
  }
  return await enterKey(streams, provider);
}

async function enterKey(streams: Streams, provider: ProviderName): Promise<string> {
  const key = await answerOf(
    prompts.password({
      message: `Key for ${LABELS[provider]}`,
      validate: (text) =>
        /^\s*\S+\s*$/.test(text ?? "") ? undefined : "A key is one word without spaces.",
      ...streams,
    }),
  );
  return key.trim();
}

async function askModel(
  streams: Streams,
  { settings }: SetupFound,
  chosen: ChosenProvider,
): Promise<string | undefined> {
  if (chosen.provider === "demo") return undefined;
  const sameProvider = settings.llm.provider === chosen.provider;
  const current = sameProvider ? settings.llm.model : undefined;
  const { models } = chosen;
  if (models.length === 0) return await enterModel(streams, current);
  const options = [
    ...models.map((model) => ({ value: model, label: model })),
    { value: OTHER_MODEL, label: "Another: enter its name" },
    { value: NO_MODEL, label: "None: leave it to the product" },
  ];
  const initialValue = current !== undefined && models.includes(current) ? current : models[0];
  const question = {
    message: "Which model, where a workflow names none?",
    options,
    maxItems: SELECT_MAX,
    ...(initialValue === undefined ? {} : { initialValue }),
    ...streams,
  };
  const model = await answerOf(
    models.length > SELECT_MAX ? prompts.autocomplete(question) : prompts.select(question),
  );
  if (model === OTHER_MODEL) return await enterModel(streams, current);
  return model === NO_MODEL ? undefined : model;
}

async function enterModel(
  streams: Streams,
  current: string | undefined,
): Promise<string | undefined> {
  const model = await answerOf(
    prompts.text({
      message: "Model, where a workflow names none (may be left empty)",
      defaultValue: "",
      ...(current === undefined ? {} : { initialValue: current }),
      ...streams,
    }),
  );
  return model.trim() === "" ? undefined : model.trim();
}

async function askInstall(streams: Streams): Promise<boolean> {
  return await answerOf(
    prompts.confirm({
      message: "MLflow is not installed. Install it now (about 250 MB)?",
      ...streams,
    }),
  );
}
