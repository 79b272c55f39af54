import { cpuSeconds } from "./process.ts";
import { type Started, startAgents, startEmpty, type Subject } from "./subject.ts";

const REQUEST_COUNT = 2_000;
const CONCURRENCY = 10;

/** Requests a second and server CPU a request, of `/` and `/health`, beside the empty server's. */
export async function measureHttp(subject: Subject) {
  const agents = await startAgents(subject);
  const page = await load(agents, "");
  const health = await load(agents, "health");
  await agents.stop();
  const empty = await startEmpty(subject);
  const bare = await load(empty, "");
  await empty.stop();
  return { "/": page, "/health": health, empty: bare };
}

async function load({ url: base, pid }: Started, path: string) {
  const url = base + path;
  await requests(url, REQUEST_COUNT / 10);
  const cpuBefore = cpuSeconds(pid);
  const startedAt = performance.now();
  const latencies = await requests(url, REQUEST_COUNT);
  const seconds = (performance.now() - startedAt) / 1000;
  const cpu = cpuSeconds(pid) - cpuBefore;
  const sorted = latencies.toSorted((left, right) => left - right);
  const at = (part: number) =>
    Math.round((sorted[Math.floor(sorted.length * part)] ?? 0) * 100) / 100;
  return {
    requestsPerSecond: Math.round(REQUEST_COUNT / seconds),
    serverCpuMsPerRequest: Math.round((cpu / REQUEST_COUNT) * 1e6) / 1000,
    latencyMs: { p50: at(0.5), p95: at(0.95), p99: at(0.99) },
  };
}

async function requests(url: string, count: number): Promise<number[]> {
  const latencies: number[] = [];
  let left = count;
  const client = async () => {
    while (left > 0) {
      left -= 1;
      const startedAt = performance.now();
      const answer = await fetch(url);
      await answer.arrayBuffer();
      if (answer.status !== 200) throw new Error(`${url} answered ${answer.status}`);
      latencies.push(performance.now() - startedAt);
    }
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, client));
  return latencies;
}
