import type { HttpNode } from "../../domain/workflow.ts";
import { defined } from "../../lib/defined.ts";
import type { Json } from "../../lib/json.ts";
import { readHeaders, readUrl } from "../address.ts";
import { mapOf, member } from "../raw.ts";
import { checkTemplate, checkTemplatesIn, type TextPlace } from "../text-check.ts";
import { checkTextOutput, type NodeContext, type NodePart, type Own } from "./part.ts";

const METHODS: readonly HttpNode["method"][] = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"];

export function readHttpNode(part: NodePart, context: NodeContext): Own<HttpNode> {
  const raw = member(part.raw, "http");
  const place = { path: [...part.path, "http"], locals: part.locals };
  const body = member(raw, "body");
  const response = readResponse(member(raw, "response"));
  if (body !== undefined)
    checkTemplatesIn(body, { ...place, path: [...place.path, "body"] }, context);
  if (response === "text") checkTextOutput(part, context.reporter);
  return {
    kind: "http",
    method: readMethod(raw, place, context),
    url: readUrl(raw, place, context),
    headers: readHeaders(raw, place, context),
    query: readQuery(raw, place, context),
    response,
    ...defined({ body }),
  };
}

function readResponse(value: Json | undefined): HttpNode["response"] {
  return value === "json" || value === "text" ? value : "auto";
}

function readMethod(
  raw: Json | undefined,
  { path }: TextPlace,
  { reporter }: NodeContext,
): HttpNode["method"] {
  const stated = member(raw, "method");
  const hasBody = member(raw, "body") !== undefined;
  const method = METHODS.find((known) => known === stated) ?? (hasBody ? "POST" : "GET");
  if (hasBody && (method === "GET" || method === "HEAD")) {
    reporter.error([...path, "body"], {
      code: "bad-value",
      message: `A ${method} request has no body.`,
      fix: "Write `method: POST`, or put the values into `query`.",
      at: "key",
    });
  }
  return method;
}

function readQuery(
  raw: Json | undefined,
  place: TextPlace,
  context: NodeContext,
): Record<string, string> {
  const entries = Object.entries(mapOf(member(raw, "query"))).flatMap(
    ([name, value]): [string, string][] =>
      typeof value === "object" ? [] : [[name, String(value)]],
  );
  for (const [name, value] of entries)
    checkTemplate(value, { ...place, path: [...place.path, "query", name] }, context);
  return Object.fromEntries(entries);
}
