/** What the chat's web app is given by the composition root. */
import type { ConversationStore } from "../../domain/conversation.ts";
import type { MetricsStore } from "../../domain/metrics.ts";
import type { ModelPort } from "../../domain/model.ts";
import type { ChangeSignal, RunStore } from "../../domain/run.ts";
import type { RunReader } from "../../domain/run-reader.ts";
import type { WorkflowStore } from "../../domain/workflow.ts";
import type { Example, WebDeps } from "../deps.ts";
import type { Answerer } from "./abandoned.ts";
import type { PromptFacts } from "./prompt.ts";
import type { ChatTool } from "./tool.ts";

export interface ChatDeps extends Pick<
  WebDeps,
  "clock" | "version" | "health" | "demo" | "secretKey" | "reportError" | "streamLimits"
> {
  readonly conversations: ConversationStore;
  /** Tells of what other processes do too: `agents new`, the workers. */
  readonly changes: ChangeSignal;
  readonly self: Answerer;
  readonly workflows: WorkflowStore;
  readonly models: Pick<ModelPort, "resolve" | "call" | "contextWindow" | "estimateInputNanoUsd">;
  /** For what a message is about, what a run is likely to cost, and the run that is shown beside the talk. */
  readonly runs: Pick<RunStore, "get" | "page" | "pendingApprovals" | "decide" | "requestCancel">;
  readonly runReader: RunReader;
  readonly metrics: Pick<MetricsStore, "totals" | "byWorkflow" | "byNode" | "byModel">;
  readonly createRun: WebDeps["createRun"];
  readonly providers: WebDeps["providers"];
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
