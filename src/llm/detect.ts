/**
 * Finds model servers that run on this machine, by asking the ports on which they usually listen for
 * something that only they answer. All at once, so that it takes as long as the slowest one.
 */
import { isJsonObject, type Json } from "../lib/json.ts";
import { idsOfData, listUnder, textOf } from "./models-body.ts";
import { ollama } from "./provider/ollama.ts";

export const DETECTION_TIMEOUT_MS = 400;

export type LocalServerKind =
  | "ollama"
  | "lm-studio"
  | "llama.cpp"
  | "vllm"
  | "jan"
  | "docker-model-runner";

export interface LocalServer {
  readonly kind: LocalServerKind;
  readonly name: string;
  /** What the provider `ollama`, or `openai-compatible` for all others, is to be configured with. */
  readonly baseUrl: string;
  /** Models that can chat, those that are loaded first. */
  readonly models: readonly string[];
}

export interface DetectionOptions {
  /** Addresses to ask in place of the usual ones, such as `http://127.0.0.1:1234`. */
  readonly hosts?: Partial<Record<LocalServerKind, string>>;
  /** The value of OLLAMA_HOST: `host`, `host:port` or a URL, often the address that is listened on. */
  readonly ollamaHost?: string;
  readonly timeoutMs?: number;
}

/** One GET; undefined when there is no JSON to be had. */
type Ask = (path: string) => Promise<Json | undefined>;

interface Probe {
  readonly kind: LocalServerKind;
  readonly name: string;
  readonly host: string;
  /** Path of the address to configure. */
  readonly basePath: string;
  /** The models, when this server is what it is taken for; undefined otherwise. */
  readonly identify: (ask: Ask) => Promise<string[] | undefined>;
}

const OLLAMA_PORT = "11434";

const PROBES: readonly Probe[] = [
  {
    kind: "ollama",
    name: "Ollama",
    host: `http://127.0.0.1:${OLLAMA_PORT}`,
    basePath: "",
    async identify(ask) {
      const [version, tags] = await Promise.all([ask("/api/version"), ask("/api/tags")]);
      if (!isJsonObject(version) || textOf(version, "version") === undefined) return undefined;
      return tags === undefined ? undefined : ollama.parseModels(tags);
    },
  },
  {
    kind: "lm-studio",
    name: "LM Studio",
    host: "http://127.0.0.1:1234",
    basePath: "/v1",
    async identify(ask) {
      const list = await ask("/api/v0/models");
      if (!isJsonObject(list) || !Array.isArray(list["data"])) return undefined;
      const usable = listUnder(list, "data").filter(
        (item) => textOf(item, "type") !== "embeddings",
      );
      const isLoaded = (item: (typeof usable)[number]) => textOf(item, "state") === "loaded";
      const ordered = [...usable.filter(isLoaded), ...usable.filter((item) => !isLoaded(item))];
      return ordered.flatMap((item) => textOf(item, "id") ?? []);
    },
  },
  {
    kind: "llama.cpp",
    name: "llama.cpp",
    host: "http://127.0.0.1:8080",
    basePath: "/v1",
    async identify(ask) {
      const [props, list] = await Promise.all([ask("/props"), ask("/v1/models")]);
      if (!isJsonObject(props) || !("default_generation_settings" in props)) return undefined;
      return idsOfData(list ?? null);
    },
  },
  {
    kind: "vllm",
    name: "vLLM",
    host: "http://127.0.0.1:8000",
    basePath: "/v1",
    async identify(ask) {
      const [version, list] = await Promise.all([ask("/version"), ask("/v1/models")]);
      if (!isJsonObject(version) || textOf(version, "version") === undefined) return undefined;
      const models = listUnder(list ?? null, "data");
      const isVllm = models.some((model) => textOf(model, "owned_by") === "vllm");
      return isVllm ? idsOfData(list ?? null) : undefined;
    },
  },
  {
    kind: "jan",
    name: "Jan",
    host: "http://127.0.0.1:1337",
    basePath: "/v1",
    identify: (ask) => identifyByList(ask, "/v1/models"),
  },
  {
    kind: "docker-model-runner",
    name: "Docker Model Runner",
    host: "http://127.0.0.1:12434",
    basePath: "/engines/v1",
    identify: (ask) => identifyByList(ask, "/engines/v1/models"),
  },
];

/** The local servers that answer within the time, in a fixed order. Never throws. */
export async function detectLocalServers(options: DetectionOptions = {}): Promise<LocalServer[]> {
  const { hosts = {}, ollamaHost, timeoutMs = DETECTION_TIMEOUT_MS } = options;
  const found = await Promise.all(
    PROBES.map(async ({ kind, name, host, basePath, identify }) => {
      const own = kind === "ollama" && ollamaHost !== undefined ? ollamaUrl(ollamaHost) : host;
      const address = (hosts[kind] ?? own).replace(/\/+$/, "");
      const models = await identify((path) => getJson(`${address}${path}`, timeoutMs));
      return models === undefined ? [] : [{ kind, name, baseUrl: `${address}${basePath}`, models }];
    }),
  );
  return found.flat();
}

/** A server that is told apart by its port alone answers with a list of models. */
async function identifyByList(ask: Ask, path: string): Promise<string[] | undefined> {
  const list = await ask(path);
  const isList = isJsonObject(list) && textOf(list, "object") === "list";
  return isList ? idsOfData(list) : undefined;
}

/** The address to reach the server at that listens on `host`. */
function ollamaUrl(host: string): string {
  const trimmed = host.trim();
  if (trimmed === "") return `http://127.0.0.1:${OLLAMA_PORT}`;
  const hasScheme = trimmed.includes("://");
  const filled = trimmed.startsWith(":") ? `127.0.0.1${trimmed}` : trimmed;
  const url = URL.canParse(hasScheme ? trimmed : `http://${filled}`)
    ? new URL(hasScheme ? trimmed : `http://${filled}`)
    : undefined;
  if (url === undefined) return `http://127.0.0.1:${OLLAMA_PORT}`;
  if (url.port === "" && !hasScheme) url.port = OLLAMA_PORT;
  if (url.hostname === "0.0.0.0" || url.hostname === "[::]") url.hostname = "127.0.0.1";
  // A server behind a proxy has a path of its own.
  return (url.origin + url.pathname).replace(/\/+$/, "");
}

async function getJson(url: string, timeoutMs: number): Promise<Json | undefined> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(timeoutMs) });
    return response.ok ? JSON.parse(await response.text()) : undefined;
  } catch {
    // Nobody there, too slow, or no JSON: in each case it is not the server that is looked for.
    return undefined;
  }
}
