/**
 * Many open status pages on one process: after a change in the database, how long until the last one has it, and
 * what that costs. The readers are bare sockets in a process of their own on the same machine, which takes a part of the same
 * cores.
 */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { systemClock } from "../../src/lib/clock.ts";
import { newId } from "../../src/lib/id.ts";
import { openStore } from "../../src/store/store.ts";
import { cpuSeconds, pssMiB, spread } from "./process.ts";
import { type Started, startAgents, type Subject } from "./subject.ts";

const READER_COUNT = 5_000;
const ROUND_COUNT = 7;
/** Between two changes, so that each is a change of its own. */
const REST_MS = 3_000;

interface Readers {
  /** Asked before the change. @returns what waits for the moments (epoch) at which each reader had this word. */
  watch(word: string): Promise<() => Promise<readonly number[]>>;
  stop(): void;
}

export async function measureStreams(subject: Subject) {
  const folder = join(subject.folder, "streams");
  await mkdir(folder, { recursive: true });
  const agents = await startAgents({ ...subject, folder });
  const idle = { pssMiB: pssMiB(agents.pid), cpuSeconds: cpuSeconds(agents.pid) };
  const openedAt = performance.now();
  const readers = await openReaders(agents);
  const openMs = performance.now() - openedAt;
  try {
    return { ...(await measure(agents, readers, idle.pssMiB)), openMs: Math.round(openMs) };
  } finally {
    readers.stop();
    await agents.stop();
  }
}

async function measure(agents: Started, readers: Readers, idlePssMiB: number) {
  const quiet = await cpuShare(agents, REST_MS);
  const store = await openStore({ path: join(agents.dataDir, "agents.db"), clock: systemClock });
  const source = "name: bench\nnodes:\n  - id: pause\n    type: wait\n    seconds: 0.01\n";
  const flow = await store.workflows.save({
    name: "bench",
    description: null,
    source,
    format: "yaml",
  });
  const firsts: number[] = [];
  const lasts: number[] = [];
  const costs: number[] = [];
  for (let round = 0; round < ROUND_COUNT; round += 1) {
    const id = newId(Date.now());
    const told = await readers.watch(id);
    const cpuBefore = cpuSeconds(agents.pid);
    const changedAt = Date.now();
    await store.runs.create(
      {
        id,
        workflowId: flow.id,
        workflowName: "bench",
        versionHash: flow.version.hash,
        nodeIds: ["pause"],
        inputs: {},
        overrides: {},
        source: "api",
      },
      {},
    );
    const times = await told();
    firsts.push(Math.min(...times) - changedAt);
    lasts.push(Math.max(...times) - changedAt);
    await Bun.sleep(REST_MS);
    costs.push(cpuSeconds(agents.pid) - cpuBefore);
  }
  await store.close();
  return {
    readers: READER_COUNT,
    firstMs: spread(firsts),
    lastMs: spread(lasts),
    serverCpuSecondsPerChange: spread(costs),
    serverCpuShareQuiet: quiet,
    pssMiB: { without: Math.round(idlePssMiB), with: Math.round(pssMiB(agents.pid)) },
  };
}

async function cpuShare({ pid }: Started, ms: number): Promise<number> {
  const before = cpuSeconds(pid);
  await Bun.sleep(ms);
  return Math.round(((cpuSeconds(pid) - before) / ms) * 1e6) / 1000;
}

async function openReaders({ url }: Started): Promise<Readers> {
  const { hostname, port } = new URL(url);
  const script = join(import.meta.dir, "stream-worker.ts");
  const child = Bun.spawn(
    [process.execPath, script, hostname, port, "/status/stream", String(READER_COUNT)],
    { stdin: "pipe", stdout: "pipe", stderr: "inherit" },
  );
  const lines = linesOf(child.stdout);
  const next = async () => {
    const { value, done } = await lines.next();
    if (done === true) throw new Error("The readers have ended.");
    return value;
  };
  await next();
  return {
    async watch(word) {
      void child.stdin.write(`${word}\n`);
      await child.stdin.flush();
      await next();
      return async () => JSON.parse(await next());
    },
    stop: () => child.kill(),
  };
}

async function* linesOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of stream) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    rest = lines.pop() ?? "";
    yield* lines;
  }
}
