/** A runner with everything that steps need: the same in a worker and in `agents run` without a server. */
import type { Config } from "../config/config.ts";
import type { ModelPort } from "../domain/model.ts";
import { EXECUTORS } from "../engine/node/registry.ts";
import { type Runner, startRunner } from "../engine/runner.ts";
import { systemClock } from "../lib/clock.ts";
import type { Store } from "../store/store.ts";
import { redactorFor } from "./ports.ts";
import { createStepPorts } from "./step-ports.ts";
import type { ToolConfig } from "./tool-deps.ts";
import { loadWorkflow } from "./workflow-runs.ts";

interface StepRunnerOptions {
  readonly store: Store;
  readonly models: ModelPort;
  readonly worker: string;
  readonly concurrency: number;
  readonly only?: string;
  readonly reportError: (error: unknown) => void;
  readonly onLog: (line: string) => void;
}

export function startStepRunner(
  config: ToolConfig & Pick<Config, "llm" | "secretKey">,
  { store, models, onLog, ...options }: StepRunnerOptions,
): Runner {
  const clock = systemClock;
  const redact = redactorFor(config);
  const ports = createStepPorts(config, { store, models, clock, redact, onLog });
  const runner = startRunner({
    ...options,
    runs: store.runs,
    queue: store.queue,
    changes: store.changes,
    clock,
    ports,
    executors: EXECUTORS,
    loadWorkflow: (workflowId, hash) =>
      loadWorkflow(store.workflows, { workflowId, hash }, ports.tools.names),
    redact,
  });
  return {
    drained: runner.drained,
    async stop(stopping) {
      await runner.stop(stopping);
      await ports.tools.close();
    },
  };
}
