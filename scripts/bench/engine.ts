/**
 * Durable steps a second of our engine beside LangGraph and Mastra: the same graphs of steps that do nothing, on
 * SQLite files, taken in turns on the same machine. The clock covers making the runs and executing them, not the
 * start of the processes.
 */
import { join } from "node:path";
import { markdownTable } from "../../src/lib/markdown-table.ts";
import { systemClock } from "../../src/lib/clock.ts";
import { openStore } from "../../src/store/store.ts";
import { installContenders } from "./contenders.ts";
import { SHAPES, type StepKind } from "./graphs.ts";
import { type Spread, spread } from "./process.ts";
import { type Contender, type Lap, type LapResult, runLap } from "./race.ts";

const ROUND_COUNT = 3;
const WORKER_COUNTS = [1, 2, 4];
/** A busy installation, and the default of the product. */
const CONCURRENCY_BUSY = 128;
const CONCURRENCY_DEFAULT = 16;
const OURS = "agents";

interface Standing {
  readonly engine: string;
  readonly lap: Lap;
  readonly stepsPerSecond: Spread;
  readonly cpuMsPerStep: Spread;
}

interface Failure {
  readonly engine: string;
  readonly lap: Lap;
  readonly failed: string;
}

export async function measureEngine(folder: string) {
  const contenders = [...ourEngines(), ...(await installContenders())];
  const results = new Map<string, { contender: Contender; lap: Lap; done: LapResult[] }>();
  const failures = new Map<string, Failure>();
  for (let round = 0; round < ROUND_COUNT; round += 1) {
    for (const [contender, lap] of lapsOf(contenders)) {
      const key = JSON.stringify([contender.name, lap]);
      if (failures.has(key)) continue;
      const entry = results.get(key) ?? { contender, lap, done: [] };
      results.set(key, entry);
      try {
        entry.done.push(await runLap(contender, lap, folder));
      } catch (error) {
        // Some cannot do it with so many processes. What has been measured is still told.
        failures.set(key, { engine: contender.name, lap, failed: String(error) });
        results.delete(key);
      }
    }
  }
  const standings = [...results.values()].map(({ contender, lap, done }) => ({
    engine: contender.name,
    lap,
    stepsPerSecond: spread(done.map((result) => result.stepsPerSecond)),
    cpuMsPerStep: spread(done.map((result) => result.cpuMsPerStep)),
  }));
  const ratios = ratiosOf(standings);
  if ([...failures.values()].some(({ engine }) => engine.startsWith(OURS))) process.exitCode = 1;
  console.error(tableOf(standings));
  return { roundCount: ROUND_COUNT, standings, failures: [...failures.values()], ratios };
}

function ourEngine(name: string, kind: StepKind): Contender {
  return {
    name,
    concurrency: CONCURRENCY_BUSY,
    stepCounts: { chain: 15_000 },
    synchronous: ["FULL", "NORMAL"],
    command: [process.execPath, join(import.meta.dir, "engine-worker.ts"), kind],
    check: checkRuns,
  };
}

function ourEngines(): Contender[] {
  const steps = { chain: 20_000, fork: 15_000, map: 20_000 };
  return [
    { ...ourEngine(OURS, "wait"), stepCounts: steps },
    { ...ourEngine(`${OURS}, 16 runs a worker`, "wait"), concurrency: CONCURRENCY_DEFAULT },
    ourEngine(`${OURS}, tool steps`, "tool"),
    ourEngine(`${OURS}, model steps`, "model"),
  ];
}

async function checkRuns(path: string, runCount: number): Promise<void> {
  const store = await openStore({ path, clock: systemClock, readOnly: true });
  const counts = await store.runs.counts();
  const [other] = await store.runs.list({ states: ["failed", "running", "queued"], limit: 1 });
  await store.close();
  if (counts.succeeded !== runCount)
    throw new Error(`not all runs succeeded: ${JSON.stringify({ counts, other })}`);
}

function* lapsOf(contenders: readonly Contender[]): Generator<[Contender, Lap]> {
  for (const shape of SHAPES)
    for (const workerCount of WORKER_COUNTS)
      for (const contender of contenders)
        if (contender.stepCounts[shape] !== undefined)
          for (const synchronous of contender.synchronous)
            yield [contender, { shape, synchronous, workerCount }];
}

/** Our median over theirs: with the same number of workers, and each with its best number. */
function ratiosOf(standings: readonly Standing[]): Record<string, Record<string, number>> {
  const ratios: Record<string, Record<string, number>> = {};
  for (const theirs of standings) {
    if (theirs.engine.startsWith(OURS)) continue;
    const { shape, synchronous } = theirs.lap;
    const isSame = ({ lap }: Standing) => lap.shape === shape && lap.synchronous === synchronous;
    const all = (engine: string) => standings.filter((one) => one.engine === engine && isSame(one));
    const beside = all(OURS).find(({ lap }) => lap.workerCount === theirs.lap.workerCount);
    const row = (ratios[`${theirs.engine} ${shape} ${synchronous}`] ??= {
      best: hundredths(best(all(OURS)) / best(all(theirs.engine))),
    });
    if (beside === undefined) continue;
    const ratio = beside.stepsPerSecond.median / theirs.stepsPerSecond.median;
    row[`${theirs.lap.workerCount} workers`] = hundredths(ratio);
  }
  return ratios;
}

function best(standings: readonly Standing[]): number {
  return Math.max(...standings.map(({ stepsPerSecond }) => stepsPerSecond.median));
}

/** Medians: steps a second, and CPU milliseconds a step. */
function tableOf(standings: readonly Standing[]): string {
  const header = [
    "graph",
    "synchronous",
    "engine",
    ...WORKER_COUNTS.map((count) => `${count} worker(s)`),
  ];
  const rows = new Map<string, string[]>();
  for (const { engine, lap, stepsPerSecond, cpuMsPerStep } of standings) {
    const key = [lap.shape, lap.synchronous, engine];
    const row = rows.get(key.join()) ?? [...key, ...WORKER_COUNTS.map(() => "-")];
    rows.set(key.join(), row);
    const cell = `${Math.round(stepsPerSecond.median)} (${cpuMsPerStep.median} ms)`;
    row[key.length + WORKER_COUNTS.indexOf(lap.workerCount)] = cell;
  }
  const sorted = [...rows.values()].toSorted(
    (left, right) =>
      orderOf(left[0]) - orderOf(right[0]) || (left[1] ?? "").localeCompare(right[1] ?? ""),
  );
  return markdownTable(header, sorted);
}

function orderOf(shape: string | undefined): number {
  return SHAPES.findIndex((known) => known === shape);
}

function hundredths(value: number): number {
  return Math.round(value * 100) / 100;
}
