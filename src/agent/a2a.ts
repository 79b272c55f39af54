/**
 * Agents that speak A2A over JSON-RPC. A message is sent without waiting for its end, so that the task's id is
 * journaled early; the task is then looked at until it is final.
 */
import type { AgentAddress, AgentReply, AgentTask } from "../domain/agent.ts";
import { AppError } from "../domain/error.ts";
import { bodyExcerpt } from "../domain/http-refusal.ts";
import { assert } from "../lib/assert.ts";
import { isJsonObject, type Json, type JsonObject } from "../lib/json.ts";
import {
  type A2aVersion,
  encodeCall,
  encodeMessage,
  type Endpoint,
  readCard,
  readResult,
  type ResultReading,
  type TaskReading,
} from "./a2a-wire.ts";
import { isOk, type JsonAnswer, refusal, requestJson } from "./json-request.ts";
import { pollUntil } from "./poll.ts";
import type { AgentDeps, AgentProtocol } from "./protocol.ts";

const CARD_TIMEOUT_MS = 30_000;
/** An agent may ignore that it is not to be waited for. */
const SEND_TIMEOUT_MS = 10 * 60_000;
const LOOK_TIMEOUT_MS = 30_000;
/** Messages of a task's history that are asked for: its last word may be there alone. */
const HISTORY_LENGTH = 10;
/** JSON-RPC code of A2A for a task that is not there. */
const TASK_NOT_FOUND = -32001;

export function createA2a(deps: AgentDeps): AgentProtocol {
  const call = async (
    address: AgentAddress,
    endpoint: Endpoint,
    { body, signal, timeoutMs }: { body: JsonObject; signal: AbortSignal; timeoutMs: number },
  ): Promise<ResultReading> => {
    const headers = { "a2a-version": endpoint.version, ...address.headers };
    const request = {
      method: "POST",
      url: endpoint.url,
      headers,
      body,
      signal,
      timeoutMs,
    } as const;
    return readAnswer(await requestJson(deps, request), deps.clock.now());
  };
  return {
    send: async (address, message, signal) => {
      if (message.text === "" && Object.keys(message.inputs).length === 0) throw nothingToSay();
      const endpoint = await findEndpoint(deps, address, signal);
      const params = encodeMessage(endpoint.version, message);
      const body = encodeCall(endpoint, "send", params);
      const result = await call(address, endpoint, { body, signal, timeoutMs: SEND_TIMEOUT_MS });
      return toReply(result, endpoint);
    },
    follow: (address, task, { signal, onOutput }) => {
      const { endpoint, id } = readTaskPlace(task);
      const body = encodeCall(endpoint, "get", { id, historyLength: HISTORY_LENGTH });
      let said = "";
      return pollUntil({ clock: deps.clock, signal }, async () => {
        const result = await call(address, endpoint, { body, signal, timeoutMs: LOOK_TIMEOUT_MS });
        if (result.kind === "message") return result.answer;
        if (result.said !== said && result.state === "going") onOutput(`${result.said}\n`);
        said = result.said;
        return finalAnswer(result);
      });
    },
    cancel: async (address, task, signal) => {
      const { endpoint, id } = readTaskPlace(task);
      const body = encodeCall(endpoint, "cancel", { id });
      await call(address, endpoint, { body, signal, timeoutMs: LOOK_TIMEOUT_MS });
    },
  };
}

/** The address is that of the card, or of a place with the card at a well-known path beneath it or its host. */
async function findEndpoint(
  deps: AgentDeps,
  { url, headers }: AgentAddress,
  signal: AbortSignal,
): Promise<Endpoint> {
  let refused: JsonAnswer | undefined;
  for (const cardUrl of cardUrls(url)) {
    const request = { method: "GET", url: cardUrl, headers, signal } as const;
    // The next place is looked at only when this one has no card.
    // oxlint-disable-next-line no-await-in-loop
    const answer = await requestJson(deps, { ...request, timeoutMs: CARD_TIMEOUT_MS });
    if (isOk(answer) && isJsonObject(answer.json)) {
      const endpoint = chooseEndpoint(answer.json, answer.url);
      if (Object.keys(headers).length > 0) refuseForeignEndpoint(endpoint, url);
      return endpoint;
    }
    if (!isOk(answer) && answer.status !== 404 && answer.status !== 405)
      throw refusal(answer, deps.clock.now());
    refused ??= answer;
  }
  throw new AppError("agent_failed", `There is no agent card at ${refused?.url ?? url}.`, {
    fix: "Check the agent's address; for a deployed workflow use `protocol: run`.",
  });
}

