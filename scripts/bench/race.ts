/** One graph on one engine: worker processes that are all ready before the clock starts. */
import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { type Shape, STEPS_PER_RUN } from "./graphs.ts";

export type Synchronous = "FULL" | "NORMAL";

export interface Lap {
  readonly shape: Shape;
  readonly synchronous: Synchronous;
  readonly workerCount: number;
}

export interface Contender {
  readonly name: string;
  /** Runs at the same time in each worker. */
  readonly concurrency: number;
  /** Steps to measure over, enough for some seconds; shapes that are not raced are left out. */
  readonly stepCounts: Partial<Readonly<Record<Shape, number>>>;
  readonly synchronous: readonly Synchronous[];
  /**
   * Start of the command line; behind it come database, shape, runs, concurrency, synchronous and a prefix
   * for the ids of runs. The worker says `ready`, waits for a line, makes and executes the runs, and answers
   * with a line of JSON.
   */
  readonly command: readonly string[];
  /** Looks into the database. @throws Error when not all runs have succeeded. */
  readonly check?: (path: string, runCount: number) => Promise<void>;
}

export interface LapResult {
  readonly stepsPerSecond: number;
  readonly cpuMsPerStep: number;
}

/** @throws Error when a worker fails or has executed another number of steps. */
export async function runLap(contender: Contender, lap: Lap, folder: string): Promise<LapResult> {
  const place = await mkdtemp(join(folder, "lap-"));
  try {
    return await measure(contender, lap, join(place, "bench.db"));
  } finally {
    await rm(place, { recursive: true, force: true });
  }
}

async function measure(contender: Contender, lap: Lap, path: string): Promise<LapResult> {
  const { shape, synchronous, workerCount } = lap;
  const perRun = STEPS_PER_RUN[shape];
  const share = Math.ceil((contender.stepCounts[shape] ?? 0) / perRun / workerCount);
  const limits = [shape, String(share), String(contender.concurrency), synchronous];
  const workers: Worker[] = [];
  // One after the other: each may create tables that the next one finds.
  for (let index = 0; index < workerCount; index += 1)
    workers.push(await startWorker([...contender.command, path, ...limits, `worker-${index}`]));
  const startedAt = performance.now();
  for (const worker of workers) worker.go();
  const answers = await Promise.all(workers.map(async (worker) => worker.answer()));
  const seconds = (performance.now() - startedAt) / 1000;
  await contender.check?.(path, share * workerCount);
  const steps = answers.reduce((sum, answer) => sum + answer.steps, 0);
  if (steps !== share * workerCount * perRun)
    throw new Error(`${contender.name} executed ${steps} steps of ${share * workerCount * perRun}`);
  const cpuSeconds = answers.reduce((sum, answer) => sum + answer.cpuSeconds, 0);
  return {
    stepsPerSecond: Math.round(steps / seconds),
    cpuMsPerStep: Math.round((cpuSeconds / steps) * 1e6) / 1000,
  };
}

interface Answer {
  readonly steps: number;
  readonly cpuSeconds: number;
}

interface Worker {
  go(): void;
  answer(): Promise<Answer>;
}

async function startWorker(argv: readonly string[]): Promise<Worker> {
  const child = Bun.spawn([...argv], { stdio: ["pipe", "pipe", "inherit"] });
  const lines = readLines(child.stdout);
  const first = await lines.next();
  if (first.value !== "ready") throw new Error(`${argv.join(" ")} said ${String(first.value)}`);
  return {
    go() {
      void child.stdin.write("go\n");
      void child.stdin.flush();
    },
    async answer() {
      const line = await lines.next();
      if (line.done) throw new Error(`${argv.join(" ")} ended with ${await child.exited}`);
      const answer: Answer = JSON.parse(line.value);
      void child.stdin.end();
      await child.exited;
      return answer;
    },
  };
}

async function* readLines(stream: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of stream) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    rest = lines.pop() ?? "";
    yield* lines;
  }
}
