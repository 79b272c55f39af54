/** How long a thousand runs that stood in the middle of a step take when their worker is killed. */
import { mkdtemp } from "node:fs/promises";
import { join } from "node:path";
import { systemClock } from "../../src/lib/clock.ts";
import { openStore } from "../../src/store/store.ts";
import { prepareRuns } from "./engine-runs.ts";
import { graphOf, STEPS_PER_RUN } from "./graphs.ts";

const RUN_COUNT = 1_000;
const WORKER_COUNT = 2;
const CONCURRENCY = 128;
/** Calls of each run before the kill: two that finish, and one that hangs. */
const CALLS_BEFORE = 3;
const CALLS_AFTER = STEPS_PER_RUN.chain - CALLS_BEFORE + 1;
const WAIT_MS_MAX = 120_000;

/** `told`: the supervisor has seen the worker die and gives its runs back. Else their leases run out first. */
export async function measureRecovery(folder: string) {
  return { told: await recover(folder, true), untold: await recover(folder, false) };
}

async function recover(folder: string, told: boolean) {
  const path = join(await mkdtemp(join(folder, "recovery-")), "bench.db");
  const store = await openStore({ path, clock: systemClock });
  const createRuns = await prepareRuns(store, graphOf("chain", "tool"));
  await createRuns(RUN_COUNT);

  const victim = startWorker(path, { mode: "hang", name: "victim", concurrency: RUN_COUNT });
  await victim.called(RUN_COUNT * CALLS_BEFORE);
  victim.kill();
  await victim.exited;

  const startedAt = performance.now();
  const returned = told ? await store.queue.releaseWorker("victim") : 0;
  const workers = Array.from({ length: WORKER_COUNT }, (_, index) =>
    startWorker(path, { mode: "go", name: `heir-${index}`, concurrency: CONCURRENCY }),
  );
  // Before the leases run out nothing is due, but it will be: the workers wait for it.
  await Promise.all(workers.map(async (worker) => worker.exited));
  const seconds = (performance.now() - startedAt) / 1000;
  const counts = await store.runs.counts();
  await store.close();
  const calls = workers.reduce((sum, worker) => sum + worker.callCount(), 0);
  if (counts.succeeded !== RUN_COUNT) throw new Error(`${counts.succeeded} runs have succeeded`);
  if (told && returned !== RUN_COUNT) throw new Error(`${returned} runs were given back`);
  // What had finished is not called again.
  if (calls !== RUN_COUNT * CALLS_AFTER) throw new Error(`${calls} calls after the kill`);
  return { runCount: RUN_COUNT, seconds: Math.round(seconds * 100) / 100, callsAfterKill: calls };
}

function startWorker(
  path: string,
  { mode, name, concurrency }: { mode: "hang" | "go"; name: string; concurrency: number },
) {
  const script = join(import.meta.dir, "recovery-worker.ts");
  const child = Bun.spawn([process.execPath, script, mode, path, name, String(concurrency)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let count = 0;
  const reading = (async () => {
    for await (const chunk of child.stdout) count += chunk.length;
  })();
  return {
    callCount: () => count,
    exited: Promise.all([child.exited, reading]),
    kill: () => child.kill("SIGKILL"),
    async called(wanted: number) {
      const limit = performance.now() + WAIT_MS_MAX;
      const missing = () => wanted - count;
      while (missing() > 0) {
        if (performance.now() > limit)
          throw new Error(`${missing()} of ${wanted} calls are missing`);
        await Bun.sleep(20);
      }
    },
  };
}
