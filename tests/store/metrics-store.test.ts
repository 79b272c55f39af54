/**
 * Goal: the sums of hours and days are what journals and logs tell, whatever workers did in whatever order, and
 * whatever range is asked for.
 * Method: random runs and ranges; the same figures are added up from events, attempts and calls, by hand.
 */
import { Database } from "bun:sqlite";
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { MIGRATIONS } from "../../drizzle/index.ts";
import {
  HOURS_KEPT_MS,
  type MetricsRange,
  type MetricsStore,
  type RunSums,
} from "../../src/domain/metrics.ts";
import type { Claim, StepWrite } from "../../src/domain/run.ts";
import { type Store, openStore } from "../../src/store/store.ts";
import { APPROVAL, call, fail, skip, start, succeed, wait, write } from "../conformance/support.ts";
import { codeOf } from "./support/error-code.ts";
import { temporaryFolder } from "./support/folder.ts";
import { type ManualClock, createManualClock } from "./support/manual-clock.ts";
import { claim, newRun, saveWorkflow, startRun } from "./support/seed.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const START_MS = Math.floor(1_790_000_000_000 / DAY_MS) * DAY_MS + 9.5 * HOUR_MS;
const MIDNIGHT_MS = START_MS - 9.5 * HOUR_MS;
const ALL = { sinceMs: 0, untilMs: 2 * START_MS, limit: 100 };
const ALL_DAYS = { sinceMs: MIDNIGHT_MS - 10 * DAY_MS, untilMs: MIDNIGHT_MS + 70 * DAY_MS };

const NO_RUNS: RunSums = {
  created: 0,
  succeeded: 0,
  failed: 0,
  cancelled: 0,
  durationMs: 0,
  durationMsMax: 0,
  inputTokens: 0,
  outputTokens: 0,
  costNanoUsd: 0,
};

const key = fc.constantFrom("read", "write");
const attempt = fc.constantFrom(1, 2);
const step: fc.Arbitrary<StepWrite> = fc.oneof(
  fc.tuple(key, attempt).map(([name, number]) => start(name, { attempt: number })),
  fc.tuple(key, attempt).map(([name, number]) => succeed(name, { attempt: number })),
  fc.tuple(key, attempt).map(([name, number]) => fail(name, { attempt: number })),
  fc.tuple(key, attempt).map(([name, number]) => wait(APPROVAL, name, number)),
  key.map((name) => skip(name)),
);
const run = fc.nat({ max: 3 });
const operation = fc.oneof(
  { weight: 5, arbitrary: fc.record({ do: fc.constant("write" as const), run, step }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant("call" as const),
      run,
      key,
      model: fc.constantFrom("demo/a", "demo/b"),
      again: fc.boolean(),
      kind: fc.constantFrom("model" as const, "tool" as const),
      cost: fc.constantFrom(null, 0, 7),
    }),
  },
  fc.record({ do: fc.constant("create" as const), run, workflow: fc.nat({ max: 1 }) }),
  fc.record({ do: fc.constant("fetch" as const), run }),
  fc.record({ do: fc.constant("resume" as const), run }),
  fc.record({ do: fc.constant("cancel" as const), run }),
  fc.record({
    do: fc.constant("end" as const),
    run,
    state: fc.constantFrom("succeeded" as const, "failed" as const),
  }),
  fc.record({
    do: fc.constant("clock" as const),
    ms: fc.constantFrom(1, 900, 40 * 60_000, HOUR_MS, DAY_MS, 6 * DAY_MS, -5_000, -2 * DAY_MS),
  }),
  fc.record({ do: fc.constant("sweep" as const) }),
);
/** Whole hours: nothing, a part of a day, over midnight, many days; beginning and ending anywhere. */
const range = fc
  .record({
    from: fc.oneof(fc.integer({ min: -30, max: 60 }), fc.integer({ min: -100, max: 1_000 })),
    hours: fc.oneof(fc.nat({ max: 30 }), fc.nat({ max: 1_000 })),
    isWhole: fc.boolean(),
  })
  .map(({ from, hours, isWhole }): MetricsRange => {
    const sinceMs = MIDNIGHT_MS + from * HOUR_MS;
    const asked = { sinceMs, untilMs: sinceMs + hours * HOUR_MS };
    return isWhole ? daysOf(asked) : asked;
  });
