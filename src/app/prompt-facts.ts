import type { Config } from "../config/config.ts";
import type { Settings } from "../config/load.ts";
import type { WorkflowStore } from "../domain/workflow.ts";
import type { PromptFacts } from "../web/chat/prompt.ts";
import { usableProviders } from "./provider-status.ts";

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
  const stored = await workflows.list({ limit: WORKFLOW_COUNT_MAX });
  return {
    workflows: stored.map(({ name, description }) => ({ name, description })),
    tools: await toolFacts(config),
    providers: usableProviders(settings),
  };
}

/** The tools of workflows, with what they do. */
export async function toolFacts(config: Config): Promise<PromptFacts["tools"]> {
  const { describeTools } = await import("./tool-deps.ts");
  return describeTools(config).map(({ name, description }) => ({ name, description }));
}
