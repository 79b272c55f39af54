/**
 * CA's deployed workflows: `POST /run` with the inputs answers with the outputs, or, when that takes too long,
 * with a job that `GET /status/{job}` tells about. Such a server begins anew with every POST, so a message
 * is posted once and then only asked about.
 */
import type { AgentAddress, AgentReply } from "../domain/agent.ts";
import { AppError } from "../domain/error.ts";
import { bodyExcerpt } from "../domain/http-refusal.ts";
import { assert } from "../lib/assert.ts";
import { errorCode } from "../lib/atomic-file.ts";
import { isJsonObject, type Json, type JsonObject } from "../lib/json.ts";
import { isOk, type JsonAnswer, refusal, requestJson } from "./json-request.ts";
import { pollUntil } from "./poll.ts";
import type { AgentDeps, AgentProtocol } from "./protocol.ts";

/** The server answers when it is done, or when its own patience ends. */
const RUN_TIMEOUT_MS = 10 * 60_000;
const STATUS_TIMEOUT_MS = 30_000;

export function createRun(deps: AgentDeps): AgentProtocol {
  return {
    send: async (address, { inputs, idempotencyKey }, signal) => {
      const work = requestJson(deps, {
        method: "POST",
        url: `${baseOf(address)}/run`,
        headers: { "idempotency-key": idempotencyKey, ...address.headers },
        body: inputs,
        signal,
        timeoutMs: RUN_TIMEOUT_MS,
      });
      return readReply(await orUnknown(work, signal), deps.clock.now());
    },
    follow: ({ headers, ...address }, { job }, { signal }) => {
      assert(typeof job === "string", "a task of a deployed workflow has no job");
      const url = `${baseOf(address)}/status/${encodeURIComponent(job)}`;
      const request = {
        method: "GET",
        url,
        headers,
        signal,
        timeoutMs: STATUS_TIMEOUT_MS,
      } as const;
      return pollUntil({ clock: deps.clock, signal }, async () =>
        readStatus(await requestJson(deps, request), { job, nowMs: deps.clock.now() }),
      );
    },
    // There is no way to end a job.
    cancel: async () => {},
  };
}

/** Codes of connections that were never made: nothing has begun. */
const NOT_CONNECTED =
  /^(?:ECONNREFUSED|EHOSTUNREACH|ENETUNREACH|EADDRNOTAVAIL|EAFNOSUPPORT|ENOTFOUND|EAI_.*|DNS_.*)$/;

/**
 * The answer, or a failure that is not tried again when nobody knows whether the message has arrived: the
 * workflow may be running.
 */
async function orUnknown(work: Promise<JsonAnswer>, signal: AbortSignal): Promise<JsonAnswer> {
  try {
    return await work;
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof AppError) || !mayHaveArrived(error)) throw error;
    throw new AppError(
      "agent_failed",
      "The connection to the agent ended before its answer; the workflow there may be running.",
      { fix: "Look at the agent before you retry the step.", cause: error },
    );
  }
}

function mayHaveArrived({ code, cause }: AppError): boolean {
  if (code === "timeout") return true;
  const reason = cause === undefined ? undefined : errorCode(cause);
  return code === "unavailable" && reason !== undefined && !NOT_CONNECTED.test(reason);
}

function baseOf({ url }: Pick<AgentAddress, "url">): string {
  return url.replace(/\/+$/, "").replace(/\/run$/, "");
}

function readReply(answer: JsonAnswer, nowMs: number): AgentReply {
  if (!isOk(answer)) throw refusedRun(answer, nowMs);
  const body = bodyOf(answer);
  const { job_id: job } = body;
  if (typeof job === "string" && !isDone(body)) return { kind: "task", task: { job } };
  return { kind: "answer", answer: outputsOf(body, answer) };
}

function readStatus(
  answer: JsonAnswer,
  { job, nowMs }: { readonly job: string; readonly nowMs: number },
): Json | undefined {
  if (answer.status === 404) {
    throw new AppError("agent_failed", `The agent no longer knows its job ${job}.`, {
      fix: "Look whether the agent was started anew, then retry the step.",
    });
  }
  if (!isOk(answer)) throw refusal(answer, nowMs);
  const body = bodyOf(answer);
  const { status } = body;
  return status === "pending" || status === "running" ? undefined : outputsOf(body, answer);
}

/** A workflow that failed answers 500 as well; only what says "not now" may be tried again. */
function refusedRun(answer: JsonAnswer, nowMs: number): AppError {
  const { status, json, text } = answer;
  if (status === 429 || status === 503 || status < 500) return refusal(answer, nowMs);
  const detail = isJsonObject(json) ? json["detail"] : undefined;
  return failed(typeof detail === "string" ? detail : bodyExcerpt(text));
}

function bodyOf({ json, text }: JsonAnswer): JsonObject {
  if (isJsonObject(json)) return json;
  throw new AppError("agent_failed", `The agent's answer is no JSON object: ${bodyExcerpt(text)}`, {
    fix: "Check that the address is that of a deployed workflow.",
  });
}

function isDone({ status, outputs }: JsonObject): boolean {
  return status === "success" || status === "completed" || isJsonObject(outputs);
}

function outputsOf(body: JsonObject, { text }: JsonAnswer): Json {
  const { outputs, error, message } = body;
  if (isDone(body)) return outputs ?? {};
  const reason = [error, message].find((said) => typeof said === "string");
  throw failed(typeof reason === "string" ? reason : bodyExcerpt(text));
}

function failed(reason: string): AppError {
  return new AppError("agent_failed", `The agent failed: ${reason}`, {
    fix: "Look at the log of the agent.",
  });
}
