import type { Config } from "../config/config.ts";
import type { Settings } from "../config/load.ts";
import type { WorkflowStore } from "../domain/workflow.ts";
import type { PromptFacts } from "../web/chat/prompt.ts";
import { providerStatuses } from "./provider-status.ts";

/** Of so many workflows the model is told by itself. */
const WORKFLOW_COUNT_MAX = 30;

/** What the model that builds workflows is told of this installation. */
export async function promptFacts(
  config: Config,
  {
    settings,
    workflows,
  }: { readonly settings: Settings; readonly workflows: Pick<WorkflowStore, "list"> },
): Promise<PromptFacts> {
  const { describeTools } = await import("./tool-deps.ts");
  const stored = await workflows.list({ limit: WORKFLOW_COUNT_MAX });
  return {
    workflows: stored.map(({ name, description }) => ({ name, description })),
    tools: describeTools(config).map(({ name, description }) => ({ name, description })),
    providers: providerStatuses(settings).flatMap(({ name, configured }) =>
      configured ? [name] : [],
    ),
  };
}
