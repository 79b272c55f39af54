/**
 * `bun run bench [size] [start] [memory] [http] [steps]`: measures the executable and prints JSON.
 *
 * Machines are shared and noisy, so times stand beside the same measurement of an empty Bun program
 * made in the same run (`ratio`), and CPU seconds beside wall seconds. No test depends on a number here.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { buildEmpty } from "./bench/empty.ts";
import { measureHttp } from "./bench/http.ts";
import { measureMemory } from "./bench/memory.ts";
import { measureStart } from "./bench/start.ts";
import { measureSteps } from "./bench/steps.ts";

const wanted = process.argv.slice(2);
const executable = resolve(process.platform === "win32" ? "agents.exe" : "agents");
if (!(await Bun.file(executable).exists()))
  throw new Error("There is no executable to measure: run `bun build.ts` first.");

const folder = await mkdtemp(join(tmpdir(), "agents-bench-"));
try {
  const empty = await buildEmpty(folder);
  const subject = { executable, empty, folder };
  const report: Record<string, unknown> = {
    bun: Bun.version,
    platform: `${process.platform}-${process.arch}`,
    cpuCount: navigator.hardwareConcurrency,
  };
  if (wants("size")) {
    const sizes = { agents: Bun.file(executable).size, empty: Bun.file(empty).size };
    report["sizeBytes"] = { ...sizes, ratio: round(sizes.agents / sizes.empty) };
  }
  if (wants("start")) report["start"] = await measureStart(subject);
  if (wants("memory")) report["memory"] = await measureMemory(subject);
  if (wants("http")) report["http"] = await measureHttp(subject);
  if (wants("steps")) report["steps"] = await measureSteps(subject);
  console.log(JSON.stringify(report, undefined, 2));
} finally {
  await rm(folder, { recursive: true, force: true });
}

function wants(name: string): boolean {
  return wanted.length === 0 || wanted.includes(name);
}

function round(value: number): number {
  return Math.round(value * 1000) / 1000;
}
