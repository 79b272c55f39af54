/**
 * Foreign failures of a model call, translated once: whatever the SDK, the network or the provider
 * says becomes an AppError with a sentence to act on. Keys never get through: the text is redacted.
 */
import { AppError } from "../domain/error.ts";
import { isJsonObject, type Json } from "../lib/json.ts";
import type { Connection, Provider } from "./provider.ts";
import { readRetryAfterMs } from "./retry-after.ts";

export interface FailureContext {
  readonly provider: Provider;
  readonly connection: Connection;
  readonly model: string;
  readonly redact: (text: string) => string;
  readonly nowMs: number;
}

/** No answer, or no further piece of it, for too long. */
export class StallError extends Error {
  override readonly name = "StallError";
  readonly afterMs: number;

  constructor(afterMs: number) {
    super(`Nothing arrived for ${Math.round(afterMs / 1_000)} s.`);
    this.afterMs = afterMs;
  }
}

/** The answer ended without its end mark. */
export class InterruptedError extends Error {
  override readonly name = "InterruptedError";
}

/** What a failed HTTP exchange, or an error event inside a stream, says. */
export interface ProviderFault {
  readonly status: number;
  readonly message: string;
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
}

const DETAILS_CHARS_MAX = 2_000;
const MESSAGE_CHARS_MAX = 300;
const UNPAID = /insufficient_quota|credit balance is too low|insufficient balance/i;
const UNKNOWN_MODEL =
  /model_not_found|model.{0,120}(?:not found|does not exist|not exist|is not available)|(?:unknown|invalid|no such) model|^model:/i;
const BAD_KEY = /api[ _]?key not valid|API_KEY_INVALID|invalid api[ _-]?key|incorrect api key/i;
const UNREACHABLE =
  /ECONNREFUSED|ConnectionRefused|ENOTFOUND|EAI_AGAIN|ECONNRESET|ConnectionClosed|FailedToOpenSocket|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|socket connection was closed|unable to connect|cannot connect|CERT|certificate|DNS/i;
/** What the SDK says of a stream that ends without its end mark, where it says anything. */
const NO_END = /without a finish reason|NoOutputGenerated/;
/** Names of the SDK's errors about answers that are not what the provider is documented to send. */
const UNREADABLE =
  /AI_(?:JSONParseError|TypeValidationError|InvalidResponseDataError|EmptyResponseBodyError|APICallError)/;
const OVERLOADED = 529;

/** The failure in the product's own terms. Its `details` are for `--verbose` and the log. */
export function toAppError(
  error: unknown,
  context: FailureContext,
): { readonly error: AppError; readonly details: string } {
  const fault = readFault(error);
  const details = context.redact(describe(error, fault)).slice(0, DETAILS_CHARS_MAX);
  const own = ownError(error);
  if (own !== undefined) return { error: own, details };
  const translated =
    localFailure(error, context) ??
    (fault === undefined ? undefined : faultFailure(fault, context)) ??
    networkFailure(error, context) ??
    unreadable(error, context) ??
    new AppError("internal", "Internal error.", { cause: error });
  return { error: translated, details };
}

/** Ours, which the SDK may have wrapped. */
function ownError(error: unknown): AppError | undefined {
  if (error instanceof AppError) return error;
  return error instanceof Error ? ownError(error.cause) : undefined;
}

/** True when a provider refuses a request because of the schema that it should enforce. */
export function refusesSchema(error: unknown): boolean {
  const fault = readFault(error);
  return (
    (fault?.status === 400 || fault?.status === 422) &&
    /response_?format|json_?schema|responseJsonSchema|output_config|structured output|grammar|too many states/i.test(
      `${fault.message} ${fault.body}`,
    )
  );
}

/** True when a model refuses to be given a temperature, as those that reason do. */
export function refusesTemperature(error: unknown): boolean {
  const fault = readFault(error);
  return (
    (fault?.status === 400 || fault?.status === 422) &&
    /temperature/i.test(fault.message) &&
    /unsupported|not supported?|deprecated|only the default|only be set to 1/i.test(fault.message)
  );
}

/** True when a model, or the server that it runs on, cannot be given tools. */
export function refusesTools(error: unknown): boolean {
  const fault = readFault(error);
  if (fault === undefined || !TOOL_REFUSAL_STATUS.has(fault.status)) return false;
  return TOOL_REFUSALS.some((pattern) => pattern.test(fault.message));
}

/** Routers say 404 for a model without tools, llama.cpp 500 for a server that was started without. */
const TOOL_REFUSAL_STATUS = new Set([400, 404, 422, 500, 501]);
const TOOL_REFUSALS = [
  /(?:not support|unsupported|that support)[^.]*\b(?:tool|function call)/i,
  /\b(?:tool|function call)[^.]*(?:not supported|not enabled|unsupported|requires? --)/i,
];