const ranges = fc.array(range, { minLength: 1, maxLength: 8 });

function daysOf({ sinceMs, untilMs }: MetricsRange): MetricsRange {
  return { sinceMs: dayOf(sinceMs), untilMs: dayOf(untilMs) };
}

function dayOf(at: number): number {
  return Math.floor(at / DAY_MS) * DAY_MS;
}

type Operation = typeof operation extends fc.Arbitrary<infer T> ? T : never;

interface World {
  readonly store: Store;
  readonly clock: ManualClock;
  readonly claims: Map<string, Claim>;
  readonly workflows: readonly Awaited<ReturnType<typeof saveWorkflow>>[];
  readonly ordinals: Map<string, number>;
  /** Hours before it are gone. */
  removedUntilMs: number;
}

async function apply(world: World, op: Operation): Promise<void> {
  const { store, clock, claims } = world;
  if (op.do === "clock") return clock.advance(op.ms);
  if (op.do === "sweep") return sweep(world);
  const id = `r${op.run}`;
  const mine = claims.get(id);
  if (op.do === "create") {
    const workflow = world.workflows[op.workflow];
    if (workflow !== undefined) await store.runs.create(newRun(workflow, id), {});
  } else if (op.do === "fetch") {
    const [given] = await store.queue.fetch("w", 1, id);
    if (given !== undefined) claims.set(id, given);
  } else if (op.do === "cancel") await codeOf(store.runs.requestCancel(id));
  else if (op.do === "resume")
    await codeOf(store.runs.resume(id, { supersede: ["read"], by: null }));
  else if (mine === undefined) return;
  else if (op.do === "write") await codeOf(write(store, mine, { steps: [op.step] }));
  else if (op.do === "end") {
    const ended =
      op.state === "succeeded"
        ? write(store, mine, { turn: { state: "succeeded", outputs: {} } })
        : store.runs.failRun(mine, { code: "timeout", message: "Late." });
    await codeOf(ended);
  } else await record(world, mine, op);
}

/** Some at once, so that they share a transaction, and those that fail are taken out of it; not over time. */
async function applyAll(world: World, operations: readonly Operation[], atOnce: number) {
  let together: Operation[] = [];
  const flush = async () => {
    await Promise.all(together.map((op) => apply(world, op)));
    together = [];
  };
  for (const op of operations) {
    if (op.do === "clock" || together.length === atOnce) await flush();
    if (op.do === "clock") await apply(world, op);
    else together.push(op);
  }
  await flush();
}

async function sweep(world: World): Promise<void> {
  await world.store.metrics.removeOldHours();
  const untilMs = dayOf(world.clock.now() - HOURS_KEPT_MS);
  world.removedUntilMs = Math.max(world.removedUntilMs, untilMs);
}

async function record(
  { store, clock, ordinals }: World,
  mine: Claim,
  op: Extract<Operation, { do: "call" }>,
): Promise<void> {
  const place = `${mine.runId} ${op.key}`;
  const ordinal = (ordinals.get(place) ?? 0) + (op.again ? 0 : 1);
  ordinals.set(place, ordinal);
  const now = clock.now();
  const times = { startedAt: now - 30, finishedAt: now };
  const made = { key: op.key, kind: op.kind, name: op.model, costNanoUsd: op.cost, ...times };
  await codeOf(store.runs.recordCall(mine, call(ordinal, made), []));
}

