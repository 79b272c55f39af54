/**
 * One of several workers on one file that all do the same at once: claim and execute runs, send signals
 * to all of them, and decide every approval. Prints what it has done.
 * Arguments: database, name of the worker.
 */
import { type Claim, approvalSignal } from "../../../src/domain/run.ts";
import { systemClock } from "../../../src/lib/clock.ts";
import { openStore } from "../../../src/store/store.ts";
import { type Report, SIGNAL_COUNT, STEP_COUNT, runIds } from "./contention.ts";
import { codeOf } from "./error-code.ts";
import { waitUntil } from "./wait.ts";

const [database = "", worker = ""] = process.argv.slice(2);
const store = await openStore({ path: database, clock: systemClock });
const { runs, queue } = store;
const report = { claimed: [], written: [], signalled: [], decided: [] } as {
  [Key in keyof Report]: Report[Key][number][];
};

await Promise.all([execute(), signalAll(), decideAll()]);
await store.close();
console.log(JSON.stringify(report satisfies Report));

async function execute(): Promise<void> {
  await waitUntil(
    "all runs to end",
    async () => {
      const claims = await queue.fetch(worker, 3);
      await Promise.all(claims.map(step));
      const { queued, running, waiting } = await runs.counts();
      return queued + running + waiting === 0;
    },
    30_000,
  );
}

/** Does what is next of a run: asks, goes on after the decision, ends; then gives it back. */
async function step(claim: Claim): Promise<void> {
  const { runId } = claim;
  report.claimed.push(`${runId} ${claim.epoch}`);
  const run = await runs.get(runId);
  const { steps, signals } = await runs.journal(runId);
  const asked = steps.find((attempt) => attempt.key === "ask");
  const merges = { sum: "sum" } as const;
  if (asked === undefined) {
    const begin = { type: "start", key: "ask", nodeId: "ask", attempt: 1, input: null } as const;
    const wait = { for: "approval", message: "?", untilMs: null } as const;
    await runs.write(claim, {
      steps: [begin, { type: "wait", key: "ask", attempt: 1, wait }],
      merges,
      turn: { state: "waiting", for: "approval", dueAt: null, seenWakeCount: run?.wakeCount ?? 0 },
    });
    return;
  }
  const decision = signals.find((signal) => signal.name === approvalSignal("ask"));
  const signalCount = signals.length - (decision === undefined ? 0 : 1);
  if (decision === undefined || signalCount < 3 * SIGNAL_COUNT) {
    const seenWakeCount = run?.wakeCount ?? 0;
    const turn = { state: "waiting", for: "signal", dueAt: null, seenWakeCount } as const;
    await runs.write(claim, { steps: [], merges, turn });
    return;
  }
  for (let index = 0; index < STEP_COUNT; index += 1) {
    const key = `s${index}`;
    const begin = { type: "start", key, nodeId: key, attempt: 1, input: index } as const;
    const end = { type: "succeed", key, attempt: 1, patch: { sum: 1 }, next: [] } as const;
    await runs.write(claim, { steps: [begin], merges });
    await runs.write(claim, { steps: [end], merges });
    report.written.push(`${runId} ${key}`);
  }
  const done = { type: "succeed", key: "ask", attempt: 1, patch: {}, next: ["END"] } as const;
  const turn = { state: "succeeded", outputs: {} } as const;
  await runs.write(claim, { steps: [{ ...done, consumes: decision.seq }], merges, turn });
}

async function signalAll(): Promise<void> {
  for (const runId of runIds) {
    for (let count = 0; count < SIGNAL_COUNT; count += 1) {
      const { seq } = await runs.signal(runId, { name: "go", payload: worker, by: worker });
      report.signalled.push(seq);
    }
  }
}

async function decideAll(): Promise<void> {
  for (const runId of runIds) {
    let code = "not_found";
    await waitUntil(
      `run ${runId} to ask`,
      async () => {
        const decision = { approved: true, comment: worker, by: worker };
        code = await codeOf(runs.decide(runId, "ask", decision));
        return code !== "not_found";
      },
      30_000,
    );
    if (code === "fulfilled") report.decided.push(runId);
  }
}
