/** What the chat's web app is given by the composition root. */
import type { ConversationStore } from "../../domain/conversation.ts";
import type { ModelPort } from "../../domain/model.ts";
import type { RunStore } from "../../domain/run.ts";
import type { WorkflowStore } from "../../domain/workflow.ts";
import type { Example, WebDeps } from "../deps.ts";
import type { PromptFacts } from "./prompt.ts";
import type { ChatTool } from "./tool.ts";

export interface ChatDeps extends Pick<
  WebDeps,
  "clock" | "version" | "health" | "demo" | "secretKey" | "reportError" | "streamLimits"
> {
  readonly conversations: ConversationStore;
  readonly workflows: WorkflowStore;
  readonly models: Pick<ModelPort, "resolve" | "call" | "contextWindow" | "estimateInputNanoUsd">;
  /** For what a message is about, and what a run is likely to cost. */
  readonly runs: Pick<RunStore, "get" | "page">;
  /** Asked for when a model is: the tools are loaded then. */
  readonly facts: () => Promise<PromptFacts>;
  /** What may be picked, as `provider/model`: the known models of providers that can be used. */
  readonly modelNames: () => Promise<readonly string[]>;
  readonly examples: () => Promise<readonly Example[]>;
  /** What the model may do besides talking; loaded when a model is asked. */
  readonly tools: () => Promise<readonly ChatTool[]>;
  /** The loopback address that this process listens on. */
  readonly host: string;
  readonly port: () => number;
  /** Where people come from: its cookies count here too, and what is not here is there. */
  readonly dashboard: { readonly host: string; readonly port: number };
}
