/** All node kinds. A new kind is a file beside this one and a line below. */
import type { NodeKind, WorkflowNode } from "../../domain/workflow.ts";
import type { JsonObject } from "../../lib/json.ts";
import { agentNode } from "./agent.ts";
import { approvalNode } from "./approval.ts";
import { cliNode } from "./cli.ts";
import { codeNode } from "./code.ts";
import type { NodeExecutor } from "./executor.ts";
import { httpNode } from "./http.ts";
import { llmNode } from "./llm.ts";
import { toolNode } from "./tool.ts";
import { waitNode } from "./wait.ts";
import { workflowNode } from "./workflow.ts";

/** A node and its input always belong to the executor of its kind: both come from `render`. */
export type NodeExecutors = Readonly<Record<NodeKind, NodeExecutor<WorkflowNode, JsonObject>>>;

export const EXECUTORS = {
  llm: llmNode,
  code: codeNode,
  tool: toolNode,
  http: httpNode,
  cli: cliNode,
  agent: agentNode,
  workflow: workflowNode,
  approval: approvalNode,
  wait: waitNode,
} as const satisfies NodeExecutors;
