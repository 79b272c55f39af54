import { mkdtemp } from "node:fs/promises";
import { join } from "node:path";
import { newId } from "../../src/lib/id.ts";
import { systemClock } from "../../src/lib/clock.ts";
import { openStore } from "../../src/store/store.ts";
import type { Subject } from "./subject.ts";
import { CHAIN, CHAIN_NODE_IDS } from "./chain.ts";

const RUN_COUNT = 6_000;
/** Runs at the same time in each worker: the default, and a busy installation. */
const CONCURRENCIES = [16, 128];

/**
 * Durable steps a second: runs of five model steps whose model answers at once, so that what is measured
 * is the engine and the store, each commit with `synchronous=FULL`.
 */
export async function measureSteps(subject: Subject) {
  const report: Record<string, unknown> = {};
  for (const workerCount of [1, 2])
    for (const concurrency of CONCURRENCIES)
      report[`workers${workerCount}x${concurrency}`] = await measure(subject, {
        workerCount,
        concurrency,
      });
  return report;
}

async function measure(
  subject: Subject,
  { workerCount, concurrency }: { workerCount: number; concurrency: number },
) {
  const folder = await mkdtemp(join(subject.folder, "steps-"));
  const path = join(folder, "agents.db");
  const store = await openStore({ path, clock: systemClock });
  const record = await store.workflows.save({
    name: "chain",
    description: null,
    source: CHAIN,
    format: "yaml",
  });
  const create = () =>
    store.runs.create(
      {
        id: newId(Date.now()),
        workflowId: record.id,
        workflowName: "chain",
        versionHash: record.version.hash,
        nodeIds: CHAIN_NODE_IDS,
        inputs: { text: "x" },
        overrides: {},
        source: "api",
      },
      { text: "x" },
    );
  for (let made = 0; made < RUN_COUNT; made += 500)
    await Promise.all(Array.from({ length: Math.min(500, RUN_COUNT - made) }, create));

  const startedAt = performance.now();
  const workers = Array.from({ length: workerCount }, (_, index) =>
    Bun.spawn(
      [
        process.execPath,
        join(import.meta.dir, "step-worker.ts"),
        path,
        `bench-${index}`,
        String(concurrency),
      ],
      { stdout: "pipe", stderr: "inherit" },
    ),
  );
  const answers = await Promise.all(
    workers.map(async (worker) => Number(await new Response(worker.stdout).text())),
  );
  const seconds = (performance.now() - startedAt) / 1000;
  const counts = await store.runs.counts();
  if (counts.succeeded !== RUN_COUNT)
    throw new Error(`only ${counts.succeeded} of ${RUN_COUNT} runs succeeded`);
  await store.close();
  const stepCount = RUN_COUNT * CHAIN_NODE_IDS.length;
  const cpuSeconds = answers.reduce((sum, value) => sum + value, 0);
  return {
    stepCount,
    stepsPerSecond: Math.round(stepCount / seconds),
    cpuMsPerStep: Math.round((cpuSeconds / stepCount) * 1e6) / 1000,
  };
}
