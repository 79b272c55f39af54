import { readFileSync, readdirSync } from "node:fs";

export interface Spread {
  readonly min: number;
  readonly median: number;
  readonly max: number;
}

export function spread(values: readonly number[]): Spread {
  const sorted = values.toSorted((left, right) => left - right);
  const at = (index: number) => Math.round((sorted[index] ?? Number.NaN) * 100) / 100;
  return { min: at(0), median: at(Math.floor(sorted.length / 2)), max: at(sorted.length - 1) };
}

/** Polls until the address answers 200. @returns milliseconds since `startedAt` (performance.now). */
export async function untilAnswer(url: string, startedAt: number): Promise<number> {
  const limit = performance.now() + 30_000;
  while (performance.now() < limit) {
    const answer = await fetch(url).catch(() => undefined);
    if (answer?.status === 200) {
      await answer.arrayBuffer();
      return performance.now() - startedAt;
    }
    await Bun.sleep(1);
  }
  throw new Error(`${url} did not answer within 30 s`);
}

/** A port that was free a moment ago. */
export function freePort(): number {
  const server = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: () => new Response() });
  const port = server.port ?? 0;
  void server.stop(true);
  return port;
}

/** The process and all its descendants. Linux only. */
export function tree(pid: number): number[] {
  const children = new Map<number, number[]>();
  for (const name of readdirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const parent = Number(statFields(Number(name))?.[1]);
    if (Number.isNaN(parent)) continue;
    children.set(parent, [...(children.get(parent) ?? []), Number(name)]);
  }
  const found = [pid];
  for (let index = 0; index < found.length; index += 1)
    found.push(...(children.get(found[index] ?? 0) ?? []));
  return found;
}

/** Proportional set size in MiB: shared pages are counted once over the tree. */
export function pssMiB(pid: number): number {
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, "utf8");
  return Number(/^Pss:\s+(\d+) kB/m.exec(text)?.[1] ?? 0) / 1024;
}

/** User and system seconds of a live process. */
export function cpuSeconds(pid: number): number {
  const fields = statFields(pid);
  return fields === undefined ? 0 : (Number(fields[11]) + Number(fields[12])) / 100;
}

/** Fields of /proc/PID/stat after the command name: [0] state, [1] parent, [11] utime, [12] stime. */
function statFields(pid: number): string[] | undefined {
  try {
    return readFileSync(`/proc/${pid}/stat`, "utf8")
      .replace(/^.*\) /s, "")
      .split(" ");
  } catch {
    // The process ended while we looked.
    return undefined;
  }
}
