import { readFile } from "node:fs/promises";
import { listProcesses } from "./process-table.ts";
import type { ProcessRow } from "./process-table.ts";

export interface TreeProcess {
  readonly pid: number;
  readonly command: string;
  readonly bytes: number;
  /** Processor time since it began; undefined where it is not told. */
  readonly cpuMs: number | undefined;
}

export interface ProcessTree {
  /** The process itself first. */
  readonly processes: readonly TreeProcess[];
  /**
   * `pss`: shared pages are divided among those who share them, so the sum is what the tree takes;
   * `rss`: they are counted in each, so the sum is too high.
   */
  readonly measure: "pss" | "rss";
  readonly bytes: number;
}

/** A process and all that descend from it, with their memory. Empty when it is gone. */
export async function processTree(pid: number): Promise<ProcessTree> {
  const rows = descendants(await listProcesses(), pid);
  const shares = await Promise.all(rows.map((row) => proportionalBytes(row.pid)));
  const measure = shares.some((share) => share !== undefined) ? "pss" : "rss";
  const processes = rows.map((row, index) => ({
    pid: row.pid,
    command: row.command,
    bytes: shares[index] ?? row.residentBytes,
    cpuMs: row.cpuMs,
  }));
  return { processes, measure, bytes: processes.reduce((sum, one) => sum + one.bytes, 0) };
}

function descendants(rows: readonly ProcessRow[], pid: number): ProcessRow[] {
  const found = rows.filter((row) => row.pid === pid);
  for (const parent of found) {
    found.push(...rows.filter((row) => row.parentPid === parent.pid && row.pid !== parent.pid));
  }
  return found;
}

async function proportionalBytes(pid: number): Promise<number | undefined> {
  if (process.platform !== "linux") return undefined;
  try {
    const rollup = await readFile(`/proc/${pid}/smaps_rollup`, "utf8");
    const match = /^Pss:\s+(\d+) kB/m.exec(rollup);
    return match === null ? undefined : Number(match[1]) * 1_024;
  } catch {
    // It ended meanwhile, or belongs to another user: its resident size must do.
    return undefined;
  }
}
