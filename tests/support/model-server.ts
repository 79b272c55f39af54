/**
 * A model server for tests: real HTTP in the wire formats of all five provider kinds. A small server
 * in front of @copilotkit/aimock records what was sent, tells aimock's fixtures which JSON Schema the
 * request asks for (aimock itself drops it), and plays the faults that aimock cannot.
 *
 * In a test: `await using server = await startModelServer()`, then `server.baseUrlFor("openai")`.
 * From another process: `bun tests/support/model-server.ts --port 0` prints one line of JSON with the
 * URLs, and ends on SIGTERM or when its standard input closes; `GET <url>/control/requests` gives what
 * was sent, `POST <url>/control/next` with a list of plays arranges the next answers, and `DELETE
 * <url>/control` forgets both.
 *
 * Without fixtures every request is answered: with JSON that satisfies the schema that it asks for,
 * else with a sentence about the question. Two things provoke errors without any arrangement: a key
 * that begins with `bad` (401) and a model whose name begins with `no-such` (404). Models named
 * `mock-429`, `mock-500`, `mock-529`, `mock-stall` and `mock-cut` do what they say, every time.
 * `<url>/serper/search` answers as serper.dev does.
 */
import { type ChatCompletionRequest, type Fixture, LLMock } from "@copilotkit/aimock";
import { at, fillSchema, listAt, type Value } from "./fill-schema.ts";
import { encodeAnswer, encodeError, type WireAnswer, type WireFormat } from "./model-wire.ts";

export type MockedProvider = "openai" | "anthropic" | "google" | "ollama" | "openai-compatible";

/** Something that the server does once in place of an ordinary answer. */
export type Play =
  | {
      readonly kind: "status";
      readonly status: number;
      readonly message?: string;
      readonly code?: string;
      readonly headers?: Readonly<Record<string, string>>;
      /** The body as it is; made from the message otherwise. */
      readonly body?: string;
    }
  /** A hand-written answer. */
  | ({ readonly kind: "answer"; readonly delayMs?: number } & WireAnswer)
  /** Takes the request and says nothing, ever. */
  | { readonly kind: "silence" }
  /** Sends the pieces, then nothing more, but stays connected. */
  | { readonly kind: "stall"; readonly pieces: readonly string[] }
  /** Sends the pieces, then breaks the connection. */
  | { readonly kind: "cut"; readonly pieces: readonly string[] }
  /** Sends the pieces and ends properly, but without the end mark. */
  | { readonly kind: "half"; readonly pieces: readonly string[] }
  /** Sends the pieces, then these server-sent events as they are. */
  | { readonly kind: "raw"; readonly pieces: readonly string[]; readonly events: string };

export interface RecordedRequest {
  readonly provider: MockedProvider;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Value;
}

export interface ModelServerOptions {
  readonly port?: number;
  /** Tried in order before the default answer. */
  readonly fixtures?: readonly Fixture[];
  /** Between two pieces of aimock's answers. */
  readonly latencyMs?: number;
  /** Call the first offered tool before answering. */
  readonly callTools?: boolean;
  readonly models?: Partial<Record<MockedProvider, readonly string[]>>;
}

export interface ModelServer extends AsyncDisposable {
  readonly url: string;
  baseUrlFor(provider: MockedProvider): string;
  readonly serperUrl: string;
  requests(): RecordedRequest[];
  /** The next model calls get these, one each; then the server is its ordinary self again. */
  next(...plays: Play[]): void;
  stop(): Promise<void>;
}

const MODELS: Record<MockedProvider, readonly string[]> = {
  openai: ["gpt-6-luna", "gpt-5-mini", "gpt-4o", "gpt-4o-mini", "text-embedding-3-small"],
  anthropic: ["claude-haiku-4-5-20251001", "claude-sonnet-5", "claude-opus-5"],
  google: ["gemini-3.5-flash-lite", "gemini-2.5-flash-lite", "gemini-2.5-pro"],
  ollama: ["llama3.2:latest", "qwen3:8b"],
  "openai-compatible": ["local-model", "qwen3-8b"],
};
const BASE_PATHS: Record<MockedProvider, string> = {
  openai: "/v1",
  anthropic: "/v1",
  google: "/v1beta",
  ollama: "",
  "openai-compatible": "/v1",
};
/** What every answer of aimock is said to have used. */
export const MOCK_USAGE = { input: 1_000, output: 500 };
/** The same under the names that each format has for it. */
export const USAGE_OVERRIDES = {
  prompt_tokens: MOCK_USAGE.input,
  completion_tokens: MOCK_USAGE.output,
  input_tokens: MOCK_USAGE.input,
  output_tokens: MOCK_USAGE.output,
  promptTokenCount: MOCK_USAGE.input,
  candidatesTokenCount: MOCK_USAGE.output,
};
const PIECE_LENGTH = 8;
const STREAM_HEADERS = { "content-type": "text/event-stream", "cache-control": "no-cache" };

