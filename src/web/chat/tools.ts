/** All that the model of the chat may do, one file a tool. */
import type { ChatToolDeps } from "./define-tool.ts";
import type { ChatTool } from "./tool.ts";
import { createListModels } from "./tool/list-models.ts";
import { createListRuns } from "./tool/list-runs.ts";
import { createListTools } from "./tool/list-tools.ts";
import { createListWorkflows } from "./tool/list-workflows.ts";
import { createReadRun } from "./tool/read-run.ts";
import { createReadWorkflow } from "./tool/read-workflow.ts";
import { createRunWorkflow } from "./tool/run-workflow.ts";
import { createSaveWorkflow } from "./tool/save-workflow.ts";
import { createValidateWorkflow } from "./tool/validate-workflow.ts";

export function createChatTools(deps: ChatToolDeps): readonly ChatTool[] {
  return [
    createListWorkflows(deps),
    createReadWorkflow(deps),
    createListRuns(deps),
    createReadRun(deps),
    createListModels(deps),
    createListTools(deps),
    createValidateWorkflow(deps),
    createSaveWorkflow(deps),
    createRunWorkflow(deps),
  ];
}
