import type { HttpPort } from "../../domain/http.ts";
import { createRedactor } from "../../lib/redact.ts";
import type { ToolSettings } from "../../domain/tool-settings.ts";
import { askService, resultsOf, type SearchService, textsOf } from "./service.ts";

/** Results by tavily.com, made for language models. */
export function createTavily(
  { apiKey = "", baseUrl = "https://api.tavily.com" }: ToolSettings["search"]["tavily"],
  http: HttpPort,
): SearchService {
  const variable = "TAVILY_API_KEY";
  const service = { name: "tavily.com", http, variable, redact: createRedactor([apiKey]) };
  return {
    isReady: apiKey !== "",
    variable,
    hint: "get one at https://tavily.com",
    async search({ query, count, signal }) {
      const body = await askService(service, {
        method: "POST",
        url: `${baseUrl}/search`,
        headers: { authorization: `Bearer ${apiKey}`, "content-type": "application/json" },
        body: JSON.stringify({ query, max_results: count }),
        signal,
      });
      const results = resultsOf(body["results"], count, {
        link: "url",
        snippet: "content",
        date: "published_date",
      });
      return { ...textsOf({ answer: body["answer"] }), results };
    },
  };
}
