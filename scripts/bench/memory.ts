import { cpuSeconds, pssMiB, tree } from "./process.ts";
import { startAgents, startEmpty, type Subject } from "./subject.ts";

const SETTLE_MS = 5_000;
const IDLE_MS = 10_000;

/** PSS of the whole idle tree, without MLflow, and the CPU it uses while nothing happens. Linux only. */
export async function measureMemory(subject: Subject) {
  if (process.platform !== "linux") return { skipped: "PSS is read from /proc" };
  const agents = await startAgents(subject);
  await Bun.sleep(SETTLE_MS);
  const pids = tree(agents.pid);
  const before = pids.reduce((sum, pid) => sum + cpuSeconds(pid), 0);
  await Bun.sleep(IDLE_MS);
  const after = pids.reduce((sum, pid) => sum + cpuSeconds(pid), 0);
  const pss = pids.map((pid) => pssMiB(pid));
  await agents.stop();

  const empty = await startEmpty(subject);
  const emptyPss = pssMiB(empty.pid);
  await empty.stop();
  return {
    processCount: pids.length,
    treePssMiB: round(pss.reduce((sum, value) => sum + value, 0)),
    processPssMiB: pss.map(round),
    emptyPssMiB: round(emptyPss),
    idleCpuPercent: Math.round(((after - before) / (IDLE_MS / 1000)) * 10_000) / 100,
  };
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
