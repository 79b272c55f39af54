import { expect, test } from "bun:test";
import { keepHouse } from "../../src/app/housekeeping.ts";
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
  const { newId } = await import("../../src/lib/id.ts");
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
  const house = (runsDays: number, deadAgentsHours: number) =>
    keepHouse(
      { runs, agents, clock, keep: async () => ({ runsDays, deadAgentsHours }) },
      new AbortController().signal,
    );
  expect(await house(0, 0)).toEqual({ runs: 0, agents: 0 });
  expect(await house(11, 24 * 30)).toEqual({ runs: 0, agents: 0 });
  expect(await house(9, 24)).toEqual({ runs: 1, agents: 1 });
  const left = await runs.list({ limit: 10 });
  expect(left.map(({ id }) => id)).toEqual([young, going]);
  expect((await agents.list({ limit: 10 })).map(({ id }) => id)).toEqual(["alive", "hand"]);
  await store.close();
});
