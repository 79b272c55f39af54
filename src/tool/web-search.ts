/** Web search through whichever service the owner has set up. */
import * as z from "zod";
import { AppError } from "../domain/error.ts";
import type { HttpPort } from "../domain/http.ts";
import type { Tool } from "../domain/tool.ts";
import { defineTool } from "./define-tool.ts";
import { createBrave } from "./search/brave.ts";
import { createSearxng } from "./search/searxng.ts";
import { createSerper } from "./search/serper.ts";
import type { SearchService } from "./search/service.ts";
import { createTavily } from "./search/tavily.ts";
import type { ToolSettings } from "../domain/tool-settings.ts";

const PROVIDERS = ["serper", "tavily", "brave", "searxng"] as const;
const RESULT_COUNT_DEFAULT = 10;
const RESULT_COUNT_MAX = 20;
const QUERY_CHARS_MAX = 2_000;

const input = z.object({
  query: z.string().min(1).max(QUERY_CHARS_MAX).describe("What to search the web for."),
  num_results: z
    .int()
    .min(1)
    .max(RESULT_COUNT_MAX)
    .optional()
    .describe(`How many results to return; ${RESULT_COUNT_DEFAULT} when left out.`),
});
const config = z.strictObject({ provider: z.enum(PROVIDERS).optional() });

/** The tool `web_search`. */
export function createWebSearch(settings: ToolSettings["search"], http: HttpPort): Tool {
  const services: Readonly<Record<(typeof PROVIDERS)[number], SearchService>> = {
    serper: createSerper(settings.serper, http),
    tavily: createTavily(settings.tavily, http),
    brave: createBrave(settings.brave, http),
    searxng: createSearxng(settings.searxng, http),
  };
  const choose = (wish: z.output<typeof config>): SearchService => {
    const named = wish.provider ?? settings.provider;
    const name = named ?? PROVIDERS.find((provider) => services[provider].isReady);
    if (name === undefined) {
      throw new AppError(
        "missing_key",
        "The tool web_search needs a search service, and none is set up.",
        {
          fix: `Set one of ${PROVIDERS.map((provider) => services[provider].variable).join(", ")} in the environment or in .env.`,
        },
      );
    }
    return ready(services[name], "web_search");
  };
  return defineTool({
    name: "web_search",
    description: "Searches the web and returns titles, links and snippets of the best results.",
    input,
    config,
    check: (wish) => void choose(wish),
    run: async ({ query, num_results: count = RESULT_COUNT_DEFAULT }, { config: wish, signal }) =>
      choose(wish).search({ query, count, signal }),
  });
}

/** @throws AppError `missing_key` that says how to set the service up. */
export function ready(service: SearchService, tool: string): SearchService {
  if (service.isReady) return service;
  const { variable, hint } = service;
  throw new AppError("missing_key", `The tool ${tool} needs ${variable}, which is not set.`, {
    fix: `Set ${variable} in the environment or in .env (${hint}).`,
  });
}
