import type { HttpPort } from "../../domain/http.ts";
import { isJsonObject, type Json, type JsonObject } from "../../lib/json.ts";
import { createRedactor } from "../../lib/redact.ts";
import type { ToolSettings } from "../../domain/tool-settings.ts";
import { askService, resultsOf, type SearchService } from "./service.ts";

/** Google's results by serper.dev, with its direct answer and what it knows of the subject. */
export function createSerper(
  { apiKey = "", baseUrl = "https://google.serper.dev" }: ToolSettings["search"]["serper"],
  http: HttpPort,
): SearchService {
  const variable = "SERPER_API_KEY";
  const service = { name: "serper.dev", http, variable, redact: createRedactor([apiKey]) };
  return {
    isReady: apiKey !== "",
    variable,
    hint: "get one at https://serper.dev",
    async search({ query, count, signal }) {
      const body = await askService(service, {
        method: "POST",
        url: `${baseUrl}/search`,
        headers: { "x-api-key": apiKey, "content-type": "application/json" },
        body: JSON.stringify({ q: query, num: count }),
        signal,
      });
      const answer = pick(body["answerBox"], ["title", "answer", "snippet", "link"]);
      const subject = pick(body["knowledgeGraph"], ["title", "type", "description", "website"]);
      return {
        ...(Object.keys(answer).length === 0 ? {} : { answer }),
        ...(Object.keys(subject).length === 0 ? {} : { subject }),
        results: resultsOf(body["organic"], count, {
          link: "link",
          snippet: "snippet",
          date: "date",
        }),
      };
    },
  };
}

function pick(value: Json | undefined, keys: readonly string[]): JsonObject {
  if (!isJsonObject(value)) return {};
  return Object.fromEntries(Object.entries(value).filter(([key]) => keys.includes(key)));
}
