/**
 * A worker that is going to be killed: takes up what the last one left, starts new runs, and notes each
 * write in a ledger as soon as the store has acknowledged it.
 * Arguments: database, ledger, name, name of the worker before, number of new runs.
 */
import { appendFileSync } from "node:fs";
import type { Claim, RunTurn, StepAttempt, StepWrite } from "../../../src/domain/run.ts";
import { systemClock } from "../../../src/lib/clock.ts";
import { openStore } from "../../../src/store/store.ts";
import { MERGES, STEP_COUNT, namespaceOf } from "./crash.ts";
import { newRun, saveWorkflow } from "./seed.ts";

const [database = "", ledger = "", worker = "", before = "", runCount = "0"] =
  process.argv.slice(2);
const store = await openStore({ path: database, clock: systemClock });
const { runs, queue } = store;
const note = (line: string) => appendFileSync(ledger, `${line}\n`);

await queue.releaseWorker(before);
const workflow = await saveWorkflow(store.workflows);
await Promise.all(
  Array.from({ length: Number(runCount) }, async (_, index) => {
    const id = `${worker}-${index}`;
    await runs.create(newRun(workflow, id), {});
    note(`created ${id}`);
  }),
);
const claims = await queue.fetch(worker, 1000);
await Promise.all(claims.map(execute));
await store.close();

/** Each step in one write with the beginning of the next, as the engine does it. */
async function execute(claim: Claim): Promise<void> {
  const { steps, signals } = await runs.journal(claim.runId);
  const write = (changes: readonly StepWrite[], turn?: RunTurn) =>
    runs.write(claim, { steps: changes, merges: MERGES, ...(turn === undefined ? {} : { turn }) });
  const done = steps.filter((step) => step.state === "succeeded").length;
  noteStarted(claim, await write([start(done)]));
  for (let index = done; index < STEP_COUNT; index += 1) {
    const key = `s${index}`;
    const known = signals.find((signal) => signal.name === key);
    const payload = { key };
    const signal = known ?? (await runs.signal(claim.runId, { name: key, payload, by: null }));
    if (known === undefined) note(`signalled ${claim.runId} ${key}`);
    const succeed = { ...success(claim.runId, index), consumes: signal.seq };
    if (index < STEP_COUNT - 1) noteStarted(claim, await write([succeed, start(index + 1)]));
    else await write([succeed], { state: "succeeded", outputs: { steps: STEP_COUNT } });
    note(`succeeded ${claim.runId} ${key}`);
  }
}

function noteStarted(claim: Claim, attempts: readonly StepAttempt[]): void {
  for (const { key, recoveryCount } of attempts) {
    if (recoveryCount === 0) note(`started ${claim.runId} ${key}`);
  }
}

function start(index: number) {
  const key = `s${index}`;
  return { type: "start", key, nodeId: key, attempt: 1, input: index } as const;
}

function success(runId: string, index: number) {
  const key = `s${index}`;
  const value = `${runId} ${key}`;
  const entry = { key: value, value, maxEntries: 1_000, expiresAt: null };
  return {
    type: "succeed",
    key,
    attempt: 1,
    patch: { [key]: index, sum: 1 },
    next: [index < STEP_COUNT - 1 ? `s${index + 1}` : "END"],
    memories: [{ ...entry, namespace: namespaceOf(runId) }],
  } as const;
}
