/** Memory of one worker while it executes ten thousand runs: it must not grow with them. Linux only. */
import { mkdtemp } from "node:fs/promises";
import { join } from "node:path";
import { systemClock } from "../../src/lib/clock.ts";
import { openStore } from "../../src/store/store.ts";
import { prepareRuns } from "./engine-runs.ts";
import { graphOf } from "./graphs.ts";
import { pssMiB, spread } from "./process.ts";

const RUN_COUNT = 10_000;
const CONCURRENCY = 16;
const SAMPLE_MS = 100;

export async function measureWorkerMemory(folder: string) {
  if (process.platform !== "linux") return { skipped: "PSS is read from /proc" };
  const path = join(await mkdtemp(join(folder, "worker-memory-")), "bench.db");
  const store = await openStore({ path, clock: systemClock });
  const createRuns = await prepareRuns(store, graphOf("chain", "tool"));
  await createRuns(RUN_COUNT);
  const script = join(import.meta.dir, "recovery-worker.ts");
  const child = Bun.spawn([process.execPath, script, "go", path, "worker", String(CONCURRENCY)], {
    stdio: ["ignore", "ignore", "inherit"],
  });
  const samples: { done: number; mib: number }[] = [];
  while (child.exitCode === null) {
    const { succeeded } = await store.runs.counts();
    const mib = await currentPss(child.pid);
    if (mib !== undefined) samples.push({ done: succeeded, mib });
    await Promise.race([child.exited, Bun.sleep(SAMPLE_MS)]);
  }
  const { succeeded } = await store.runs.counts();
  await store.close();
  if (succeeded !== RUN_COUNT) throw new Error(`${succeeded} of ${RUN_COUNT} runs have succeeded`);
  const tenths = Array.from({ length: 10 }, (_, tenth) => {
    const isIn = ({ done }: { done: number }) => Math.floor((done * 10) / RUN_COUNT) === tenth;
    return spread(samples.filter(isIn).map(({ mib }) => mib)).median;
  });
  const [, second = Number.NaN] = tenths;
  const last = tenths.at(-1) ?? Number.NaN;
  return {
    runCount: RUN_COUNT,
    /** Medians over each tenth of the runs. */
    pssMiB: tenths,
    lastTenthToSecond: Math.round((last / second) * 1000) / 1000,
  };
}

/** Undefined when the process has just ended. */
async function currentPss(pid: number): Promise<number | undefined> {
  try {
    return pssMiB(pid);
  } catch {
    // /proc/PID is gone.
    return undefined;
  }
}
