/** Which models a server has: one cheap request. */
import { parseJson } from "../lib/json.ts";
import { type FailureContext, toAppError } from "./failure.ts";
import { nearestModels } from "./nearest-model.ts";
import type { Connection, Provider } from "./provider.ts";

/** A list is asked for while somebody waits. */
export const MODEL_LIST_TIMEOUT_MS = 10_000;
/** With a failed call in hand, a suggestion may not take long. */
const SUGGESTION_TIMEOUT_MS = 2_000;

export interface ModelServer {
  readonly provider: Provider;
  readonly connection: Connection;
}

/** An answer that is no list of models; the same shape as the SDK's, for `toAppError`. */
interface HttpFault {
  readonly statusCode: number;
  readonly message: string;
  readonly responseBody: string;
  readonly responseHeaders: Readonly<Record<string, string>>;
}

export type ModelList =
  | { readonly kind: "listed"; readonly models: string[] }
  /** The server answers, but has no list. */
  | { readonly kind: "no_list" }
  /** The cause is for `toAppError`. */
  | { readonly kind: "failed"; readonly cause: unknown };

/** Asks for the list of models. Never throws. */
export async function fetchModels(
  { provider, connection }: ModelServer,
  timeoutMs = MODEL_LIST_TIMEOUT_MS,
): Promise<ModelList> {
  const { url, headers } = provider.modelsRequest(connection);
  try {
    const response = await fetch(url, { headers, signal: AbortSignal.timeout(timeoutMs) });
    const text = await response.text();
    if (response.ok) return readList(provider, text);
    if (response.status === 404 || response.status === 405) return { kind: "no_list" };
    const fault: HttpFault = {
      statusCode: response.status,
      message: faultMessage(text),
      responseBody: text,
      responseHeaders: Object.fromEntries(response.headers),
    };
    return { kind: "failed", cause: fault };
  } catch (error) {
    // Refused, unknown host, time-out: all are reported, none is a fault of this program.
    return { kind: "failed", cause: error };
  }
}

/** Models with a name like the unknown one; empty when the list cannot be had quickly. */
export async function suggestModels(context: FailureContext): Promise<string[]> {
  const list = await fetchModels(context, SUGGESTION_TIMEOUT_MS);
  return list.kind === "listed" ? nearestModels(context.model, list.models) : [];
}

/** The list. @throws AppError what keeps the server from giving it. */
export async function requireModels(context: FailureContext): Promise<string[]> {
  const list = await fetchModels(context);
  if (list.kind === "failed") throw toAppError(list.cause, context).error;
  return list.kind === "listed" ? list.models : [];
}

function readList(provider: Provider, text: string): ModelList {
  const body = parseJson(text);
  return body === undefined
    ? { kind: "no_list" }
    : { kind: "listed", models: provider.parseModels(body) };
}

function faultMessage(text: string): string {
  return /"message"\s*:\s*"((?:[^"\\]|\\.)*)"/.exec(text)?.[1] ?? "";
}
