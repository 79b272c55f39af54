import type { BrokenCalls, Claim, Queue, Run, RunStore } from "../domain/run.ts";
import type { Workflow } from "../domain/workflow.ts";
import type { Clock } from "../lib/clock.ts";
import type { RunAborts } from "./abort.ts";
import type { Spending } from "./budget.ts";
import type { History } from "./history.ts";
import type { StepPorts } from "./node/executor.ts";
import type { NodeExecutors } from "./node/registry.ts";
import type { Persist } from "./persist.ts";
import type { LoadWorkflow } from "./workflow-cache.ts";

export interface EngineDeps {
  readonly runs: RunStore;
  readonly queue: Queue;
  readonly clock: Clock;
  /** What steps use of the world outside. */
  readonly ports: StepPorts;
  /** What a node of each kind does. */
  readonly executors: NodeExecutors;
  readonly loadWorkflow: LoadWorkflow;
  /** Takes secrets out of technical details before they are stored. */
  readonly redact: (text: string) => string;
  readonly reportError: (error: unknown) => void;
  /** For jitter. */
  readonly random: () => number;
}

/** One claimed run and all that its steps need. */
export interface RunContext extends EngineDeps {
  readonly claim: Claim;
  /** As it was when it was claimed. */
  readonly run: Run;
  readonly workflow: Workflow;
  readonly history: History;
  readonly spending: Spending;
  readonly aborts: RunAborts;
  readonly persist: Persist;
  /** Of attempts that were cut off, for whoever writes the end of the run. */
  readonly brokenCalls: BrokenCalls[];
}