/** What runs, attempts and calls say of a range. */
async function tellingOf(store: Store, { sinceMs, untilMs }: MetricsRange) {
  const byHour = new Map<string, RunSums>();
  const workflows = new Map<string, RunSums>();
  const nodes = new Map<string, Record<string, number>>();
  const models = new Map<string, Record<string, number>>();
  const isIn = (at: number) => at >= sinceMs && at < untilMs;
  for (const one of await store.runs.list({ limit: 100 })) {
    const add = (at: number, sums: Partial<RunSums>) => {
      if (!isIn(at)) return;
      const hour = `${one.workflowId} ${Math.floor(at / HOUR_MS) * HOUR_MS}`;
      byHour.set(hour, addTo({ ...(byHour.get(hour) ?? NO_RUNS) }, sums));
      for (const id of [one.workflowId, "all"])
        workflows.set(id, addTo({ ...(workflows.get(id) ?? NO_RUNS) }, sums));
    };
    const node = (at: number, id: string, sums: Record<string, number>) => {
      const place = `${one.workflowId} ${id}`;
      if (isIn(at)) nodes.set(place, addTo({ ...nodes.get(place) }, sums));
    };
    // In the order of the log: a run that ended before it was ever started took no time.
    let begun: number | undefined;
    for (const { at, event } of await store.runs.events(one.id, 0, 1000)) {
      if (event.type === "run.queued") add(at, { created: 1 });
      if (event.type === "run.started") begun ??= at;
      const [, state] = /^run\.(succeeded|failed|cancelled)$/.exec(event.type) ?? [];
      const took = Math.max(0, at - (begun ?? at));
      if (state !== undefined) add(at, { [state]: 1, durationMs: took, durationMsMax: took });
    }
    const { steps, calls } = await store.runs.journal(one.id);
    for (const { nodeId, patch, error, startedAt, finishedAt } of steps) {
      if (finishedAt === null || (patch === null && error === null)) continue;
      const took = Math.max(0, finishedAt - startedAt);
      const ended = error === null ? { succeeded: 1, failed: 0 } : { succeeded: 0, failed: 1 };
      node(finishedAt, nodeId, { ...ended, durationMs: took, durationMsMax: took });
    }
    for (const made of calls.filter(({ kind }) => kind === "model")) {
      const { input: inputTokens, output: outputTokens } = made.usage;
      const spent = { inputTokens, outputTokens, costNanoUsd: made.costNanoUsd ?? 0 };
      add(made.finishedAt, spent);
      node(made.finishedAt, made.key, spent);
      if (!isIn(made.finishedAt)) continue;
      const more = { calls: 1, cacheReadTokens: made.usage.cacheRead, durationMs: 30 };
      const before = { ...models.get(made.name) };
      models.set(made.name, addTo(before, { ...spent, ...more, durationMsMax: 30 }));
    }
  }
  return { byHour, workflows, nodes, models };
}

function addTo<T extends object>(sums: T, more: object): T {
  for (const [name, value] of Object.entries(more)) {
    const before = Number(Reflect.get(sums, name) ?? 0);
    Reflect.set(sums, name, name.endsWith("Max") ? Math.max(before, value) : before + value);
  }
  return sums;
}

/** As `tellingOf`, of what the store has kept: of days or, where it has none, of hours. */
async function keptIn({ store, workflows: records }: World, asked: MetricsRange) {
  const { metrics } = store;
  const filter = { ...asked, limit: 100 };
  const workflows = new Map<string, RunSums>([["all", await metrics.totals(asked)]]);
  for (const { id } of records)
    workflows.set(id, await metrics.totals({ ...asked, workflowId: id }));
  const byWorkflow = await metrics.byWorkflow(filter);
  const rows = await metrics.byNode({ ...filter, order: "cost" });
  const nodes = rows.map((row) => {
    const { workflowId, workflowName: _, nodeId, ...sums } = row;
    return [`${workflowId} ${nodeId}`, sums] as const;
  });
  const models = (await metrics.byModel(filter)).map(
    ({ model, ...sums }) => [model, sums] as const,
  );
  const nodeTotals = await metrics.nodeTotals(asked);
  return { workflows, byWorkflow, nodes: new Map(nodes), models: new Map(models), nodeTotals };
}

/** Spans of this width, of each workflow. */
async function spansIn({ store, workflows }: World, asked: MetricsRange, spanMs: number) {
  const spans = new Map<string, RunSums>();
  for (const { id } of workflows)
    for (const { startsAt, spanMs: _, ...sums } of await store.metrics.series({
      ...asked,
      workflowId: id,
      spanMs,
    }))
      spans.set(`${id} ${startsAt}`, sums);
  return spans;
}

