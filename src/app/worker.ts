/** `agents worker`: claims runs of a data folder and executes their steps. */
import type { Config } from "../config/config.ts";
import { STOP_GRACE_MS } from "../domain/service.ts";
import { systemClock } from "../lib/clock.ts";
import { openStore } from "../store/store.ts";
import { followSettings } from "./live-settings.ts";
import { createLazyModels } from "./ports.ts";
import { startStepRunner } from "./step-runner.ts";
import { workerId } from "./worker-id.ts";

/** A worker gives its runs back well before the supervisor would kill it. */
const GRACE_MS = STOP_GRACE_MS - 2_000;

type WorkerSettings = Pick<Config, "llm" | "tools" | "dataDir">;

export interface WorkerOptions {
  readonly name: string;
  /** Reads the settings anew, for keys that were saved on a page. */
  readonly reload: () => Promise<WorkerSettings>;
  readonly onReady: () => void;
  readonly reportError: (error: unknown) => void;
  /** Takes what programs write that steps have started, where it is no result. */
  readonly onLog: (line: string) => void;
}

export async function startWorker(config: Config, options: WorkerOptions) {
  const clock = systemClock;
  const store = await openStore({ path: config.databasePath, clock });
  const settings = followSettings<WorkerSettings>(config, options.reload);
  const runner = startStepRunner(config, {
    store,
    models: createLazyModels(async () => (await settings.refresh()).llm),
    worker: workerId(options.name, process.pid),
    concurrency: config.workerConcurrency,
    reportError: options.reportError,
    onLog: options.onLog,
  });
  options.onReady();
  return {
    async stop(): Promise<void> {
      await runner.stop({ graceMs: GRACE_MS });
      await store.close();
    },
  };
}
