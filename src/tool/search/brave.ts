import type { HttpPort } from "../../domain/http.ts";
import { isJsonObject } from "../../lib/json.ts";
import { createRedactor } from "../../lib/redact.ts";
import type { ToolSettings } from "../../domain/tool-settings.ts";
import { askService, resultsOf, type SearchService } from "./service.ts";

/** Results by the Brave Search API. */
export function createBrave(
  { apiKey = "", baseUrl = "https://api.search.brave.com" }: ToolSettings["search"]["brave"],
  http: HttpPort,
): SearchService {
  const variable = "BRAVE_API_KEY";
  const service = { name: "Brave Search", http, variable, redact: createRedactor([apiKey]) };
  return {
    isReady: apiKey !== "",
    variable,
    hint: "get one at https://brave.com/search/api",
    async search({ query, count, signal }) {
      const wanted = new URLSearchParams({ q: query, count: String(count), text_decorations: "0" });
      const body = await askService(service, {
        method: "GET",
        url: `${baseUrl}/res/v1/web/search?${wanted.toString()}`,
        headers: { "x-subscription-token": apiKey, accept: "application/json" },
        signal,
      });
      const web = isJsonObject(body["web"]) ? body["web"] : {};
      const names = { link: "url", snippet: "description", date: "age" };
      return { results: resultsOf(web["results"], count, names) };
    },
  };
}