/** What minutes and half hours say of each half hour has to be the same. */
async function expectHalfHours({ store }: World, { sinceMs, untilMs }: MetricsRange) {
  const hours = Math.min(48, (untilMs - sinceMs) / HOUR_MS);
  if (hours === 0) return;
  const stats = async (bucketCount: number) =>
    (await store.runs.stats({ sinceMs, untilMs: sinceMs + hours * HOUR_MS, bucketCount })).buckets;
  const [wide, narrow] = [await stats(2 * hours), await stats(4 * hours)];
  expect(wide).toEqual(
    wide.map((_, index) => addTo({ ...narrow[2 * index]! }, narrow[2 * index + 1]!)),
  );
}

/** Without what is zero, so that it does not matter who writes a zero. */
function plain(sums: ReadonlyMap<string, object>): Record<string, object> {
  const entries = [...sums].map(([name, all]) => {
    const some = Object.entries(all).filter(([, value]) => value !== 0);
    return [name, Object.fromEntries(some)] as const;
  });
  return Object.fromEntries(entries.filter(([, all]) => Object.keys(all).length > 0));
}

async function expectTold(world: World, asked: MetricsRange): Promise<void> {
  const { removedUntilMs } = world;
  // Where hours are gone there are whole days.
  const clip = (at: number) => (at < removedUntilMs ? dayOf(at) : at);
  const readable = { sinceMs: clip(asked.sinceMs), untilMs: clip(asked.untilMs) };
  const told = await tellingOf(world.store, readable);
  const kept = await keptIn(world, readable);
  expect(plain(kept.workflows)).toEqual(plain(told.workflows));
  expect(plain(kept.nodes)).toEqual(plain(told.nodes));
  expect(plain(kept.models)).toEqual(plain(told.models));
  const named = kept.byWorkflow.map((row) => {
    const { workflowId, workflowName: _, ...sums } = row;
    return [workflowId, sums] as const;
  });
  told.workflows.delete("all");
  expect(plain(new Map(named))).toEqual(plain(told.workflows));
  const ofNodes = [...told.nodes.values()].reduce<Record<string, number>>(addTo, {});
  expect(plain(new Map([["", kept.nodeTotals]]))).toEqual(plain(new Map([["", ofNodes]])));
  await expectSpans(world, readable);
  await expectHalfHours(world, asked);
}

/** Hours as they are, and as days: the rows of both are asked for. */
async function expectSpans(world: World, asked: MetricsRange): Promise<void> {
  const kept = { ...asked, sinceMs: Math.max(asked.sinceMs, world.removedUntilMs) };
  const told = await tellingOf(world.store, kept);
  expect(plain(await spansIn(world, kept, HOUR_MS))).toEqual(plain(told.byHour));
  const days = daysOf(asked);
  const byDay = new Map<string, RunSums>();
  for (const [place, sums] of (await tellingOf(world.store, days)).byHour) {
    const [id, hour] = place.split(" ");
    const day = `${id} ${dayOf(Number(hour))}`;
    byDay.set(day, addTo({ ...(byDay.get(day) ?? NO_RUNS) }, sums));
  }
  expect(plain(await spansIn(world, days, DAY_MS))).toEqual(plain(byDay));
}

async function createWorld(path: string): Promise<World> {
  const clock = createManualClock(START_MS);
  const store = await openStore({ path, clock });
  const workflows = [
    await saveWorkflow(store.workflows, "echo"),
    await saveWorkflow(store.workflows, "tell"),
  ];
  return { store, clock, claims: new Map(), workflows, ordinals: new Map(), removedUntilMs: 0 };
}

/** How hours before `?1` became days, which then had no hours any more. */
const JOINS = [
  ["workflow_spans", "workflow_id", "created succeeded failed cancelled"],
  ["node_spans", "workflow_id, node_id", "succeeded failed"],
  ["model_spans", "workflow_id, model", "calls cache_read_tokens"],
].map(([table, keys, own]) => {
  const sums = `${own} duration_ms input_tokens output_tokens cost_nano_usd`.split(" ");
  const hours = `FROM ${table} WHERE span_ms = ${HOUR_MS} AND starts_at < ?1`;
  const day = `starts_at / ${DAY_MS} * ${DAY_MS}`;
  return `INSERT INTO ${table} (${keys}, starts_at, span_ms, ${sums.join(", ")}, duration_ms_max)
    SELECT ${keys}, ${day}, ${DAY_MS}, ${sums.map((sum) => `sum(${sum})`).join(", ")},
      max(duration_ms_max) ${hours} GROUP BY ${keys}, ${day};
    DELETE ${hours}`;
});

