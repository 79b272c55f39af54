/** A write that is refused leaves every row of the database as it was. */
import { expect, test } from "bun:test";
import { LEASE_MS } from "../../src/domain/run.ts";
import { openStore } from "../../src/store/store.ts";
import { dumpDatabase } from "./support/dump.ts";
import { codeOf } from "./support/error-code.ts";
import { temporaryFolder } from "./support/folder.ts";
import { createManualClock } from "./support/manual-clock.ts";
import { claim, newRun, saveWorkflow, startRun } from "./support/seed.ts";

test("writes under an old epoch change no row, alone or in a group with valid ones", async () => {
  await using folder = await temporaryFolder();
  const clock = createManualClock();
  const store = await openStore({ path: folder.database, clock });
  const workflow = await saveWorkflow(store.workflows);
  const old = await startRun(store, newRun(workflow, "r1"), "w1");
  const step = { key: "read", nodeId: "read", attempt: 1, input: null };
  await store.runs.startStep(old, step);
  clock.advance(LEASE_MS);
  await claim(store.queue, "w2", "r1");
  const error = { code: "timeout", message: "Late." } as const;
  const retry = { at: 1, waitingFor: "timer", inPlace: false } as const;
  const call = {
    key: "read",
    attempt: 1,
    ordinal: 0,
    kind: "model",
    name: "m",
    request: null,
    result: null,
    usage: { input: 1, output: 1, cacheRead: 1, cacheWrite: 1, reasoning: 1 },
    costNanoUsd: 1,
    startedAt: 1,
    finishedAt: 2,
  } as const;
  const late = () => [
    store.runs.startStep(old, step),
    store.runs.recordCall(old, call, []),
    store.runs.appendEvents(old, [{ type: "run.cancelling" }]),
    store.runs.succeedStep(old, { ...step, patch: { a: 1 } }, undefined),
    store.runs.succeedStep(old, { ...step, patch: { a: 1 } }, { outputs: {} }),
    store.runs.failStep(old, { ...step, error }, retry),
    store.runs.failStep(old, { ...step, error }, undefined),
    store.runs.failRun(old, error),
    store.runs.cancelRun(old),
  ];
  const before = dumpDatabase(folder.database);

  const codes = await Promise.all(late().map(codeOf));
  await store.queue.release(old);
  expect(await store.queue.touch([old])).toEqual(["lost"]);
  expect(new Set(codes)).toEqual(new Set(["lease_lost"]));
  expect(dumpDatabase(folder.database)).toEqual(before);

  const [saved, ...others] = await Promise.all([
    codeOf(store.system.setSetting("a", "1")),
    ...late().map(codeOf),
    codeOf(store.system.setSetting("b", "2")),
  ]);
  expect([saved, others.pop(), new Set(others)]).toEqual([
    "fulfilled",
    "fulfilled",
    new Set(["lease_lost"]),
  ]);
  const rows = [`{"key":"a","value":"1"}`, `{"key":"b","value":"2"}`];
  expect(dumpDatabase(folder.database)).toEqual({ ...before, settings: rows });
  await store.close();
});
