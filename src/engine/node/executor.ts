/** What a node kind implements, and what it is given. One file a kind; `registry.ts` lists them. */
import type { AgentPort } from "../../domain/agent.ts";
import type { StepKey } from "../../domain/event.ts";
import type { HttpPort } from "../../domain/http.ts";
import type { MemoryStore, NewMemory } from "../../domain/memory.ts";
import type {
  AnswerCache,
  ModelFiles,
  ModelPort,
  ModelRequest,
  ProviderTurns,
} from "../../domain/model.ts";
import type { RegisteredAgent } from "../../domain/registered-agent.ts";
import type { Decision, Run, RunOverrides, Wait } from "../../domain/run.ts";
import type { CodePort, CommandPort } from "../../domain/sandbox.ts";
import type { ToolPort } from "../../domain/tool.ts";
import type { Budget, Workflow, WorkflowNode } from "../../domain/workflow.ts";
import type { TemplateScope } from "../../language/template.ts";
import type { Clock } from "../../lib/clock.ts";
import type { Json, JsonObject } from "../../lib/json.ts";
import type { CallLog } from "../call-log.ts";

/** All that steps use of the world outside. */
export interface StepPorts {
  readonly models: ModelPort;
  readonly tools: ToolPort;
  readonly cache: AnswerCache;
  readonly turns: ProviderTurns;
  readonly files: ModelFiles;
  readonly memory: MemoryStore;
  readonly code: CodePort;
  readonly commands: CommandPort;
  readonly http: HttpPort;
  readonly agents: AgentPort;
  /** An agent that has registered, by its id, else by its name. */
  readonly registeredAgent: (idOrName: string) => Promise<RegisteredAgent | undefined>;
  /**
   * Starts a run of another workflow inside of a step; the same id starts it once.
   * @throws AppError `not_found` (no such workflow), `workflow_invalid`, `invalid` (inputs).
   */
  readonly startChild: (child: ChildRun) => Promise<void>;
  /** Takes the value of `${NAME}` in a header or environment value; undefined when it is not set. */
  readonly variable: (name: string) => string | undefined;
}

export interface ChildRun {
  readonly id: string;
  /** Name of the workflow. */
  readonly workflow: string;
  readonly inputs: JsonObject;
  readonly parent: Run;
  readonly step: StepKey;
  /** The parent's, with the budget that all runs of the tree share. */
  readonly overrides: RunOverrides;
}

export interface StepContext extends StepPorts {
  /** As it was when it was claimed. */
  readonly run: Run;
  readonly workflow: Workflow;
  readonly key: StepKey;
  readonly attempt: number;
  /**
   * The attempt that the finished calls of this one begin with: 1 until an answer was refused or a person went
   * back. Part of the idempotency key of a node's own call, so that a try after a timeout repeats the key.
   */
  readonly firstAttempt: number;
  /** When the attempt began, also before a crash. */
  readonly startedAt: number;
  /** Aborts with the attempt; its reason is what the attempt ends with. */
  readonly signal: AbortSignal;
  readonly clock: Clock;
  /** Why the answer of an attempt before was refused. */
  readonly correction: string | undefined;
  readonly calls: CallLog;
  readonly redact: (text: string) => string;
  /**
   * To be asked before each call that costs. @returns what is to be called once the call has ended, well or badly.
   * @throws AppError `budget_exceeded`, or StepPostponed where the workflow waits for a raised budget.
   */
  readonly reserveBudget: (request: Omit<ModelRequest, "signal">) => Promise<() => void>;
  /** What all runs of the tree may use up together, for a child run. */
  readonly sharedBudget: () => Budget;
}

/** How an attempt comes out of `execute` or `resume`. */
export type StepResult =
  | { readonly patch: JsonObject; readonly memories?: readonly NewMemory[] }
  /** The attempt waits; `resume` goes on with what it has waited for. */
  | { readonly wait: Exclude<Wait, { for: "rate_limit" | "budget" }> };

/** What a waiting step has waited for. `expired`: its time limit came first. */
export type WaitAnswer =
  | { readonly for: "timer" }
  | { readonly for: "approval"; readonly decision: Decision; readonly by: string | null }
  | { readonly for: "signal"; readonly payload: Json }
  | { readonly for: "run"; readonly run: Run }
  | { readonly for: "expired" };

export interface NodeExecutor<Node extends WorkflowNode, Input extends JsonObject> {
  /**
   * What goes into the step, kept with it. Pure. `scope.locals` are the node's rendered `inputs` and the item of
   * a map. @throws AppError `invalid`.
   */
  render(node: Node, scope: TemplateScope): Input;
  /**
   * Executes one attempt. Every decision in it depends only on its arguments and on what `calls`
   * returns, so that it takes the same way again after a crash.
   * @throws AppError, StepPostponed, or the signal's reason.
   */
  execute(node: Node, input: Input, step: StepContext): Promise<StepResult>;
  /** Goes on after a wait. Pure but for `step`. @throws AppError. */
  resume?(node: Node, input: Input, answered: Answered): Promise<StepResult>;
}

export interface Answered {
  readonly answer: WaitAnswer;
  readonly step: StepContext;
}
