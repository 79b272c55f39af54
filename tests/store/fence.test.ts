/** A write that is refused leaves every row of the database as it was. */
import { expect, test } from "bun:test";
import { LEASE_MS } from "../../src/domain/run.ts";
import { openStore } from "../../src/store/store.ts";
import { dumpDatabase } from "./support/dump.ts";
import { codeOf } from "./support/error-code.ts";
import { temporaryFolder } from "./support/folder.ts";
import { createManualClock } from "./support/manual-clock.ts";
import { fail, start, succeed, wait, waiting, write } from "../conformance/support.ts";
import { claim, newRun, saveWorkflow, startRun } from "./support/seed.ts";

test("writes under an old epoch change no row, alone or in a group with valid ones", async () => {
  await using folder = await temporaryFolder();
  const clock = createManualClock();
  const store = await openStore({ path: folder.database, clock });
  const workflow = await saveWorkflow(store.workflows);
  const old = await startRun(store, newRun(workflow, "r1"), "w1");
  await write(store, old, { steps: [start()] });
  clock.advance(LEASE_MS);
  await claim(store.queue, "w2", "r1");
  const error = { code: "timeout", message: "Late." } as const;
  const namespace = { scope: "agent", agent: "echo", runId: null, nodeId: null } as const;
  const memory = { namespace, key: "k", value: "v", maxEntries: 5, expiresAt: null };
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
    write(store, old, { steps: [start()] }),
    write(store, old, { steps: [start("b")] }),
    store.runs.recordCall(old, call, []),
    store.runs.appendEvents(old, [{ type: "run.cancelling" }]),
    write(store, old, { steps: [succeed("read", { patch: { a: 1 }, memories: [memory] })] }),
    write(store, old, { steps: [succeed()], turn: { state: "succeeded", outputs: {} } }),
    write(store, old, { steps: [fail("read", { retryAt: 1 })], turn: waiting({ dueAt: 1 }) }),
    write(store, old, { steps: [fail()], turn: { state: "failed", error } }),
    write(store, old, { steps: [wait({ for: "budget" })], turn: waiting({ for: "budget" }) }),
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
