/** Events are written once, although the writer repeats what a database in trouble may have written. */
import { expect, test } from "bun:test";
import { MIGRATIONS } from "../../drizzle/index.ts";
import { AppError } from "../../src/domain/error.ts";
import type { RunEvent } from "../../src/domain/event.ts";
import { type Connection, createConnection } from "../../src/store/connection.ts";
import { createQueue } from "../../src/store/queue.ts";
import { openFile } from "../../src/store/reopen.ts";
import { createRunStore } from "../../src/store/run-store.ts";
import { createWorkflowStore } from "../../src/store/workflow-store.ts";
import { delta, eventsAfter, start, write } from "../conformance/support.ts";
import { codeOf } from "./support/error-code.ts";
import { createManualClock } from "./support/manual-clock.ts";
import { newRun, saveWorkflow, startRun } from "./support/seed.ts";

/** A run on a connection whose next write can be made to fail: before it is done, or after. */
async function open() {
  const clock = createManualClock();
  const settings = { readOnly: false, migrations: MIGRATIONS, lockWaitMs: 1_000 };
  const options = { path: ":memory:", clock, ...settings };
  const connection = createConnection(options, await openFile(options));
  let failure: "before" | "after" | undefined;
  const flaky: Connection = {
    ...connection,
    async write(work) {
      const now = failure;
      failure = undefined;
      if (now === "before") throw new AppError("disk_full", "Full.");
      const result = await connection.write(work);
      if (now === "after") throw new AppError("disk_full", "Full.");
      return result;
    },
  };
  const runs = createRunStore(flaky, clock);
  const ports = { runs, queue: createQueue(connection, clock) };
  const workflow = await saveWorkflow(createWorkflowStore(connection, clock));
  const claim = await startRun(ports, newRun(workflow, "r1"));
  return {
    runs,
    claim,
    fail(moment: "before" | "after") {
      failure = moment;
    },
    logged: () => eventsAfter(runs, "r1", 2),
    [Symbol.asyncDispose]: () => connection.close(),
  };
}

for (const moment of ["before", "after"] as const) {
  test(`appendEvents() that failed ${moment} the commit and is repeated writes once`, async () => {
    await using it = await open();
    const events: RunEvent[] = [delta("a"), delta("b")];
    it.fail(moment);
    expect(await codeOf(it.runs.appendEvents(it.claim, events))).toBe("disk_full");
    await it.runs.appendEvents(it.claim, events);
    expect(await it.logged()).toEqual(events);
  });

  test(`write() of events that failed ${moment} the commit and is repeated writes once`, async () => {
    await using it = await open();
    for (const steps of [[], [start()]]) {
      const before = (await it.logged()).length;
      const events: RunEvent[] = [delta("a"), delta("b")];
      it.fail(moment);
      expect(await codeOf(write(it, it.claim, { steps, events }))).toBe("disk_full");
      await write(it, it.claim, { steps, events });
      expect((await it.logged()).slice(before, before + 2)).toEqual(events);
      expect(await it.logged()).toHaveLength(before + 2 + steps.length);
    }
  });
}

test("what others write between the tries does not hide the first", async () => {
  await using it = await open();
  const events: RunEvent[] = [delta("a")];
  it.fail("after");
  await codeOf(it.runs.appendEvents(it.claim, events));
  await it.runs.requestCancel("r1");
  await it.runs.appendEvents(it.claim, events);
  expect(await it.logged()).toEqual([...events, { type: "run.cancelling" }]);
});

test("the same list given again after it was written is written again", async () => {
  await using it = await open();
  const events: RunEvent[] = [delta("a")];
  await it.runs.appendEvents(it.claim, events);
  await it.runs.appendEvents(it.claim, events);
  expect(await it.logged()).toEqual([...events, ...events]);
});
