/** All tools by name. A new tool is one file and one line here. */
import type { Tool, ToolPort } from "../domain/tool.ts";
import { createJsonParse } from "./json-parse.ts";
import { createSerperSearch } from "./serper-search.ts";
import type { ToolSettings } from "./settings.ts";

/** The tools that a workflow may name. */
export function createToolPort(settings: ToolSettings): ToolPort {
  const tools: readonly Tool[] = [createSerperSearch(settings.serper), createJsonParse()];
  const byName = new Map(tools.map((tool) => [tool.spec.name, tool]));
  return { get: (name) => byName.get(name), names: [...byName.keys()] };
}
