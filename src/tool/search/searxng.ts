import type { HttpPort } from "../../domain/http.ts";
import type { ToolSettings } from "../../domain/tool-settings.ts";
import { askService, resultsOf, type SearchService } from "./service.ts";

/** Results by a SearXNG server of one's own. */
export function createSearxng(
  { baseUrl }: ToolSettings["search"]["searxng"],
  http: HttpPort,
): SearchService {
  const variable = "SEARXNG_BASE_URL";
  const service = { name: "SearXNG", http, variable, redact: (text: string) => text };
  return {
    isReady: baseUrl !== undefined,
    variable,
    hint: "the server must allow the format json in its settings",
    async search({ query, count, signal }) {
      const wanted = new URLSearchParams({ q: query, format: "json" });
      const body = await askService(service, {
        method: "GET",
        url: `${baseUrl}/search?${wanted.toString()}`,
        headers: { accept: "application/json" },
        signal,
      });
      const names = { link: "url", snippet: "content", date: "publishedDate" };
      return { results: resultsOf(body["results"], count, names) };
    },
  };
}
