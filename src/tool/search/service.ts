/** What the search services have in common. */
import { AppError } from "../../domain/error.ts";
import type { HttpPort, HttpRequest } from "../../domain/http.ts";
import { isJsonObject, type Json, type JsonObject, parseJson } from "../../lib/json.ts";
import { callHttp } from "../call-http.ts";

export interface SearchQuery {
  readonly query: string;
  readonly count: number;
  readonly signal: AbortSignal;
}

export interface SearchService {
  /** Whether its key or address is set. */
  readonly isReady: boolean;
  /** The variable that sets it up, and where a key comes from. */
  readonly variable: string;
  readonly hint: string;
  /** @throws AppError `tool_failed`; the signal's reason. */
  search(query: SearchQuery): Promise<JsonObject>;
}

const CAUSE_CHARS_MAX = 300;

interface Service {
  readonly name: string;
  readonly http: HttpPort;
  readonly variable: string;
  readonly redact: (text: string) => string;
}

/** Asks a service and reads its JSON. Its address is the owner's choice, so it may be a private one. */
export async function askService(
  { name, http, variable, redact }: Service,
  request: Omit<HttpRequest, "trusted">,
): Promise<JsonObject> {
  const answer = await callHttp(http, { ...request, trusted: true });
  const text = new TextDecoder().decode(answer.body);
  const cause = new Error(`HTTP ${answer.status}: ${redact(text).slice(0, CAUSE_CHARS_MAX)}`);
  if (answer.status === 401 || answer.status === 403) {
    throw new AppError("tool_failed", `${name} rejected the request (HTTP ${answer.status}).`, {
      fix: `Set ${variable} to a valid value.`,
      cause,
    });
  }
  const body = answer.status < 300 ? readJson(text) : undefined;
  if (body === undefined) {
    throw new AppError("tool_failed", `The search with ${name} failed (HTTP ${answer.status}).`, {
      fix: `Try again later; look at ${name} for the state of the account.`,
      cause,
    });
  }
  return body;
}

function readJson(text: string): JsonObject | undefined {
  const value = parseJson(text);
  return isJsonObject(value) ? value : undefined;
}

/** The results in one form: title, link, snippet, and the date where it is known. */
export function resultsOf(
  list: Json | undefined,
  count: number,
  names: { readonly link: string; readonly snippet: string; readonly date?: string },
): JsonObject[] {
  const items: readonly Json[] = Array.isArray(list) ? list : [];
  return items
    .filter(isJsonObject)
    .slice(0, count)
    .map((item) => {
      const { [names.link]: link, [names.snippet]: snippet, title } = item;
      const date = names.date === undefined ? undefined : item[names.date];
      return textsOf({ title, link, snippet, date });
    });
}

/** The entries that are texts. */
export function textsOf(entries: Readonly<Record<string, Json | undefined>>): JsonObject {
  const texts = Object.entries(entries).flatMap(([name, value]) =>
    typeof value === "string" && value !== "" ? [[name, value] as const] : [],
  );
  return Object.fromEntries(texts);
}
