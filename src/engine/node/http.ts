/** A node that makes one HTTP request. */
import { AppError } from "../../domain/error.ts";
import type { HttpResponse } from "../../domain/http.ts";
import { bodyExcerpt, httpRefusal } from "../../domain/http-refusal.ts";
import type { HttpNode } from "../../domain/workflow.ts";
import { decodeText } from "../../lib/decode-text.ts";
import { defined } from "../../lib/defined.ts";
import type { Json } from "../../lib/json.ts";
import { withTimeLimit } from "../../lib/time-limit.ts";
import { renderTemplate, renderValue, type TemplateScope } from "../../language/template.ts";
import type { NodeExecutor, StepContext } from "./executor.ts";
import { maskedError } from "./masked-error.ts";
import { callOutside } from "./outside-call.ts";
import { toPatch } from "./result.ts";
import { fillVariables, renderVariableTexts, type VariableTexts } from "./variable-text.ts";

/** For one request of a node that states no `timeout`. */
export const HTTP_TIMEOUT_MS = 60_000;

const SAFE_METHODS: ReadonlySet<string> = new Set(["GET", "HEAD"]);

type HttpInput = {
  readonly method: HttpNode["method"];
  /** With the query. */
  readonly url: string;
  readonly headers: VariableTexts;
  readonly body?: Json;
};

export const httpNode: NodeExecutor<HttpNode, HttpInput> = {
  render: (node, scope) => {
    const { method } = node;
    if (node.body !== undefined && SAFE_METHODS.has(method)) throw noBody(node);
    const body = node.body === undefined ? undefined : renderValue(node.body, scope);
    return {
      method,
      url: renderAddress(node, scope),
      headers: renderVariableTexts(node.headers, scope),
      ...defined({ body }),
    };
  },
  execute: async (node, input, step) => {
    const result = await callOutside(step, { ordinal: 0, name: "http", input }, (kit) =>
      request(node, step, { input, idempotencyKey: kit.idempotencyKey }),
    );
    return { patch: toPatch(node, result, "The answer") };
  },
};

/** A value of the query that is null is left out. */
function renderAddress({ id, url: template, query }: HttpNode, scope: TemplateScope): string {
  const text = renderTemplate(template, scope).trim();
  const values = Object.entries(query).flatMap(([name, value]) =>
    renderValue(value, scope) === null ? [] : [[name, renderTemplate(value, scope)] as const],
  );
  const url = URL.parse(text);
  if (url === null) {
    throw new AppError("invalid", `\`${text}\` is not an address.`, {
      fix: `Give node \`${id}\` a whole address, such as https://example.com/items.`,
    });
  }
  for (const [name, value] of values) url.searchParams.append(name, value);
  return url.href;
}

interface Request {
  readonly input: HttpInput;
  readonly idempotencyKey: string;
}

async function request(
  node: HttpNode,
  step: StepContext,
  { input, idempotencyKey }: Request,
): Promise<Json> {
  const { method, url, body } = input;
  const { texts, mask } = fillVariables(input.headers, step.variable);
  const content = body === undefined ? undefined : encodeBody(body);
  const headers = {
    ...(SAFE_METHODS.has(method) ? {} : { "idempotency-key": idempotencyKey }),
    ...(content === undefined ? {} : { "content-type": content.type }),
    // The node's own come last.
    ...lowerCaseNames(texts),
  };
  const send = (signal: AbortSignal) =>
    step.http.request({ method, url, headers, ...defined({ body: content?.text }), signal });
  try {
    const response = await limited(node, step, send);
    if (response.status < 200 || response.status > 299)
      throw refusal(input, response, step.clock.now());
    return mask.value(readResponse(node, response));
  } catch (error) {
    throw maskedError(error, mask, step.signal);
  }
}

function limited<T>(
  { id, timeoutMs }: HttpNode,
  { signal, clock }: StepContext,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  // The attempt has its own limit then.
  if (timeoutMs !== undefined) return work(signal);
  const reason = () =>
    new AppError("timeout", `The server did not answer within ${HTTP_TIMEOUT_MS / 1_000} s.`, {
      fix: `Give node \`${id}\` a longer \`timeout\`.`,
    });
  return withTimeLimit({ signal, clock, ms: HTTP_TIMEOUT_MS, reason }, work);
}

function encodeBody(body: Json): { readonly text: string; readonly type: string } {
  if (typeof body === "string") return { text: body, type: "text/plain;charset=utf-8" };
  return { text: JSON.stringify(body), type: "application/json" };
}

function lowerCaseNames(texts: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(texts).map(([name, value]) => [name.toLowerCase(), value]),
  );
}

/** HEAD has no body: its result is the headers. */
function readResponse({ method, response }: HttpNode, answer: HttpResponse): Json {
  if (method === "HEAD") return answer.headers;
  const type = answer.headers["content-type"] ?? "";
  const text = decodeText(answer.body, type);
  const isJson = response === "json" || (response === "auto" && /[/+]json\b/i.test(type));
  if (!isJson) return text;
  if (text.trim() === "") return null;
  try {
    const json: Json = JSON.parse(text);
    return json;
  } catch (error) {
    throw new AppError("output_invalid", `The answer is not JSON: ${bodyExcerpt(text)}`, {
      fix: "Give the node `response: text`, or look at what the server answers.",
      cause: error,
    });
  }
}

function refusal({ method, url }: HttpInput, answer: HttpResponse, nowMs: number): AppError {
  const { status, headers, body } = answer;
  const { origin, pathname } = new URL(url);
  const refused = {
    subject: `${method} ${origin}${pathname}`,
    status,
    headers,
    text: decodeText(body, headers["content-type"] ?? ""),
    code: "tool_failed",
    fixes: {
      limited: "Try again later, or ask less.",
      other: "Check the address and what the node sends.",
    },
  } as const;
  return httpRefusal(refused, nowMs);
}

function noBody({ id, method }: HttpNode): AppError {
  return new AppError("invalid", `A ${method} request has no body.`, {
    fix: `Use \`query\` in node \`${id}\`, or another method.`,
  });
}