function localFailure(error: unknown, { provider, connection }: FailureContext) {
  if (error instanceof StallError) {
    return new AppError(
      "timeout",
      `${provider.label} sent nothing for ${seconds(error.afterMs)}.`,
      {
        fix: `Try again, or check the load of ${connection.baseUrl}.`,
        cause: error,
      },
    );
  }
  const isCut = error instanceof InterruptedError || NO_END.test(causeChain(error));
  if (!isCut) return undefined;
  return new AppError("provider_unreachable", `The answer of ${name(provider)} broke off.`, {
    fix: `Try again; if it happens often, check the network to ${connection.baseUrl}.`,
    cause: error,
  });
}

/** The first rule that fits a fault makes the failure; the last one fits all. */
const RULES: readonly {
  readonly fits: (fault: ProviderFault, text: string) => boolean;
  readonly make: (fault: ProviderFault, context: FailureContext) => AppError;
}[] = [
  { fits: ({ status }) => status === 401 || status === 403, make: keyRejected },
  { fits: ({ status }, text) => status < 500 && BAD_KEY.test(text), make: keyRejected },
  { fits: ({ status }, text) => status === 402 || UNPAID.test(text), make: unpaid },
  { fits: ({ status }) => status === 429, make: rateLimited },
  {
    fits: ({ status }, text) => status < 500 && UNKNOWN_MODEL.test(text),
    make: (fault, context) => unknownModel(context, fault),
  },
  { fits: ({ status }) => status === 404, make: notFound },
  { fits: ({ status }) => status >= 500 || status === 408 || status === 409, make: unavailable },
  { fits: () => true, make: rejected },
];

function faultFailure(fault: ProviderFault, context: FailureContext): AppError | undefined {
  const text = `${fault.message} ${fault.body}`;
  return RULES.find(({ fits }) => fits(fault, text))?.make(fault, context);
}

function rateLimited(fault: ProviderFault, context: FailureContext): AppError {
  return new AppError("rate_limited", `${context.provider.label} limits the rate of requests.`, {
    fix: "Wait and try again, run less at the same time, or use another model.",
    cause: fault,
    ...waitOf(fault, context),
  });
}

function unavailable(fault: ProviderFault, context: FailureContext): AppError {
  const state = fault.status === OVERLOADED ? "is overloaded" : "has a fault of its own";
  return new AppError(
    "provider_unavailable",
    `${context.provider.label} ${state} (HTTP ${fault.status})${reason(fault, context)}.`,
    {
      fix: "Try again later, or use another model.",
      cause: fault,
      ...waitOf(fault, context),
    },
  );
}

function rejected(fault: ProviderFault, context: FailureContext): AppError {
  return new AppError(
    "provider_rejected",
    `${context.provider.label} refused the request (HTTP ${fault.status})${reason(fault, context)}.`,
    {
      fix: "Change what the message names: the prompt, the settings or the output fields.",
      cause: fault,
    },
  );
}

function keyRejected(fault: ProviderFault, context: FailureContext): AppError {
  const { provider, connection } = context;
  const page = provider.keyPage === undefined ? "" : ` (${provider.keyPage})`;
  return new AppError(
    "key_rejected",
    `${provider.label} rejected the key (HTTP ${fault.status})${reason(fault, context)}.`,
    {
      fix:
        provider.keyVariable === undefined
          ? `Check who may use ${connection.baseUrl}.`
          : `Set ${provider.keyVariable} to a valid key${page}.`,
      cause: fault,
    },
  );
}

/** @param suggestions Names that the model may have been meant to have, best first. */
export function unknownModel(
  { provider, model }: Pick<FailureContext, "provider" | "model">,
  cause: unknown,
  suggestions: readonly string[] = [],
): AppError {
  const hint = suggestions.length === 0 ? "" : ` Did you mean ${suggestions.join(", ")}?`;
  return new AppError("unknown_model", `${provider.label} has no model "${model}".${hint}`, {
    fix: provider.unknownModelFix(model),
    cause,
  });
}

function notFound(fault: ProviderFault, context: FailureContext): AppError {
  const { provider, connection } = context;
  return new AppError(
    "provider_rejected",
    `${connection.baseUrl} does not answer as ${name(provider)} does (HTTP 404)${reason(fault, context)}.`,
    {
      fix:
        provider.name === "openai"
          ? `Check ${provider.baseUrlVariable}; a server that only knows chat completions needs the provider openai-compatible.`
          : `Check ${provider.baseUrlVariable}.`,
      cause: fault,
    },
  );
}

function unpaid(fault: ProviderFault, context: FailureContext): AppError {
  return new AppError(
    "provider_rejected",
    `The account at ${name(context.provider)} has no credit left${reason(fault, context)}.`,
    { fix: "Add credit to the account, or use another provider.", cause: fault },
  );
}

