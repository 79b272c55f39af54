/** What the product takes of this machine, as the status page shows it: the last half hour, in this process only. */
import { statfs } from "node:fs/promises";
import type { ResourceSample } from "../domain/service.ts";
import type { Clock } from "../lib/clock.ts";
import { createRing } from "../lib/ring.ts";
import { type ProcessTree, processTree } from "../process/process-tree.ts";

/** Half an hour of samples that are five seconds apart. */
const RESOURCE_SAMPLE_COUNT_MAX = 360;
/** Elsewhere than on Linux a look starts a program, so it is taken only while somebody has asked lately. */
const ASKED_MS = 30_000;

export interface ResourceDeps {
  readonly clock: Clock;
  readonly intervalMs: number;
  readonly dataDir: string;
  readonly databaseBytes: () => number | null;
  readonly queueDepth: () => Promise<number>;
  readonly signal: AbortSignal;
  readonly isCheap?: boolean;
  readonly sampleCountMax?: number;
}

/** Looks from now on until `signal` aborts. @returns the samples so far, oldest first. */
export function followResources(deps: ResourceDeps): () => readonly ResourceSample[] {
  const { clock, signal, isCheap = process.platform === "linux" } = deps;
  const { sampleCountMax = RESOURCE_SAMPLE_COUNT_MAX } = deps;
  const samples = createRing<ResourceSample>(sampleCountMax);
  let before: Look | undefined;
  let askedAt = Number.NEGATIVE_INFINITY;

  async function follow(): Promise<void> {
    while (!signal.aborted) {
      if (isCheap || clock.now() - askedAt < ASKED_MS) {
        // oxlint-disable-next-line no-await-in-loop -- Each look follows a wait.
        const look = await lookAround(deps);
        samples.push(toSample(look, before));
        before = look;
      }
      // oxlint-disable-next-line no-await-in-loop
      await clock.sleep(deps.intervalMs, signal);
    }
  }

  void follow();
  return () => {
    askedAt = clock.now();
    return samples.values();
  };
}

interface Look extends Omit<ResourceSample, "cpuShare"> {
  /** Of each process that tells it. */
  readonly cpuMs: ReadonlyMap<number, number>;
}

/** What cannot be looked at is null, and says nothing about the rest. */
async function lookAround(deps: ResourceDeps): Promise<Look> {
  const [tree, disk, queueDepth] = await Promise.all([
    processTree(process.pid).catch(() => undefined),
    statfs(deps.dataDir).catch(() => undefined),
    deps.queueDepth().catch(() => null),
  ]);
  return {
    at: deps.clock.now(),
    memoryBytes: tree === undefined || tree.processes.length === 0 ? null : tree.bytes,
    diskFreeBytes: disk === undefined ? null : disk.bavail * disk.bsize,
    databaseBytes: deps.databaseBytes(),
    queueDepth,
    cpuMs: cpuOf(tree),
  };
}

function cpuOf(tree: ProcessTree | undefined): Map<number, number> {
  return new Map(
    (tree?.processes ?? []).flatMap(({ pid, cpuMs }) =>
      cpuMs === undefined ? [] : [[pid, cpuMs]],
    ),
  );
}

function toSample({ cpuMs, ...look }: Look, before: Look | undefined): ResourceSample {
  return { ...look, cpuShare: before === undefined ? null : cpuShare({ cpuMs, ...look }, before) };
}

/** A process that has begun in between counts from its beginning; of one that has ended the rest is not known. */
function cpuShare(now: Look, before: Look): number | null {
  const passedMs = now.at - before.at;
  if (now.cpuMs.size === 0 || passedMs <= 0) return null;
  let usedMs = 0;
  for (const [pid, ms] of now.cpuMs) usedMs += Math.max(0, ms - (before.cpuMs.get(pid) ?? 0));
  return Math.min(1, usedMs / passedMs / navigator.hardwareConcurrency);
}
