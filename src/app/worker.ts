/** `agents worker`: claims runs of a data folder and executes their steps. */
import type { Config } from "../config/config.ts";
import { STOP_GRACE_MS } from "../domain/service.ts";
import { startRunner } from "../engine/runner.ts";
import { systemClock } from "../lib/clock.ts";
import { openStore } from "../store/store.ts";
import { followSettings } from "./live-settings.ts";
import { createLazyModels, createTools, redactorFor } from "./ports.ts";
import { workerId } from "./worker-id.ts";
import { loadWorkflow } from "./workflow-runs.ts";

/** A worker gives its runs back well before the supervisor would kill it. */
const GRACE_MS = STOP_GRACE_MS - 2_000;

type WorkerSettings = Pick<Config, "llm" | "tools" | "dataDir">;

export interface WorkerOptions {
  readonly name: string;
  /** Reads the settings anew, for keys that were saved on a page. */
  readonly reload: () => Promise<WorkerSettings>;
  readonly onReady: () => void;
  readonly reportError: (error: unknown) => void;
}

export async function startWorker(config: Config, options: WorkerOptions) {
  const clock = systemClock;
  const store = await openStore({ path: config.databasePath, clock });
  const settings = followSettings<WorkerSettings>(config, options.reload);
  const tools = createTools(config);
  const runner = startRunner({
    runs: store.runs,
    queue: store.queue,
    changes: store.changes,
    clock,
    models: createLazyModels(async () => (await settings.refresh()).llm),
    tools,
    loadWorkflow: (workflowId, hash) =>
      loadWorkflow(store.workflows, { workflowId, hash }, tools.names),
    worker: workerId(options.name, process.pid),
    concurrency: config.workerConcurrency,
    redact: redactorFor(config),
    reportError: options.reportError,
  });
  options.onReady();
  return {
    async stop(): Promise<void> {
      await runner.stop({ graceMs: GRACE_MS });
      await store.close();
    },
  };
}