function networkFailure(
  error: unknown,
  { provider, connection }: FailureContext,
): AppError | undefined {
  if (!UNREACHABLE.test(causeChain(error))) return undefined;
  return unreachable(provider, connection, error);
}

function unreadable(error: unknown, context: FailureContext): AppError | undefined {
  const { provider, connection } = context;
  if (!UNREADABLE.test(causeChain(error))) return undefined;
  return new AppError(
    "provider_unavailable",
    `${connection.baseUrl} does not answer as ${name(provider)} is known to.`,
    { fix: `Try again; if it stays so, check ${provider.baseUrlVariable}.`, cause: error },
  );
}

/** Nobody answers at the provider's address. */
export function unreachable(provider: Provider, { baseUrl }: Connection, cause: unknown): AppError {
  return new AppError(
    "provider_unreachable",
    `${provider.label} cannot be reached at ${baseUrl}.`,
    {
      fix:
        provider.name === "ollama"
          ? `Start it with \`ollama serve\`, or set ${provider.baseUrlVariable}.`
          : `Check the network and that ${baseUrl} is right (${provider.baseUrlVariable}).`,
      cause,
    },
  );
}

function waitOf(fault: ProviderFault, { nowMs }: FailureContext): { retryAfterMs?: number } {
  const retryAfterMs = readRetryAfterMs({ headers: fault.headers, body: fault.body, nowMs });
  return retryAfterMs === undefined ? {} : { retryAfterMs };
}

function name(provider: Provider): string {
  return provider.label.replace(/^The /, "the ");
}

function seconds(ms: number): string {
  return `${Math.max(1, Math.round(ms / 1_000))} s`;
}

/** The provider's own words, as the end of a sentence. */
function reason(fault: ProviderFault, { redact }: FailureContext): string {
  const words = redact(fault.message).replaceAll(/\s+/g, " ").trim().replace(/\.$/, "");
  if (words === "") return "";
  const isLong = words.length > MESSAGE_CHARS_MAX;
  return `: ${isLong ? `${words.slice(0, MESSAGE_CHARS_MAX)}…` : words}`;
}

function describe(error: unknown, fault: ProviderFault | undefined): string {
  if (fault === undefined) return causeChain(error);
  const wait = Object.entries(fault.headers)
    .filter(([header]) => /retry-after|ratelimit|request-id/.test(header))
    .map(([header, value]) => `${header}: ${value}`);
  return [`HTTP ${fault.status}: ${fault.message}`, ...wait, fault.body].join("\n").trim();
}

function causeChain(error: unknown): string {
  const lines: string[] = [];
  let current = error;
  while (current instanceof Error && lines.length < 8) {
    const code = "code" in current && typeof current.code === "string" ? ` (${current.code})` : "";
    lines.push(`${current.name}: ${current.message}${code}`);
    current = current.cause;
  }
  if (lines.length > 0) return lines.join("\n");
  return typeof error === "string" ? error : (JSON.stringify(error) ?? String(error));
}

/**
 * The SDK hands over an APICallError for an HTTP answer, a plain object for an error event, or the
 * event itself as the provider wrote it; all have a message and most a status.
 */
function readFault(error: unknown): ProviderFault | undefined {
  if (typeof error !== "object" || error === null) return undefined;
  if (error instanceof Error && !("statusCode" in error)) return undefined;
  const status =
    "statusCode" in error ? error.statusCode : "code" in error ? error.code : undefined;
  const isStatus = typeof status === "number" && status >= 400 && status <= 599;
  // A failed connection is an APICallError too, but without a status.
  if (!isStatus && error instanceof Error) return undefined;
  const message = "message" in error && typeof error.message === "string" ? error.message : "";
  return {
    status: isStatus ? status : 500,
    message: message === "" ? messageOf(error) : message,
    body: bodyOf(error),
    headers: headersOf(error),
  };
}

function bodyOf(error: object): string {
  if ("responseBody" in error && typeof error.responseBody === "string") return error.responseBody;
  if ("data" in error) return JSON.stringify(error.data) ?? "";
  return error instanceof Error ? "" : JSON.stringify(error);
}

function messageOf(error: object): string {
  const body: Json = isJsonObject(error) ? error : null;
  const inner = isJsonObject(body) ? body["error"] : undefined;
  if (isJsonObject(inner) && typeof inner["message"] === "string") return inner["message"];
  return typeof inner === "string" ? inner : "";
}

function headersOf(error: object): Record<string, string> {
  if (!("responseHeaders" in error) || !isJsonObject(error.responseHeaders)) return {};
  return Object.fromEntries(
    Object.entries(error.responseHeaders).flatMap(([header, value]) =>
      typeof value === "string" ? [[header.toLowerCase(), value]] : [],
    ),
  );
}
