import { expect, test } from "bun:test";
import {
  BULK_JOB_COUNT_MAX,
  type BulkOutcome,
  type NewBulkJob,
} from "../../src/domain/bulk-job.ts";
import { openStore } from "../../src/store/store.ts";
import { codeOf } from "./support/error-code.ts";
import { createManualClock } from "./support/manual-clock.ts";

async function setup() {
  const clock = createManualClock();
  const { bulkJobs } = await openStore({ path: ":memory:", clock });
  const make = (id: string, over: Partial<NewBulkJob> = {}) =>
    bulkJobs.create({
      id,
      action: "cancel",
      state: "running",
      isMore: false,
      runIds: ["r1", "r2", "r3"],
      ...over,
    });
  return { clock, bulkJobs, make };
}

const done = (runId: string, changedRunId = runId): BulkOutcome => ({
  runId,
  changedRunId,
  refusal: null,
});
const REFUSAL = { message: "It has ended already.", fix: "There is nothing to cancel." };

test("a job gives its runs in order, those begun before first, and is done when none is left", async () => {
  const { clock, bulkJobs, make } = await setup();
  const job = await make("j1");
  expect(job).toEqual({
    id: "j1",
    action: "cancel",
    state: "running",
    createdAt: clock.now(),
    count: 3,
    isMore: false,
    doneCount: 0,
    refusedCount: 0,
    refusals: [],
    canUndo: false,
    undoneBy: null,
  });
  expect(await make("j1", { runIds: ["other"] })).toEqual(job);
  expect(await bulkJobs.begin("j1", 1)).toEqual([{ runId: "r1", isRepeated: false }]);
  expect(await bulkJobs.begin("j1", 2)).toEqual([
    { runId: "r1", isRepeated: true },
    { runId: "r2", isRepeated: false },
  ]);
  await bulkJobs.finish("j1", [done("r1"), { runId: "r2", changedRunId: null, refusal: REFUSAL }]);
  await bulkJobs.finish("j1", [done("r1"), done("r2")]);
  expect(await bulkJobs.running()).toEqual(["j1"]);
  expect(await bulkJobs.begin("j1", 9)).toEqual([{ runId: "r3", isRepeated: false }]);
  await bulkJobs.finish("j1", [done("r3", "r4")]);
  expect(await bulkJobs.begin("j1", 9)).toEqual([]);
  expect(await bulkJobs.running()).toEqual([]);
  expect(await bulkJobs.get("j1")).toEqual({
    ...job,
    state: "done",
    doneCount: 2,
    refusedCount: 1,
    refusals: [{ id: "r2", ...REFUSAL }],
    canUndo: true,
  });

  expect(await bulkJobs.undo("j1", { id: "j2", action: "resume" })).toBe("j2");
  expect(await bulkJobs.undo("j1", { id: "j3", action: "resume" })).toBe("j2");
  expect(await bulkJobs.begin("j2", 9)).toEqual([
    { runId: "r1", isRepeated: false },
    { runId: "r4", isRepeated: false },
  ]);
  expect(await codeOf(bulkJobs.undo("j2", { id: "j4", action: "cancel" }))).toBe("conflict");
  expect((await bulkJobs.list(9)).map(({ id }) => id)).toEqual(["j2", "j1"]);
  expect(await codeOf(bulkJobs.get("j3"))).toBe("not_found");
});

test("confirm() begins once; what was not confirmed does nothing", async () => {
  const { bulkJobs, make } = await setup();
  await make("j1", { state: "asked", action: "delete" });
  expect(await bulkJobs.begin("j1", 9)).toEqual([]);
  expect((await bulkJobs.get("j1")).state).toBe("asked");
  expect([await bulkJobs.confirm("j1"), await bulkJobs.confirm("j1")]).toEqual([true, false]);
  expect(await bulkJobs.begin("j1", 9)).toHaveLength(3);
});

test("the newest jobs are kept, and all that are under way", async () => {
  const { bulkJobs, make } = await setup();
  await make("a-running");
  await make("b-asked", { state: "asked" });
  for (let index = 0; index < BULK_JOB_COUNT_MAX; index += 1) {
    await make(`c${String(index).padStart(3, "0")}`, { state: "asked", runIds: [] });
  }
  expect(await codeOf(bulkJobs.get("b-asked"))).toBe("not_found");
  expect((await bulkJobs.get("a-running")).count).toBe(3);
});

test("a job of a thousand runs keeps their order", async () => {
  const { bulkJobs, make } = await setup();
  const runIds = Array.from({ length: 1_000 }, (_, index) => `r${index}`);
  await make("j1", { runIds });
  expect((await bulkJobs.begin("j1", 1_000)).map(({ runId }) => runId)).toEqual(runIds);
});
