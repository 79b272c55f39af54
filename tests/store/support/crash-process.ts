/**
 * A worker that is going to be killed: takes up what the last one left, starts new runs, and notes each
 * write in a ledger as soon as the store has acknowledged it.
 * Arguments: database, ledger, name, name of the worker before, number of new runs.
 */
import { appendFileSync } from "node:fs";
import type { Claim } from "../../../src/domain/run.ts";
import { systemClock } from "../../../src/lib/clock.ts";
import { openStore } from "../../../src/store/store.ts";
import { STEP_COUNT } from "./crash.ts";
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

async function execute(claim: Claim): Promise<void> {
  const { steps } = await runs.journal(claim.runId);
  const done = steps.filter((step) => step.state === "succeeded").length;
  for (let index = done; index < STEP_COUNT; index += 1) {
    const step = { key: `s${index}`, nodeId: `s${index}`, attempt: 1, input: index };
    const { recoveryCount } = await runs.startStep(claim, step);
    if (recoveryCount === 0) note(`started ${claim.runId} ${step.key}`);
    const patch = { [step.key]: index };
    const last = index === STEP_COUNT - 1 ? { outputs: { steps: STEP_COUNT } } : undefined;
    await runs.succeedStep(claim, { ...step, patch }, last);
    note(`succeeded ${claim.runId} ${step.key}`);
  }
}
