/** What a node kind implements, and what it is given. One file a kind; `registry.ts` lists them. */
import type { StepKey } from "../../domain/event.ts";
import type { ModelPort } from "../../domain/model.ts";
import type { RunOverrides } from "../../domain/run.ts";
import type { ToolPort } from "../../domain/tool.ts";
import type { WorkflowNode } from "../../domain/workflow.ts";
import type { Clock } from "../../lib/clock.ts";
import type { JsonObject } from "../../lib/json.ts";
import type { CallLog } from "../call-log.ts";

export interface StepContext {
  readonly runId: string;
  readonly overrides: RunOverrides;
  readonly key: StepKey;
  readonly attempt: number;
  /** Aborts with the attempt; its reason is what the attempt ends with. */
  readonly signal: AbortSignal;
  readonly clock: Clock;
  readonly models: ModelPort;
  readonly tools: ToolPort;
  /** Why the answer of an attempt before was refused. */
  readonly correction: string | undefined;
  readonly calls: CallLog;
  readonly redact: (text: string) => string;
}

export interface NodeExecutor<Node extends WorkflowNode, Input extends JsonObject> {
  /** What goes into the step, kept with it. Pure. @throws AppError `invalid`. */
  render(node: Node, values: JsonObject): Input;
  /**
   * Executes one attempt. Every decision in it depends only on its arguments and on what `calls`
   * returns, so that it takes the same way again after a crash.
   * @returns the patch of the run's values. @throws AppError, or the signal's reason.
   */
  execute(node: Node, input: Input, step: StepContext): Promise<JsonObject>;
}
