import { spread } from "./process.ts";
import { type Started, startAgents, startEmpty, type Subject } from "./subject.ts";

const ROUND_COUNT = 15;

/** Milliseconds from exec to the first page in a fresh folder, and of `--version`, beside an empty program's. */
export async function measureStart(subject: Subject) {
  const agents: number[] = [];
  const empty: number[] = [];
  const version: number[] = [];
  const emptyRun: number[] = [];
  for (let round = 0; round < ROUND_COUNT; round += 1) {
    agents.push(await firstAnswerMs(await startAgents(subject)));
    empty.push(await firstAnswerMs(await startEmpty(subject)));
    version.push(await runOnce([subject.executable, "--version"]));
    emptyRun.push(await runOnce([subject.empty]));
  }
  return {
    firstPageMs: { agents: spread(agents), empty: spread(empty) },
    versionMs: { agents: spread(version), empty: spread(emptyRun) },
  };
}

async function firstAnswerMs(started: Started): Promise<number> {
  await started.stop();
  return started.firstAnswerMs;
}

async function runOnce(argv: readonly string[]): Promise<number> {
  const startedAt = performance.now();
  await Bun.spawn([...argv], { stdout: "ignore" }).exited;
  return performance.now() - startedAt;
}
