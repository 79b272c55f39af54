/**
 * `bun run bench [size] [start] [memory] [http] [streams] [engine] [chat] [page] [history]`: measures the executable and the engine, and prints
 * JSON; tables for people go to standard error.
 *
 * Machines are shared and noisy, so times stand beside the same measurement of an empty Bun program
 * made in the same run (`ratio`), and CPU seconds beside wall seconds. No test depends on a number here.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { buildEmpty } from "./bench/empty.ts";
import { measureEngine } from "./bench/engine.ts";
import { measureFirstToken } from "./bench/first-token.ts";
import { measureHistory } from "./bench/history.ts";
import { measureHttp } from "./bench/http.ts";
import { measureMemory } from "./bench/memory.ts";
import { measurePages } from "./bench/page.ts";
import { measureRecovery } from "./bench/recovery.ts";
import { measureStart } from "./bench/start.ts";
import { measureStreams } from "./bench/streams.ts";
import type { Subject } from "./bench/subject.ts";
import { measureWorkerMemory } from "./bench/worker-memory.ts";

const wanted = process.argv.slice(2);
const folder = await mkdtemp(join(tmpdir(), "agents-bench-"));
try {
  const report: Record<string, unknown> = {
    bun: Bun.version,
    platform: `${process.platform}-${process.arch}`,
    cpuCount: navigator.hardwareConcurrency,
  };
  if (["size", "start", "memory", "http", "streams"].some(wants))
    await measureExecutable(await findSubject(), report);
  if (wants("engine")) {
    report["engine"] = await measureEngine(folder);
    report["recovery"] = await measureRecovery(folder);
    report["workerMemory"] = await measureWorkerMemory(folder);
  }
  if (wanted.includes("chat")) report["chat"] = await measureFirstToken(await findSubject());
  if (wanted.includes("page")) report["page"] = await measurePages(await findSubject());
  // It takes minutes and some gigabytes: only when it is asked for.
  if (wanted.includes("history")) report["history"] = await measureHistory(await findSubject());
  console.log(JSON.stringify(report, undefined, 2));
} finally {
  await rm(folder, { recursive: true, force: true });
}

async function findSubject(): Promise<Subject> {
  const executable = resolve(process.platform === "win32" ? "agents.exe" : "agents");
  if (!(await Bun.file(executable).exists()))
    throw new Error("There is no executable to measure: run `bun build.ts` first.");
  return { executable, empty: await buildEmpty(folder), folder };
}

async function measureExecutable(subject: Subject, report: Record<string, unknown>) {
  if (wants("size")) {
    const sizes = {
      agents: Bun.file(subject.executable).size,
      empty: Bun.file(subject.empty).size,
    };
    report["sizeBytes"] = { ...sizes, ratio: round(sizes.agents / sizes.empty) };
  }
  if (wants("start")) report["start"] = await measureStart(subject);
  if (wants("memory")) report["memory"] = await measureMemory(subject);
  if (wants("http")) report["http"] = await measureHttp(subject);
  if (wants("streams")) report["streams"] = await measureStreams(subject);
}

function wants(name: string): boolean {
  return wanted.length === 0 || wanted.includes(name);
}

function round(value: number): number {
  return Math.round(value * 1000) / 1000;
}
