/** One request of JSON to an agent, and what its refusal means. */
import { AppError } from "../domain/error.ts";
import { decodeText } from "../lib/decode-text.ts";
import { defined } from "../lib/defined.ts";
import { endSentence } from "../lib/end-sentence.ts";
import type { Json } from "../lib/json.ts";
import { retryAfterMs } from "../lib/retry-after.ts";
import { withTimeLimit } from "../lib/time-limit.ts";
import type { AgentDeps } from "./protocol.ts";

/** Characters of a refusal's body that its error shows. */
const BODY_SHOWN_CHARS = 300;

export interface JsonRequest {
  readonly method: "GET" | "POST";
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Json;
  readonly signal: AbortSignal;
  /** For the whole request. */
  readonly timeoutMs: number;
}

export interface JsonAnswer {
  readonly url: string;
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
  /** undefined when the body is not JSON. */
  readonly json: Json | undefined;
}

/** Answers of every status. @throws AppError as `HttpPort.request`, `timeout`. */
export async function requestJson(deps: AgentDeps, request: JsonRequest): Promise<JsonAnswer> {
  const { method, url, body, signal, timeoutMs } = request;
  const headers = {
    accept: "application/json",
    ...(body === undefined ? {} : { "content-type": "application/json" }),
    ...request.headers,
  };
  const reason = () =>
    new AppError("timeout", `The agent did not answer within ${timeoutMs / 1_000} s.`, {
      fix: "Try again later; look whether the agent runs.",
    });
  const response = await withTimeLimit(
    { signal, clock: deps.clock, ms: timeoutMs, reason },
    (limited) =>
      deps.http.request({
        method,
        url,
        headers,
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        signal: limited,
      }),
  );
  const text = decodeText(response.body, response.headers["content-type"] ?? "");
  return {
    url: response.url,
    status: response.status,
    headers: response.headers,
    text,
    json: parse(text),
  };
}

export function isOk({ status }: JsonAnswer): boolean {
  return status >= 200 && status <= 299;
}

/** What a status other than 2xx says: come back later, or not at all. */
export function refusal(answer: JsonAnswer, nowMs: number): AppError {
  const { status, headers, url } = answer;
  const { origin, pathname } = new URL(url);
  const said = shorten(answer.text);
  const message = `${origin}${pathname} answered with status ${status}${said === "" ? "." : `: ${endSentence(said)}`}`;
  const wait = defined({ retryAfterMs: retryAfterMs(headers, nowMs) });
  if (status === 429)
    return new AppError("rate_limited", message, { fix: "Try again later.", ...wait });
  if (status === 408 || status >= 500)
    return new AppError("unavailable", message, { fix: "Try again later.", ...wait });
  return new AppError("agent_failed", message, {
    fix:
      status === 401 || status === 403
        ? "Check the key that the node's `headers` send."
        : "Check the agent's address.",
  });
}

export function shorten(text: string): string {
  const line = text.replace(/\s+/g, " ").trim();
  return line.length <= BODY_SHOWN_CHARS
    ? line
    : `${line.slice(0, BODY_SHOWN_CHARS).toWellFormed()}…`;
}

function parse(text: string): Json | undefined {
  try {
    const json: Json = JSON.parse(text);
    return json;
  } catch {
    // The caller shows the text instead.
    return undefined;
  }
}
