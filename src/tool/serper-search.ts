/** Web search through serper.dev. */
import * as z from "zod";
import { AppError } from "../domain/error.ts";
import type { Tool } from "../domain/tool.ts";
import { TOOL_TIMEOUT_MS } from "../domain/tool.ts";
import { isJsonObject, type Json, type JsonObject } from "../lib/json.ts";
import { createRedactor } from "../lib/redact.ts";
import { defineTool } from "./define-tool.ts";
import type { ToolSettings } from "./settings.ts";

const BASE_URL = "https://google.serper.dev";
const RESULT_COUNT_DEFAULT = 5;
const RESULT_COUNT_MAX = 20;
const QUERY_CHARS_MAX = 2_000;
const MESSAGE_CHARS_MAX = 300;

const input = z.object({
  query: z.string().min(1).max(QUERY_CHARS_MAX).describe("What to search the web for."),
  num: z
    .int()
    .min(1)
    .max(RESULT_COUNT_MAX)
    .optional()
    .describe(`How many results to return; ${RESULT_COUNT_DEFAULT} when left out.`),
});

/** The tool `serper_search`. */
export function createSerperSearch(settings: ToolSettings["serper"]): Tool {
  const redact = createRedactor([settings.apiKey]);
  const key = () => {
    if (settings.apiKey !== undefined && settings.apiKey !== "") return settings.apiKey;
    throw new AppError(
      "missing_key",
      "The tool serper_search needs SERPER_API_KEY, which is not set.",
      {
        fix: "Set SERPER_API_KEY in the environment or in .env (get one at https://serper.dev).",
      },
    );
  };
  return defineTool({
    name: "serper_search",
    description:
      "Searches the web with Google and returns titles, links and snippets of the best results.",
    input,
    check: () => void key(),
    async run({ query, num = RESULT_COUNT_DEFAULT }, context) {
      const body = await search(
        { query, num, key: key(), settings, signal: context.signal },
        redact,
      );
      return pickResults(body, num);
    },
  });
}

interface Search {
  readonly query: string;
  readonly num: number;
  readonly key: string;
  readonly settings: ToolSettings["serper"];
  readonly signal: AbortSignal;
}

async function search(
  { query, num, key, settings, signal }: Search,
  redact: (text: string) => string,
): Promise<Json> {
  const timeout = AbortSignal.timeout(TOOL_TIMEOUT_MS);
  const url = `${(settings.baseUrl ?? BASE_URL).replace(/\/+$/, "")}/search`;
  try {
    const response = await fetch(url, {
      method: "POST",
      headers: { "x-api-key": key, "content-type": "application/json" },
      body: JSON.stringify({ q: query, num }),
      signal: AbortSignal.any([signal, timeout]),
    });
    const text = await response.text();
    if (!response.ok) throw refusal(response.status, redact(text));
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof AppError) throw error;
    if (signal.aborted)
      throw new AppError("cancelled", "The search was cancelled.", { cause: error });
    if (timeout.aborted) {
      throw new AppError(
        "timeout",
        `serper.dev did not answer within ${TOOL_TIMEOUT_MS / 1_000} s.`,
        {
          fix: "Try again later.",
          cause: error,
        },
      );
    }
    throw new AppError("tool_failed", `The search service cannot be used at ${url}.`, {
      fix: "Check the network and SERPER_BASE_URL.",
      cause: error,
    });
  }
}

function refusal(status: number, text: string): AppError {
  const cause = new Error(`HTTP ${status}: ${text.slice(0, MESSAGE_CHARS_MAX)}`);
  if (status === 401 || status === 403) {
    return new AppError("tool_failed", `serper.dev rejected the key (HTTP ${status}).`, {
      fix: "Set SERPER_API_KEY to a valid key (https://serper.dev/api-key).",
      cause,
    });
  }
  return new AppError("tool_failed", `The search failed (HTTP ${status}).`, {
    fix: "Try again later; look at https://serper.dev for the state of the account.",
    cause,
  });
}

/** What helps a model: the direct answer, what is known of the subject, and the results. */
function pickResults(body: Json, num: number): JsonObject {
  const source = isJsonObject(body) ? body : {};
  const organic: readonly Json[] = Array.isArray(source["organic"]) ? source["organic"] : [];
  const results = organic
    .filter((item) => isJsonObject(item))
    .slice(0, num)
    .map((item) => pick(item, ["title", "link", "snippet", "date"]));
  const answer = pick(source["answerBox"] ?? null, ["title", "answer", "snippet", "link"]);
  const subject = pick(source["knowledgeGraph"] ?? null, [
    "title",
    "type",
    "description",
    "website",
  ]);
  return {
    ...(Object.keys(answer).length === 0 ? {} : { answer }),
    ...(Object.keys(subject).length === 0 ? {} : { subject }),
    results,
  };
}

function pick(value: Json, keys: readonly string[]): JsonObject {
  if (!isJsonObject(value)) return {};
  return Object.fromEntries(Object.entries(value).filter(([key]) => keys.includes(key)));
}