describe("MetricsStore", () => {
  test("property: the sums of any range are what journals and logs tell", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(operation, { minLength: 20, maxLength: 80, size: "max" }),
        ranges,
        fc.integer({ min: 1, max: 6 }),
        async (operations, asked, atOnce) => {
          const world = await createWorld(":memory:");
          try {
            await applyAll(world, operations, atOnce);
            for (const one of [ALL_DAYS, ...asked]) await expectTold(world, one);
            await sweep(world);
            for (const one of [ALL_DAYS, ...asked]) await expectTold(world, one);
          } finally {
            await world.store.close();
          }
        },
      ),
      { numRuns: 60 },
    );
  }, 60_000);

  test("property: the migrations find the same sums in what is there", async () => {
    const [ofRuns, ofHours] = ["0003_add_dashboard", "0008_keep_days"].map(
      (wanted) =>
        MIGRATIONS.find(({ name }) => name === wanted)?.sql.split("--> statement-breakpoint") ?? [],
    );
    const backfill = ofRuns?.filter((statement) => statement.includes("INSERT INTO")).join(";");
    const keepDays = ofHours?.filter((statement) => !statement.startsWith("CREATE TABLE `run"));
    await fc.assert(
      fc.asyncProperty(
        fc.array(operation, { minLength: 20, maxLength: 60, size: "max" }),
        ranges,
        fc.integer({ min: -10, max: 300 }),
        async (operations, asked, joined) => {
          await using folder = await temporaryFolder();
          const world = await createWorld(folder.database);
          // Of a run that was resumed only the last end is known.
          for (const op of operations)
            if (op.do !== "resume" && op.do !== "sweep") await apply(world, op);
          using client = new Database(folder.database);
          client.run(
            `DELETE FROM workflow_spans; DELETE FROM node_spans; DELETE FROM model_spans; ${backfill}`,
          );
          // As versions before it kept them: old hours were joined, perhaps not yet all of a day.
          const joinedUntilMs = MIDNIGHT_MS + joined * HOUR_MS;
          for (const join of JOINS) client.run(join.replaceAll("?1", String(joinedUntilMs)));
          client.run(`DELETE FROM run_half_hours; ${keepDays?.join(";")}`);
          world.removedUntilMs = dayOf(joinedUntilMs) + DAY_MS;
          for (const one of [ALL_DAYS, ...asked]) await expectTold(world, one);
          await world.store.close();
        },
      ),
      { numRuns: 15 },
    );
  }, 60_000);

  test("a part of a range, one workflow, the dearest and the slowest first", async () => {
    const world = await createWorld(":memory:");
    const { store, clock, workflows } = world;
    const [echo, tell] = workflows;
    if (echo === undefined || tell === undefined) throw new Error("There are two.");
    const runOnce = async (id: string, ms: number, cost: number) => {
      const mine = await startRun(store, newRun(id === "b" ? tell : echo, id));
      await write(store, mine, { steps: [start("read"), start("write")] });
      clock.advance(ms);
      await store.runs.recordCall(mine, call(0, { costNanoUsd: cost }), []);
      await write(store, mine, { steps: [succeed("read")] });
      clock.advance(ms);
      await write(store, mine, {
        steps: [succeed("write")],
        turn: { state: "succeeded", outputs: {} },
      });
    };
    await runOnce("a", 100, 5);
    await runOnce("b", 50, 9);
    clock.advance(HOUR_MS);
    await runOnce("c", 10, 1);
    const { metrics } = store;
    const names = async (order: "cost" | "duration", limit = 9) =>
      (await metrics.byNode({ ...ALL, order, limit })).map(
        (node) => `${node.workflowName} ${node.nodeId} ${node.costNanoUsd} ${node.durationMs}`,
      );
    expect(await names("cost", 3)).toEqual([
      "tell read 9 50",
      "echo read 6 110",
      "echo write 0 220",
    ]);
    expect(await names("duration", 2)).toEqual(["echo write 0 220", "echo read 6 110"]);
    const workflowNames = (await metrics.byWorkflow(ALL)).map((sums) => sums.workflowName);
    expect(workflowNames).toEqual(["tell", "echo"]);
    expect(await metrics.nodeTotals(ALL)).toMatchObject({ costNanoUsd: 15, durationMs: 480 });
    const hour = { sinceMs: START_MS - HOUR_MS / 2, untilMs: START_MS + HOUR_MS / 2 };
    expect(await metrics.totals({ ...hour, workflowId: echo.id })).toEqual({
      ...NO_RUNS,
      created: 1,
      succeeded: 1,
      durationMs: 200,
      durationMsMax: 200,
      inputTokens: 10,
      outputTokens: 5,
      costNanoUsd: 5,
    });
    const series = await metrics.series({
      ...hour,
      untilMs: hour.untilMs + 2 * HOUR_MS,
      spanMs: HOUR_MS,
    });
    expect(series.map(({ startsAt, created }) => [startsAt - hour.sinceMs, created])).toEqual([
      [0, 2],
      [HOUR_MS, 1],
      [2 * HOUR_MS, 0],
    ]);
    await store.close();
  });
});

