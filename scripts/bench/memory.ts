import { mkdtemp } from "node:fs/promises";
import { join } from "node:path";
import type { Subject } from "./empty.ts";
import { cpuSeconds, freePort, pssMiB, tree, untilAnswer } from "./process.ts";

const SETTLE_MS = 5_000;
const IDLE_MS = 10_000;

/** PSS of the whole idle tree, without MLflow, and the CPU it uses while nothing happens. Linux only. */
export async function measureMemory(subject: Subject) {
  if (process.platform !== "linux") return { skipped: "PSS is read from /proc" };
  const home = await mkdtemp(join(subject.folder, "memory-"));
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
  await untilAnswer(`http://127.0.0.1:${port}/`, performance.now());
  await Bun.sleep(SETTLE_MS);
  const pids = tree(child.pid);
  const before = pids.reduce((sum, pid) => sum + cpuSeconds(pid), 0);
  await Bun.sleep(IDLE_MS);
  const after = pids.reduce((sum, pid) => sum + cpuSeconds(pid), 0);
  const pss = pids.map((pid) => pssMiB(pid));
  child.kill("SIGTERM");
  await child.exited;

  const emptyPort = freePort();
  const empty = Bun.spawn([subject.empty, "serve", String(emptyPort)], { stdout: "ignore" });
  await untilAnswer(`http://127.0.0.1:${emptyPort}/`, performance.now());
  const emptyPss = pssMiB(empty.pid);
  empty.kill();
  await empty.exited;
  return {
    processCount: pids.length,
    treePssMiB: Math.round(pss.reduce((sum, value) => sum + value, 0) * 10) / 10,
    processPssMiB: pss.map((value) => Math.round(value * 10) / 10),
    emptyPssMiB: Math.round(emptyPss * 10) / 10,
    idleCpuPercent: Math.round(((after - before) / (IDLE_MS / 1000)) * 10_000) / 100,
  };
}
