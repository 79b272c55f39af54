/** HTTP requests that a model writes. */
import * as z from "zod";
import { AppError } from "../domain/error.ts";
import type { HttpPort, HttpResponse } from "../domain/http.ts";
import type { Tool } from "../domain/tool.ts";
import { type Json, type JsonObject, parseJson } from "../lib/json.ts";
import { callHttp, textOf } from "./call-http.ts";
import { defineTool } from "./define-tool.ts";

const URL_CHARS_MAX = 8_000;
const BODY_CHARS_MAX = 1_000_000;
const ANSWER_CHARS_MAX = 200_000;
const TEXTUAL =
  /^(?:text\/|application\/(?:[\w.+-]*(?:json|xml|yaml|javascript)|x-www-form-urlencoded))/i;

const input = z.object({
  method: z
    .enum(["GET", "POST", "PUT", "DELETE", "PATCH"])
    .optional()
    .describe("The HTTP method; GET when left out."),
  url: z.string().max(URL_CHARS_MAX).describe("The whole address, with http:// or https://."),
  headers: z.record(z.string(), z.string()).optional().describe("Headers by name."),
  body: z
    .union([
      z.string().max(BODY_CHARS_MAX),
      z.record(z.string(), z.unknown()),
      z.array(z.unknown()),
    ])
    .optional()
    .describe("The body: a text as it is, or a map or list that is sent as JSON."),
});

/** The tool `http_client`. */
export function createHttpClient(http: HttpPort): Tool {
  return defineTool({
    name: "http_client",
    description:
      "Sends an HTTP request and returns status, headers and body. Addresses of this machine and of private networks are refused.",
    input,
    async run({ method = "GET", url, headers = {}, body }, { signal, idempotencyKey }) {
      if (method === "GET" && body !== undefined) {
        throw new AppError("invalid", "A GET request has no body.", {
          fix: "Put the values into the address, or use another method.",
        });
      }
      const sent = new Map(
        Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]),
      );
      const content = typeof body === "object" ? JSON.stringify(body) : body;
      if (typeof body === "object" && !sent.has("content-type"))
        sent.set("content-type", "application/json");
      // A repeated call after a crash can be told from a second one.
      if (method !== "GET" && !sent.has("idempotency-key"))
        sent.set("idempotency-key", idempotencyKey);
      const answer = await callHttp(http, {
        method,
        url,
        headers: Object.fromEntries(sent),
        ...(content === undefined ? {} : { body: content }),
        signal,
      });
      return describe(answer);
    },
  });
}

function describe(answer: HttpResponse): JsonObject {
  return { status: answer.status, url: answer.url, headers: answer.headers, ...bodyOf(answer) };
}

function bodyOf(answer: HttpResponse): JsonObject {
  const type = answer.headers["content-type"] ?? "";
  if (answer.body.length === 0) return { body: "" };
  if (type !== "" && !TEXTUAL.test(type))
    return { body: null, note: `The body is ${answer.body.length} bytes of ${type}.` };
  const text = textOf(answer);
  if (text.length > ANSWER_CHARS_MAX) {
    return {
      body: text.slice(0, ANSWER_CHARS_MAX).toWellFormed(),
      note: `Cut: the first ${ANSWER_CHARS_MAX} of ${text.length} characters.`,
    };
  }
  return { body: type.includes("json") ? parsed(text) : text };
}

function parsed(text: string): Json {
  const value = parseJson(text);
  // It may say that it is JSON and is not: the model sees what came.
  return value === undefined ? text : value;
}