function cardUrls(text: string): string[] {
  const url = URL.parse(text);
  if (url === null) {
    throw new AppError("invalid", `\`${text}\` is not an address.`, {
      fix: "Give the whole address of the agent, such as https://example.com.",
    });
  }
  if (url.pathname.endsWith(".json")) return [url.href];
  const base = `${url.origin}${url.pathname.replace(/\/+$/, "")}`;
  // `agent.json` was its name before version 0.3.
  const places = [base, url.origin].flatMap((place) => [
    `${place}/.well-known/agent-card.json`,
    `${place}/.well-known/agent.json`,
  ]);
  return [...new Set(places)];
}

function chooseEndpoint(card: JsonObject, cardUrl: string): Endpoint {
  const [endpoint] = readCard(card, cardUrl);
  if (endpoint === undefined) {
    throw new AppError("agent_failed", "The agent does not offer JSON-RPC.", {
      fix: "Ask its owner for an interface with the binding JSONRPC.",
    });
  }
  if (cardUrl.startsWith("https:") && !endpoint.url.startsWith("https:")) {
    throw new AppError("agent_failed", "The agent's card leads to an address without encryption.", {
      fix: "Ask its owner to name an https address in the card.",
    });
  }
  return endpoint;
}

/**
 * The node's headers may hold a key for the server that the workflow names: a card, or a redirect on the way to it,
 * does not send them elsewhere.
 */
function refuseForeignEndpoint(endpoint: Endpoint, named: string): void {
  const [to, from] = [new URL(endpoint.url), new URL(named)];
  const isSafer = to.protocol === "https:" && to.hostname === from.hostname;
  if (to.origin === from.origin || isSafer) return;
  throw new AppError(
    "forbidden",
    `The agent's card leads to ${to.origin}, which would be given the node's \`headers\`.`,
    { fix: "If that is where the agent is, write its address as `url`; else remove `headers`." },
  );
}

function readAnswer(answer: JsonAnswer, nowMs: number): ResultReading {
  const { json } = answer;
  const error = isJsonObject(json) ? json["error"] : undefined;
  if (isJsonObject(error)) throw rpcError(error);
  if (!isOk(answer)) throw refusal(answer, nowMs);
  const result = readResult(isJsonObject(json) ? json["result"] : undefined);
  if (result !== undefined) return result;
  throw new AppError("agent_failed", `The agent's answer is not A2A: ${bodyExcerpt(answer.text)}`, {
    fix: "Check the agent's address and version.",
  });
}

function rpcError({ code, message }: JsonObject): AppError {
  const said = typeof message === "string" ? message : "no reason was given";
  const fix =
    code === TASK_NOT_FOUND
      ? "Look whether the agent was started anew, then retry the step."
      : "Look at the log of the agent.";
  return new AppError("agent_failed", `The agent answered with an error: ${said}`, { fix });
}

function toReply(result: ResultReading, endpoint: Endpoint): AgentReply {
  if (result.kind === "message") return { kind: "answer", answer: result.answer };
  const answer = finalAnswer(result);
  if (answer !== undefined) return { kind: "answer", answer };
  return { kind: "task", task: { ...endpoint, id: result.id } };
}

/** undefined while the agent is at it. @throws AppError `agent_failed` for an end without an answer. */
function finalAnswer({ state, said, answer }: TaskReading): Json | undefined {
  if (state === "going") return undefined;
  if (state === "completed") return answer;
  const { message, fix } = TROUBLES[state];
  throw new AppError("agent_failed", `${message}${said === "" ? "." : `: ${said}`}`, { fix });
}

const LOG_FIX = "Look at the log of the agent.";
const TROUBLES = {
  asks: {
    message: "The agent asks back",
    fix: "Put what it asks for into the prompt: a step cannot answer questions.",
  },
  auth: {
    message: "The agent asks for authorization",
    fix: "Give the agent its access, or send a key in the node's `headers`.",
  },
  failed: { message: "The agent failed", fix: LOG_FIX },
  rejected: { message: "The agent refused the task", fix: LOG_FIX },
  canceled: { message: "The agent's task was cancelled", fix: LOG_FIX },
} as const;

function readTaskPlace(task: AgentTask): { readonly endpoint: Endpoint; readonly id: string } {
  const { url, version, tenant, id } = task;
  assert(typeof url === "string" && typeof id === "string", "a task of an agent has no place");
  const spoken: A2aVersion = version === "0.3" ? "0.3" : "1.0";
  const endpoint = { url, version: spoken, ...(typeof tenant === "string" ? { tenant } : {}) };
  return { endpoint, id };
}

function nothingToSay(): AppError {
  return new AppError("invalid", "There is nothing to say to the agent.", {
    fix: "Give the node a `prompt` or `inputs`.",
  });
}
