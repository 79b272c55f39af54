/**
 * Goal: each time of a schedule starts one run, whatever happens in between.
 * Method: a real store, a clock that the test moves, and a failure at each write in turn.
 */
import { afterEach, describe, expect, test } from "bun:test";
import { startDue } from "../../src/app/scheduler.ts";
import { AppError } from "../../src/domain/error.ts";
import type { RunStore } from "../../src/domain/run.ts";
import type { SchedulePlan, ScheduleStore } from "../../src/domain/schedule.ts";
import { nextTime } from "../../src/lib/cron.ts";
import { openStore, type Store } from "../../src/store/store.ts";
import { createManualClock } from "../store/support/manual-clock.ts";

const HOUR_MS = 3_600_000;
const SOURCE = `schema_version: "1.0"
flow: {name: hello}
state:
  fields:
    topic: {type: str, required: true}
    words: {type: int, default: 100}
    text: {type: str, default: ""}
nodes:
  - {id: say, prompt: "{topic}", outputs: [text], output_schema: {type: str}}
edges:
  - {from: START, to: say}
  - {from: say, to: END}
`;
const PLAN: SchedulePlan = {
  cron: "0 * * * *",
  timeZone: "UTC",
  inputs: { topic: "tides" },
  overrides: { provider: "demo" },
  overlap: "start",
  catchUp: true,
};

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup();
});

async function setUp(plan: Partial<SchedulePlan> = {}) {
  const clock = createManualClock(Date.UTC(2026, 10, 20, 8, 30));
  const store = await openStore({ path: ":memory:", clock });
  cleanups.push(() => store.close());
  const save = (source: string) =>
    store.workflows.save({ name: "hello", description: null, source, format: "yaml" });
  const workflow = await save(SOURCE);
  const { cron, timeZone, ...rest } = { ...PLAN, ...plan };
  const schedule = await store.schedules.create({
    workflowId: workflow.id,
    nextAt: nextTime(cron, timeZone, clock.now()) ?? null,
    cron,
    timeZone,
    ...rest,
  });
  const tick = (parts: Partial<Pick<Store, "runs" | "schedules">> = {}) =>
    startDue({ ...store, ...parts, toolNames: [], clock, reportError() {} });
  const runs = () => store.runs.list({ limit: 100 });
  const state = async () => {
    const { nextAt, lastAt, lastOutcome, lastRunId, lastError } =
      (await store.schedules.get(schedule.id)) ?? schedule;
    return { nextAt, lastAt, lastOutcome, lastRunId, code: lastError?.code ?? null };
  };
  return { clock, store, save, schedule, tick, runs, state };
}

const at = (hour: number) => Date.UTC(2026, 10, 20, hour);

describe("startDue()", () => {
  test("starts a run when the time has come, not before, and goes on to the next", async () => {
    const { clock, tick, runs, state } = await setUp();
    await tick();
    expect(await runs()).toEqual([]);
    clock.set(at(9));
    await tick();
    await tick();
    const [run, ...others] = await runs();
    expect(others).toEqual([]);
    expect(run).toMatchObject({
      source: "schedule",
      workflowName: "hello",
      inputs: { topic: "tides" },
      overrides: { provider: "demo" },
      state: "queued",
    });
    expect(await state()).toEqual({
      nextAt: at(10),
      lastAt: at(9),
      lastOutcome: "started",
      lastRunId: run?.id ?? "",
      code: null,
    });
  });

  test("starts the version that is the newest when the time comes", async () => {
    const { clock, save, tick, runs } = await setUp();
    const { version } = await save(SOURCE.replace("words: {type: int", "length: {type: int"));
    clock.set(at(9));
    await tick();
    expect((await runs()).map(({ versionHash }) => versionHash)).toEqual([version.hash]);
  });

  test("starts once for all the times that were missed", async () => {
    const { clock, tick, runs, state } = await setUp();
    clock.set(at(14) + 5 * 60_000);
    await tick();
    await tick();
    expect(await runs()).toHaveLength(1);
    expect(await state()).toMatchObject({ nextAt: at(15), lastOutcome: "started" });
  });

  test("leaves missed times out where nothing is to be caught up, but not a time that is a little late", async () => {
    const { clock, tick, runs, state } = await setUp({ catchUp: false });
    clock.set(at(12) + 61_000);
    await tick();
    expect(await runs()).toEqual([]);
    expect(await state()).toMatchObject({ nextAt: at(13), lastOutcome: "missed" });
    clock.set(at(13) + 59_000);
    await tick();
    expect(await runs()).toHaveLength(1);
  });

  test("leaves a time out while the run before is under way", async () => {
    const { clock, store, tick, runs, state } = await setUp({ overlap: "skip" });
    clock.set(at(9));
    await tick();
    clock.advance(HOUR_MS);
    await tick();
    expect(await runs()).toHaveLength(1);
    const [first] = await runs();
    expect(await state()).toMatchObject({ lastOutcome: "overlapped", lastRunId: first?.id });
    await store.runs.requestCancel(first?.id ?? "");
    clock.advance(HOUR_MS);
    await tick();
    expect(await runs()).toHaveLength(2);
  });

  test("says why a run could not be started, and tries the next time again", async () => {
    const { clock, save, tick, runs, state } = await setUp();
    await save(SOURCE.replace("topic: {", "subject: {").replace("{topic}", "{subject}"));
    clock.set(at(9));
    await tick();
    expect(await state()).toMatchObject({ nextAt: at(10), lastOutcome: "failed", code: "invalid" });
    await save(SOURCE);
    clock.set(at(10));
    await tick();
    expect(await runs()).toHaveLength(1);
    expect(await state()).toMatchObject({ lastOutcome: "started", code: null });
  });

  test("starts nothing for a schedule that is paused or deleted", async () => {
    const { clock, store, schedule, tick, runs } = await setUp();
    await store.schedules.update(schedule.id, { nextAt: null });
    clock.set(at(9));
    await tick();
    expect(await runs()).toEqual([]);
    expect(await store.schedules.nextDueAt()).toBeUndefined();
  });

  for (const point of ["takeUp", "create", "settle"] as const) {
    for (const moment of ["before", "after"] as const) {
      test(`that dies ${moment} ${point} starts one run all the same`, async () => {
        const { clock, store, tick, runs, state } = await setUp();
        clock.set(at(9));
        const died = new AppError("unavailable", "The process has died here.");
        const dying = async <T>(work: () => Promise<T>): Promise<T> => {
          if (moment === "after") await work();
          throw died;
        };
        const { runs: known, schedules } = store;
        const parts: Partial<Pick<Store, "runs" | "schedules">> = {
          takeUp: {
            schedules: {
              ...schedules,
              takeUp: (id: string, time: number, runId: string) =>
                dying(() => schedules.takeUp(id, time, runId)),
            },
          },
          create: {
            runs: {
              ...known,
              create: (...run: Parameters<RunStore["create"]>) => dying(() => known.create(...run)),
            },
          },
          settle: {
            schedules: {
              ...schedules,
              settle: (...result: Parameters<ScheduleStore["settle"]>) =>
                dying(() => schedules.settle(...result)),
            },
          },
        }[point];
        expect(await tick(parts).catch((error: unknown) => error)).toBe(died);
        clock.advance(1_000);
        await tick();
        await tick();
        const all = await runs();
        expect(all).toHaveLength(1);
        expect(await state()).toMatchObject({
          lastOutcome: "started",
          lastRunId: all[0]?.id,
          nextAt: at(10),
        });
      });
    }
  }
});