export async function startModelServer(options: ModelServerOptions = {}): Promise<ModelServer> {
  const schemas = new Map<string, Wanted>();
  const recorded: RecordedRequest[] = [];
  const plays: Play[] = [];
  const mock = await startMock(options, schemas);
  const server = Bun.serve({
    port: options.port ?? 0,
    hostname: "127.0.0.1",
    idleTimeout: 0,
    development: false,
    // A connection that is cut on purpose is nothing to print.
    error: () => new Response(null, { status: 500 }),
    async fetch(request) {
      const url = new URL(request.url);
      if (url.pathname.startsWith("/control")) return control(request, { recorded, plays });
      if (url.pathname === "/serper/search") return serper(request);
      const [, first = ""] = url.pathname.split("/");
      const provider = isProvider(first) ? first : "openai-compatible";
      const path = isProvider(first) ? url.pathname.slice(first.length + 1) : url.pathname;
      if (request.method === "GET") return list(request, { provider, path, options });
      const body: Value = JSON.parse(await request.text());
      const headers = Object.fromEntries(request.headers);
      recorded.push({ provider, path: path + url.search, headers, body });
      const asked: Asked = { format: formatOf(path), model: modelOf(path, body), headers };
      const play = plays.shift() ?? standingPlay(asked);
      if (play !== undefined) return perform(play, asked);
      const id = crypto.randomUUID();
      schemas.set(id, wantedJson(body));
      const upstream = await fetch(`${mock.url}${path}${url.search}`, {
        method: "POST",
        headers: { ...headers, "x-aimock-context": id, "accept-encoding": "identity" },
        body: JSON.stringify(body),
        signal: request.signal,
      });
      return new Response(upstream.body, {
        status: upstream.status,
        headers: { "content-type": upstream.headers.get("content-type") ?? "application/json" },
      });
    },
  });
  const url = `http://127.0.0.1:${server.port}`;
  const stop = async () => {
    await server.stop(true);
    await mock.stop();
  };
  return {
    url,
    baseUrlFor: (provider) => `${url}/${provider}${BASE_PATHS[provider]}`,
    serperUrl: `${url}/serper`,
    requests: () => [...recorded],
    next: (...arranged) => void plays.push(...arranged),
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

/** What a request asks for beyond free text. */
interface Wanted {
  readonly schema: Value | undefined;
  /** The JSON must come as the arguments of this tool. */
  readonly tool: string | undefined;
  /** All tools that the request offers; aimock does not pass on how Google is told of them. */
  readonly offered: readonly { readonly name: string; readonly parameters: Value | undefined }[];
}

interface Asked {
  readonly format: WireFormat;
  readonly model: string;
  readonly headers: Readonly<Record<string, string>>;
}

async function startMock(
  options: ModelServerOptions,
  schemas: ReadonlyMap<string, Wanted>,
): Promise<LLMock> {
  const mock = new LLMock({
    port: 0,
    logLevel: "silent",
    latency: options.latencyMs ?? 0,
    chunkSize: PIECE_LENGTH,
  });
  for (const fixture of options.fixtures ?? []) mock.addFixture(fixture);
  mock.addFixture({
    match: { endpoint: "chat", predicate: () => true },
    response: (request) =>
      defaultAnswer(request, { schemas, callTools: options.callTools === true }),
  });
  await mock.start();
  return mock;
}

function defaultAnswer(
  request: ChatCompletionRequest,
  { schemas, callTools }: { schemas: ReadonlyMap<string, Wanted>; callTools: boolean },
) {
  const { _context: id = "" } = request;
  const wanted = schemas.get(id);
  const called = request.messages.some((message) => message.role === "tool");
  const tool = wanted?.offered.find(({ name }) => name !== wanted.tool);
  const usage = USAGE_OVERRIDES;
  if (callTools && tool !== undefined && !called) {
    const filled = JSON.stringify(fillSchema(tool.parameters));
    return { usage, toolCalls: [{ name: tool.name, arguments: filled }] };
  }
  if (wanted?.schema === undefined) return { usage, content: sentence(request) };
  const json = JSON.stringify(fillSchema(wanted.schema));
  if (wanted.tool === undefined) return { usage, content: json };
  return { usage, toolCalls: [{ name: wanted.tool, arguments: json }] };
}

function sentence(request: ChatCompletionRequest): string {
  const asked = request.messages.findLast((message) => message.role === "user")?.content;
  const question = typeof asked === "string" ? asked : JSON.stringify(asked ?? "");
  return `The mock server was asked: ${question.slice(0, 80)}`;
}

/** The schema that a request asks for, wherever its provider puts it, or our words do. */
function wantedJson(body: Value): Wanted {
  const native =
    at(body, "text", "format", "schema") ??
    at(body, "response_format", "json_schema", "schema") ??
    at(body, "output_config", "format", "schema") ??
    at(body, "generationConfig", "responseJsonSchema");
  const offered = offeredTools(body);
  if (native !== undefined) return { schema: native, tool: undefined, offered };
  const tool = offered.find(({ name }) => name === "json");
  if (tool !== undefined) return { schema: tool.parameters, tool: "json", offered };
  const told = /must satisfy this JSON Schema:\\n(.*?)(?<!\\)"/.exec(JSON.stringify(body))?.[1];
  const schema: Value | undefined =
    told === undefined ? undefined : JSON.parse(JSON.parse(`"${told}"`));
  return { schema, tool: undefined, offered };
}

function offeredTools(body: Value): Wanted["offered"] {
  const tools = listAt(body, "tools");
  const declared = tools.flatMap((tool) => listAt(tool, "functionDeclarations"));
  return [...tools, ...declared].flatMap((tool) => {
    const described = at(tool, "function") ?? tool;
    const name = at(described, "name");
    const parameters =
      at(described, "parameters") ??
      at(described, "input_schema") ??
      at(described, "parametersJsonSchema");
    return typeof name === "string" ? [{ name, parameters }] : [];
  });
}

function isProvider(name: string): name is MockedProvider {
  return name in MODELS;
}

function formatOf(path: string): WireFormat {
  if (path.endsWith("/responses")) return "responses";
  if (path.endsWith("/messages")) return "messages";
  return path.includes("generateContent") || path.includes("GenerateContent") ? "gemini" : "chat";
}

function modelOf(path: string, body: Value): string {
  const named = at(body, "model");
  return typeof named === "string" ? named : (/models\/([^:]+):/.exec(path)?.[1] ?? "");
}

/** What a request provokes by its key or its model. */
function standingPlay({ model, headers, format }: Asked): Play | undefined {
  const key =
    headers["x-api-key"] ??
    headers["x-goog-api-key"] ??
    headers["authorization"]?.replace("Bearer ", "");
  if (key?.startsWith("bad") === true) {
    // Google says 400 to a key that it does not know.
    const status = format === "gemini" ? 400 : 401;
    return { kind: "status", status, message: `API key not valid: ${key}.` };
  }
  if (model.startsWith("no-such")) {
    const message = `The model \`${model}\` does not exist.`;
    return { kind: "status", status: 404, message, code: "model_not_found" };
  }
  const pieces = ["One", " two"];
  switch (model) {
    case "mock-429":
      return {
        kind: "status",
        status: 429,
        message: "Slow down.",
        headers: { "retry-after": "2" },
      };
    case "mock-500":
      return { kind: "status", status: 500, message: "Something broke." };
    case "mock-529":
      return { kind: "status", status: 529, message: "Overloaded." };
    case "mock-stall":
      return { kind: "stall", pieces };
    case "mock-cut":
      return { kind: "cut", pieces };
    default:
      return undefined;
  }
}

function perform(play: Play, asked: Asked): Response | Promise<Response> {
  if (play.kind === "silence") return new Promise<Response>(() => {});
  if (play.kind !== "status") {
    return new Response(performStream(play, asked), { headers: STREAM_HEADERS });
  }
  return new Response(play.body ?? errorBody(play, asked), {
    status: play.status,
    headers: { "content-type": "application/json", ...play.headers },
  });
}

function errorBody(play: Extract<Play, { kind: "status" }>, { format }: Asked): string {
  const { status, message = "Refused by the test.", code } = play;
  return encodeError(format, { status, message, ...(code === undefined ? {} : { code }) });
}

type StreamPlay = Exclude<Play, { kind: "status" | "silence" }>;

function performStream(play: StreamPlay, asked: Asked): ReadableStream {
  const encoded = encodeAnswer(asked.format, play, asked.model);
  const encoder = new TextEncoder();
  return new ReadableStream({
    async start(controller) {
      const send = (event: string) => controller.enqueue(encoder.encode(event));
      for (const event of encoded.start) send(event);
      for (const event of encoded.pieces) {
        send(event);
        if (play.kind === "answer") await Bun.sleep(play.delayMs ?? 0);
        else await Bun.sleep(5);
      }
      if (play.kind === "stall") return;
      if (play.kind === "cut") {
        // The pieces must be on their way before the connection breaks.
        await Bun.sleep(20);
        controller.error(new Error("cut"));
        return;
      }
      if (play.kind === "answer") for (const event of encoded.end) send(event);
      if (play.kind === "raw") send(play.events);
      controller.close();
    },
  });
}

function list(
  request: Request,
  {
    provider,
    path,
    options,
  }: { provider: MockedProvider; path: string; options: ModelServerOptions },
): Response {
  const refused = standingPlay({
    format: path.startsWith("/v1beta") ? "gemini" : "chat",
    model: "",
    headers: Object.fromEntries(request.headers),
  });
  if (refused?.kind === "status") {
    return Response.json(
      { error: { code: refused.status, message: refused.message, status: "UNAUTHENTICATED" } },
      { status: refused.status },
    );
  }
  const models = options.models?.[provider] ?? MODELS[provider];
  if (path === "/api/version") return Response.json({ version: "0.12.0" });
  if (path === "/api/tags") {
    const details = { family: "llama", parameter_size: "3B" };
    return Response.json({ models: models.map((name) => ({ name, model: name, details })) });
  }
  if (path === "/v1beta/models") {
    return Response.json({
      models: models.map((id) => ({
        name: `models/${id}`,
        supportedGenerationMethods: ["generateContent", "countTokens"],
      })),
    });
  }
  if (path === "/v1/models") {
    return Response.json({ object: "list", data: models.map((id) => ({ id, object: "model" })) });
  }
  const one = /^\/v1(?:beta)?\/models\/(.+)$/.exec(path)?.[1];
  const isKnown = one !== undefined && models.some((model) => model.startsWith(one));
  return isKnown
    ? Response.json({ id: one, object: "model" })
    : Response.json({ error: { message: "Not found.", code: 404 } }, { status: 404 });
}

async function serper(request: Request): Promise<Response> {
  const key = request.headers.get("x-api-key") ?? "";
  if (key === "" || key.startsWith("bad")) {
    return Response.json({ message: "Unauthorized.", statusCode: 403 }, { status: 403 });
  }
  const { q, num = 10 } = (await request.json()) as { q: string; num?: number };
  return Response.json({
    searchParameters: { q, type: "search", engine: "google" },
    organic: Array.from({ length: Math.min(num, 3) }, (_, index) => ({
      title: `Result ${index + 1} for ${q}`,
      link: `https://example.com/${index + 1}`,
      snippet: `What page ${index + 1} says about ${q}.`,
      position: index + 1,
    })),
    credits: 1,
  });
}

async function control(
  request: Request,
  { recorded, plays }: { recorded: RecordedRequest[]; plays: Play[] },
): Promise<Response> {
  if (request.method === "POST") plays.push(...((await request.json()) as Play[]));
  if (request.method === "DELETE") {
    recorded.length = 0;
    plays.length = 0;
  }
  return Response.json(recorded);
}

function flag(name: string): string | undefined {
  const index = process.argv.indexOf(name);
  return index < 0 ? undefined : process.argv[index + 1];
}

if (import.meta.main) {
  const server = await startModelServer({
    port: Number(flag("--port") ?? 0),
    latencyMs: Number(flag("--latency") ?? 0),
    callTools: process.argv.includes("--call-tools"),
  });
  const providers = Object.keys(MODELS).filter(isProvider);
  console.log(
    JSON.stringify({
      url: server.url,
      serperUrl: server.serperUrl,
      baseUrls: Object.fromEntries(providers.map((name) => [name, server.baseUrlFor(name)])),
    }),
  );
  const stop = () => void server.stop().then(() => process.exit(0));
  process.on("SIGTERM", stop);
  process.on("SIGINT", stop);
  process.stdin.on("end", stop).resume();
}
