import { mkdtemp } from "node:fs/promises";
import { join } from "node:path";
import type { Subject } from "./empty.ts";
import { cpuSeconds, freePort, untilAnswer } from "./process.ts";

const REQUEST_COUNT = 2_000;
const CONCURRENCY = 10;

/** Requests a second and server CPU a request, of `/` and `/health`, beside the empty server's. */
export async function measureHttp(subject: Subject) {
  const home = await mkdtemp(join(subject.folder, "http-"));
  const port = freePort();
  const child = Bun.spawn(
    [
      subject.executable,
      "start",
      "--yes",
      "--port",
      String(port),
      "--data-dir",
      join(home, "data"),
      "--no-mlflow",
      "--no-open",
    ],
    { cwd: home, env: { HOME: home, PATH: "" }, stdout: "ignore", stderr: "ignore" },
  );
  const base = `http://127.0.0.1:${port}`;
  await untilAnswer(`${base}/`, performance.now());
  const page = await load(`${base}/`, child.pid);
  const health = await load(`${base}/health`, child.pid);
  child.kill("SIGTERM");
  await child.exited;

  const emptyPort = freePort();
  const empty = Bun.spawn([subject.empty, "serve", String(emptyPort)], { stdout: "ignore" });
  await untilAnswer(`http://127.0.0.1:${emptyPort}/`, performance.now());
  const bare = await load(`http://127.0.0.1:${emptyPort}/`, empty.pid);
  empty.kill();
  await empty.exited;
  return { "/": page, "/health": health, empty: bare };
}

async function load(url: string, pid: number) {
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
