import { expect, test } from "bun:test";
import { keepHouse } from "../../src/app/housekeeping.ts";
import type { Config } from "../../src/config/config.ts";
import { newId } from "../../src/lib/id.ts";
import type { LogKeep } from "../../src/process/log-file.ts";
import { openStore } from "../../src/store/store.ts";
import { createManualClock } from "../store/support/manual-clock.ts";
import { claim, newRun, saveWorkflow } from "../store/support/seed.ts";

const HOUR_MS = 60 * 60 * 1000;
const DAY_MS = 24 * HOUR_MS;

test("keepHouse() removes what ended long ago and who died long ago, and nothing else", async () => {
  const clock = createManualClock();
  const store = await openStore({ path: ":memory:", clock });
  const { runs, agents, queue } = store;
  const workflow = await saveWorkflow(store.workflows);
  const end = async (id: string) => {
    await runs.create(newRun(workflow, id), {});
    await runs.failRun(await claim(queue, "w", id), { code: "timeout", message: "Late." });
  };
  const register = (id: string, over: { ttlSeconds?: number; metadata?: object } = {}) =>
    agents.register({
      id,
      name: id,
      url: "http://127.0.0.1:1",
      ttlSeconds: 60,
      capabilities: [],
      metadata: {},
      ...over,
    } as Parameters<typeof agents.register>[0]);
  const old = newId(clock.now());
  await end(old);
  const going = newId(clock.now());
  await runs.create(newRun(workflow, going), {});
  await register("dead");
  await register("hand", { metadata: { registered_by: "hand" } });
  clock.advance(10 * DAY_MS);
  const young = newId(clock.now());
  await end(young);
  await register("alive");
  clock.advance(HOUR_MS);
  const asked: LogKeep[] = [];
  const logs = { tidy: (keep: LogKeep) => asked.push(keep) };
  const house = (over: Partial<Config["keep"]>) => {
    const keep = { runsDays: 0, runsCount: 0, logsDays: 0, logsMb: 0, deadAgentsHours: 0, ...over };
    const deps = { runs, agents, logs, clock, keep: async () => keep };
    return keepHouse(deps, new AbortController().signal);
  };
  expect(await house({})).toMatchObject({ runs: 0, agents: 0 });
  expect(await house({ runsDays: 11, deadAgentsHours: 24 * 30 })).toMatchObject({ runs: 0 });
  expect(await house({ runsDays: 9, deadAgentsHours: 24 })).toMatchObject({ runs: 1, agents: 1 });
  expect(await house({ logsDays: 2, logsMb: 3 })).toMatchObject({ runs: 0, agents: 0 });
  const none = { ageMs: undefined, bytes: undefined };
  expect(asked).toEqual([none, none, none, { ageMs: 2 * DAY_MS, bytes: 3 * 1024 * 1024 }]);
  const left = await runs.list({ limit: 10 });
  expect(left.map(({ id }) => id)).toEqual([young, going]);
  expect((await agents.list({ limit: 10 })).map(({ id }) => id)).toEqual(["alive", "hand"]);
  await store.close();
});

test("keepHouse() keeps the newest runs that have ended, in small steps, and all that go on", async () => {
  const clock = createManualClock();
  const store = await openStore({ path: ":memory:", clock });
  const { runs, agents } = store;
  const workflow = await saveWorkflow(store.workflows);
  const ids: string[] = [];
  for (let index = 0; index < 130; index += 1) {
    clock.advance(1_000);
    const id = newId(clock.now());
    ids.push(id);
    await runs.create(newRun(workflow, id), {});
    if (index !== 7) await runs.requestCancel(id);
  }
  const keep = { runsDays: 0, runsCount: 3, logsDays: 0, logsMb: 0, deadAgentsHours: 0 };
  const pauses: number[] = [];
  const soon = { now: () => clock.now(), sleep: async (ms: number) => void pauses.push(ms) };
  const house = keepHouse(
    { runs, agents, clock: soon, logs: { tidy: () => 0 }, keep: async () => keep },
    new AbortController().signal,
  );
  expect(await house).toMatchObject({ runs: 126 });
  expect(pauses).toHaveLength(2);
  const left = await runs.list({ limit: 10 });
  expect(left.map(({ id }) => id)).toEqual([...ids.slice(-3).toReversed(), ids[7] ?? ""]);
  await store.close();
});
