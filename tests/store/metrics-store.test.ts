/**
 * Goal: the sums of hours and days are what journals and logs tell, whatever workers did in whatever order.
 * Method: random runs; the same figures are added up from events, attempts and calls, by hand.
 */
import { Database } from "bun:sqlite";
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { MIGRATIONS } from "../../drizzle/index.ts";
import type { MetricsStore, RunSums } from "../../src/domain/metrics.ts";
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
const ALL = { sinceMs: 0, untilMs: 2 * START_MS, limit: 100 };

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
    ms: fc.constantFrom(1, 900, 40 * 60_000, HOUR_MS, DAY_MS, -5_000),
  }),
);
type Operation = typeof operation extends fc.Arbitrary<infer T> ? T : never;

interface World {
  readonly store: Store;
  readonly clock: ManualClock;
  readonly claims: Map<string, Claim>;
  readonly workflows: readonly Awaited<ReturnType<typeof saveWorkflow>>[];
  readonly ordinals: Map<string, number>;
}

async function apply(world: World, op: Operation): Promise<void> {
  const { store, clock, claims } = world;
  if (op.do === "clock") return clock.advance(op.ms);
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

/** What runs, attempts and calls say, added up by whatever `keyOf` makes of them. */
async function tellingOf(store: Store) {
  const byHour = new Map<string, RunSums>();
  const nodes = new Map<string, Record<string, number>>();
  const models = new Map<string, Record<string, number>>();
  for (const one of await store.runs.list({ limit: 100 })) {
    const add = (at: number, sums: Partial<RunSums>) => {
      const place = `${one.workflowId} ${Math.floor(at / HOUR_MS) * HOUR_MS}`;
      byHour.set(place, addTo({ ...(byHour.get(place) ?? NO_RUNS) }, sums));
    };
    const node = (id: string, sums: Record<string, number>) => {
      const place = `${one.workflowId} ${id}`;
      nodes.set(place, addTo({ ...nodes.get(place) }, sums));
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
      node(nodeId, { ...ended, durationMs: took, durationMsMax: took });
    }
    for (const made of calls.filter(({ kind }) => kind === "model")) {
      const { input: inputTokens, output: outputTokens } = made.usage;
      const spent = { inputTokens, outputTokens, costNanoUsd: made.costNanoUsd ?? 0 };
      add(made.finishedAt, spent);
      node(made.key, spent);
      const place = made.name;
      const more = { calls: 1, cacheReadTokens: made.usage.cacheRead, durationMs: 30 };
      models.set(place, addTo({ ...models.get(place) }, { ...spent, ...more, durationMsMax: 30 }));
    }
  }
  return { byHour, nodes, models };
}

function addTo<T extends object>(sums: T, more: object): T {
  for (const [name, value] of Object.entries(more)) {
    const before = Number(Reflect.get(sums, name) ?? 0);
    Reflect.set(sums, name, name.endsWith("Max") ? Math.max(before, value) : before + value);
  }
  return sums;
}

/** As `tellingOf`, of what the store has kept. */
async function keptIn(world: World) {
  const { metrics } = world.store;
  const byHour = new Map<string, RunSums>();
  for (const { id } of world.workflows) {
    const midnight = START_MS - 9.5 * HOUR_MS;
    const range = { sinceMs: midnight - 10 * DAY_MS, untilMs: midnight + 70 * DAY_MS };
    const days = { ...range, workflowId: id, spanMs: HOUR_MS };
    for (const { startsAt, spanMs: _, ...sums } of await metrics.series(days))
      if (Object.values(sums).some((sum) => sum > 0)) byHour.set(`${id} ${startsAt}`, sums);
  }
  const nodes = (await metrics.byNode({ ...ALL, order: "cost" })).map((node) => {
    const { workflowId, workflowName: _, nodeId, ...sums } = node;
    return [`${workflowId} ${nodeId}`, sums] as const;
  });
  const models = (await metrics.byModel(ALL)).map(({ model, ...sums }) => [model, sums] as const);
  return { byHour, nodes: new Map(nodes), models: new Map(models) };
}

/** Without what is zero, so that it does not matter who writes a zero. */
function plain(sums: ReadonlyMap<string, object>): Record<string, object> {
  const entries = [...sums].map(([name, all]) => {
    const some = Object.entries(all).filter(([, value]) => value !== 0);
    return [name, Object.fromEntries(some)] as const;
  });
  return Object.fromEntries(entries.filter(([, all]) => Object.keys(all).length > 0));
}

async function expectTold(world: World): Promise<void> {
  const told = await tellingOf(world.store);
  const kept = await keptIn(world);
  expect(plain(kept.byHour)).toEqual(plain(told.byHour));
  expect(plain(kept.nodes)).toEqual(plain(told.nodes));
  expect(plain(kept.models)).toEqual(plain(told.models));
}

async function createWorld(path: string): Promise<World> {
  const clock = createManualClock(START_MS);
  const store = await openStore({ path, clock });
  const workflows = [
    await saveWorkflow(store.workflows, "echo"),
    await saveWorkflow(store.workflows, "tell"),
  ];
  return { store, clock, claims: new Map(), workflows, ordinals: new Map() };
}

describe("MetricsStore", () => {
  test("property: the sums are what journals and logs tell", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(operation, { minLength: 20, maxLength: 80, size: "max" }),
        async (operations) => {
          const world = await createWorld(":memory:");
          try {
            for (const op of operations) await apply(world, op);
            await expectTold(world);
          } finally {
            await world.store.close();
          }
        },
      ),
      { numRuns: 60 },
    );
  }, 60_000);

  test("property: the migration finds the same sums in what is there", async () => {
    const backfill = MIGRATIONS.find(({ name }) => name === "0003_add_dashboard")
      ?.sql.split("--> statement-breakpoint")
      .filter((statement) => statement.includes("INSERT INTO"))
      .join(";");
    await fc.assert(
      fc.asyncProperty(
        fc.array(operation, { minLength: 20, maxLength: 60, size: "max" }),
        async (operations) => {
          await using folder = await temporaryFolder();
          const world = await createWorld(folder.database);
          // Of a run that was resumed only the last end is known.
          for (const op of operations) if (op.do !== "resume") await apply(world, op);
          using client = new Database(folder.database);
          client.run(
            `DELETE FROM workflow_spans; DELETE FROM node_spans; DELETE FROM model_spans; ${backfill}`,
          );
          await expectTold(world);
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
    metrics.series({ sinceMs: START_MS - 9.5 * HOUR_MS, untilMs: ALL.untilMs, spanMs: DAY_MS }),
  ]);
}

describe("joinOldHours()", () => {
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
    expect(rows("node_spans")).toEqual([{ spanMs: HOUR_MS, count: 96 }]);
    expect(await store.metrics.joinOldHours()).toBe(5);
    expect(await everything(store.metrics)).toEqual(before);
    for (const table of ["workflow_spans", "node_spans", "model_spans"])
      expect(rows(table)).toEqual([
        { spanMs: HOUR_MS, count: 73 },
        { spanMs: DAY_MS, count: 5 },
      ]);
    expect(await store.metrics.joinOldHours()).toBe(0);
    await store.close();
  });

  test("adds what came late to the day that is there", async () => {
    const { store, clock, workflows } = await createWorld(":memory:");
    const [echo] = workflows;
    if (echo === undefined) throw new Error("There are two.");
    await store.runs.create(newRun(echo, "a"), {});
    clock.advance(40 * DAY_MS);
    expect(await store.metrics.joinOldHours()).toBe(1);
    // The clock was wrong, and is set back.
    clock.advance(-40 * DAY_MS + HOUR_MS);
    await store.runs.create(newRun(echo, "b"), {});
    await claim(store.queue, "w", "b");
    clock.advance(40 * DAY_MS);
    expect(await store.metrics.joinOldHours()).toBe(1);
    expect(await store.metrics.totals(ALL)).toEqual({ ...NO_RUNS, created: 2 });
    await store.close();
  });
});
