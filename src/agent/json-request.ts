/** One request of JSON to an agent, and what its refusal means. */
import { AppError } from "../domain/error.ts";
import { httpRefusal } from "../domain/http-refusal.ts";
import { decodeText } from "../lib/decode-text.ts";
import { type Json, parseJson } from "../lib/json.ts";
import { withTimeLimit } from "../lib/time-limit.ts";
import type { AgentDeps } from "./protocol.ts";

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
    json: parseJson(text),
  };
}

export function isOk({ status }: JsonAnswer): boolean {
  return status >= 200 && status <= 299;
}

/** What a status other than 2xx says: come back later, or not at all. */
export function refusal(answer: JsonAnswer, nowMs: number): AppError {
  const { status, headers, url, text } = answer;
  const { origin, pathname } = new URL(url);
  const refused = {
    subject: `${origin}${pathname}`,
    status,
    headers,
    text,
    code: "agent_failed",
    fixes: { limited: "Try again later.", other: "Check the agent's address." },
  } as const;
  return httpRefusal(refused, nowMs);
}
