import type { Config } from "../config/config.ts";
import type { Settings } from "../config/load.ts";
import type { PromptFacts } from "../web/chat/prompt.ts";
import { providerStatuses } from "./provider-status.ts";

/** What the model that builds workflows is told of this installation. */
export async function promptFacts(config: Config, settings: Settings): Promise<PromptFacts> {
  const { describeTools } = await import("./tool-deps.ts");
  return {
    tools: describeTools(config).map(({ name, description }) => ({ name, description })),
    providers: providerStatuses(settings).flatMap(({ name, configured }) =>
      configured ? [name] : [],
    ),
  };
}
