/** Web search through serper.dev. */
import * as z from "zod";
import type { HttpPort } from "../domain/http.ts";
import type { Tool } from "../domain/tool.ts";
import { defineTool } from "./define-tool.ts";
import { createSerper } from "./search/serper.ts";
import type { ToolSettings } from "../domain/tool-settings.ts";
import { ready } from "./web-search.ts";

const RESULT_COUNT_DEFAULT = 5;
const RESULT_COUNT_MAX = 20;
const QUERY_CHARS_MAX = 2_000;

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
export function createSerperSearch(settings: ToolSettings["search"], http: HttpPort): Tool {
  const service = createSerper(settings.serper, http);
  return defineTool({
    name: "serper_search",
    description:
      "Searches the web with Google and returns titles, links and snippets of the best results.",
    input,
    check: () => void ready(service, "serper_search"),
    run: async ({ query, num = RESULT_COUNT_DEFAULT }, { signal }) =>
      ready(service, "serper_search").search({ query, count: num, signal }),
  });
}
