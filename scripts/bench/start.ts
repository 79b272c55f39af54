import { mkdtemp } from "node:fs/promises";
import { join } from "node:path";
import type { Subject } from "./empty.ts";
import { freePort, spread, untilAnswer } from "./process.ts";

const ROUND_COUNT = 15;

/** Milliseconds from exec to the first page in a fresh folder, and of `--version`, beside an empty program's. */
export async function measureStart(subject: Subject) {
  const agents: number[] = [];
  const empty: number[] = [];
  const version: number[] = [];
  const emptyRun: number[] = [];
  for (let round = 0; round < ROUND_COUNT; round += 1) {
    agents.push(await firstPage(subject));
    empty.push(await emptyPage(subject));
    version.push(await runOnce([subject.executable, "--version"]));
    emptyRun.push(await runOnce([subject.empty]));
  }
  return {
    firstPageMs: { agents: spread(agents), empty: spread(empty) },
    versionMs: { agents: spread(version), empty: spread(emptyRun) },
  };
}

async function firstPage(subject: Subject): Promise<number> {
  const home = await mkdtemp(join(subject.folder, "start-"));
  const port = freePort();
  const startedAt = performance.now();
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
  const ms = await untilAnswer(`http://127.0.0.1:${port}/`, startedAt);
  child.kill("SIGTERM");
  await child.exited;
  return ms;
}

async function emptyPage(subject: Subject): Promise<number> {
  const port = freePort();
  const startedAt = performance.now();
  const child = Bun.spawn([subject.empty, "serve", String(port)], { stdout: "ignore" });
  const ms = await untilAnswer(`http://127.0.0.1:${port}/`, startedAt);
  child.kill();
  await child.exited;
  return ms;
}

async function runOnce(argv: readonly string[]): Promise<number> {
  const startedAt = performance.now();
  await Bun.spawn([...argv], { stdout: "ignore" }).exited;
  return performance.now() - startedAt;
}