function everything(metrics: MetricsStore) {
  return Promise.all([
    metrics.totals(ALL),
    metrics.byWorkflow(ALL),
    metrics.byNode({ ...ALL, order: "cost" }),
    metrics.byModel(ALL),
    metrics.series({ sinceMs: MIDNIGHT_MS, untilMs: ALL.untilMs, spanMs: DAY_MS }),
  ]);
}

describe("removeOldHours()", () => {
  test("leaves the sums of days as they are, and fewer rows", async () => {
    await using folder = await temporaryFolder();
    const world = await createWorld(folder.database);
    const { store, clock, workflows } = world;
    const [echo] = workflows;
    if (echo === undefined) throw new Error("There are two.");
    for (let hour = 0; hour < 20 * 24; hour += 5) {
      const mine = await startRun(store, newRun(echo, `r${hour}`));
      await write(store, mine, { steps: [start("read")] });
      await store.runs.recordCall(mine, call(0, { costNanoUsd: hour }), []);
      await write(store, mine, {
        steps: [succeed("read")],
        turn: { state: "succeeded", outputs: {} },
      });
      clock.advance(5 * HOUR_MS);
    }
    using client = new Database(folder.database, { readonly: true });
    const rows = (table: string) =>
      client
        .query<{ spanMs: number; count: number }, []>(
          `SELECT span_ms AS spanMs, count(*) AS count FROM ${table} GROUP BY 1 ORDER BY 1`,
        )
        .all();
    const before = await everything(store.metrics);
    expect(rows("node_spans")).toEqual([
      { spanMs: HOUR_MS, count: 96 },
      { spanMs: DAY_MS, count: 21 },
    ]);
    expect(await store.metrics.removeOldHours()).toBe(5);
    expect(await everything(store.metrics)).toEqual(before);
    // Of workflows each stands there twice, alone and with all.
    for (const [table, times] of [
      ["workflow_spans", 2],
      ["node_spans", 1],
      ["model_spans", 1],
    ] as const)
      expect(rows(table)).toEqual([
        { spanMs: HOUR_MS, count: times * 73 },
        { spanMs: DAY_MS, count: times * 21 },
      ]);
    expect(await store.metrics.removeOldHours()).toBe(0);
    await store.close();
  }, 20_000);

  test("adds what came late to the day that is there", async () => {
    const { store, clock, workflows } = await createWorld(":memory:");
    const [echo] = workflows;
    if (echo === undefined) throw new Error("There are two.");
    await store.runs.create(newRun(echo, "a"), {});
    clock.advance(40 * DAY_MS);
    expect(await store.metrics.removeOldHours()).toBe(1);
    // The clock was wrong, and is set back.
    clock.advance(-40 * DAY_MS + HOUR_MS);
    await store.runs.create(newRun(echo, "b"), {});
    await claim(store.queue, "w", "b");
    clock.advance(40 * DAY_MS);
    expect(await store.metrics.removeOldHours()).toBe(1);
    expect(await store.metrics.totals(ALL)).toEqual({ ...NO_RUNS, created: 2 });
    await store.close();
  });
});
