import * as z from "zod";
import { type ChatToolDeps, defineChatTool, type OfferedModels } from "../define-tool.ts";
import type { ChatTool } from "../tool.ts";

const MODEL_COUNT_MAX = 40;
const CHARS_MAX = 1_500;

const input = z.strictObject({
  provider: z.string().optional().describe("Only this one."),
  search: z.string().max(100).optional().describe("A part of the model's name."),
});

export function createListModels(deps: ChatToolDeps): ChatTool {
  return defineChatTool(deps, {
    name: "list_models",
    description: "Lists the model providers that the user has set up, with the models they offer.",
    input,
    async run({ provider, search = "" }) {
      const all = await deps.offeredModels();
      const wanted = all.filter((one) => provider === undefined || one.provider === provider);
      const missing = deps
        .providers()
        .filter(({ name, configured }) => !configured && (provider ?? name) === name)
        .map(({ name, variable }) => (variable === "" ? name : `${name} (needs ${variable})`));
      const lines = [
        ...wanted.map((offered) => lineOf(offered, search.toLowerCase())),
        ...(missing.length === 0 ? [] : [`Not set up: ${missing.join(", ")}.`]),
      ];
      return { text: lines.length === 0 ? "No such provider is set up." : lines.join("\n") };
    },
  });
}

function lineOf({ provider, models, note = "" }: OfferedModels, search: string): string {
  const found = models.filter((name) => name.toLowerCase().includes(search));
  const shown: string[] = [];
  let left = CHARS_MAX;
  for (const name of found.slice(0, MODEL_COUNT_MAX)) {
    left -= name.length + 2;
    if (left < 0) break;
    shown.push(name);
  }
  const more = found.length - shown.length;
  const names = shown.length === 0 ? "none found" : shown.join(", ");
  const rest = more > 0 ? `, and ${more} more: search by name` : "";
  return `- ${provider}: ${names}${rest}${note === "" ? "" : ` (${note})`}`;
}
