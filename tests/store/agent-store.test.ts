import { expect, test } from "bun:test";
import {
  AGENT_COUNT_MAX,
  BY_HAND,
  livenessOf,
  type RegisteredAgent,
} from "../../src/domain/registered-agent.ts";
import { openStore } from "../../src/store/store.ts";
import { codeOf } from "./support/error-code.ts";
import { createManualClock } from "./support/manual-clock.ts";

async function setup() {
  const clock = createManualClock();
  const store = await openStore({ path: ":memory:", clock });
  return { clock, store, agents: store.agents };
}

type NewAgent = Omit<RegisteredAgent, "registeredAt" | "heartbeatAt">;

function agent(id: string, over: Partial<NewAgent> = {}): NewAgent {
  return {
    id,
    name: `Agent ${id}`,
    url: "http://127.0.0.1:8000",
    ttlSeconds: 60,
    capabilities: ["search"],
    metadata: { version: "1" },
    ...over,
  };
}

test("register() adds an agent, and again replaces it under its first time", async () => {
  const { clock, agents } = await setup();
  const first = clock.now();
  const added = await agents.register(agent("a"));
  expect(added).toEqual({
    agent: { ...agent("a"), registeredAt: first, heartbeatAt: first },
    created: true,
  });
  clock.advance(5_000);
  const changed = agent("a", { name: "Renamed", capabilities: [], ttlSeconds: 10 });
  const again = await agents.register(changed);
  expect(again).toEqual({
    agent: { ...changed, registeredAt: first, heartbeatAt: first + 5_000 },
    created: false,
  });
  expect(await agents.get("a")).toEqual(again.agent);
  expect(await agents.get("b")).toBeUndefined();
});

test("heartbeat() keeps an agent alive; without one it is late, then dead", async () => {
  const { clock, agents } = await setup();
  await agents.register(agent("a", { ttlSeconds: 10 }));
  const liveness = async () => {
    const found = await agents.get("a");
    return found === undefined ? "gone" : livenessOf(found, clock.now());
  };
  expect(await liveness()).toBe("alive");
  clock.advance(5_000);
  expect(await liveness()).toBe("late");
  expect((await agents.heartbeat("a")).heartbeatAt).toBe(clock.now());
  expect(await liveness()).toBe("alive");
  clock.advance(10_000);
  expect(await liveness()).toBe("dead");
  expect(await codeOf(agents.heartbeat("b"))).toBe("not_found");
});

test("list() goes by name, page by page, and finds words in name, address and capabilities", async () => {
  const { clock, agents } = await setup();
  await agents.register(agent("3", { name: "b" }));
  await agents.register(agent("2", { name: "b", url: "http://10.0.0.1:9000" }));
  await agents.register(agent("1", { name: "c_d", capabilities: ["Translate"], ttlSeconds: 1 }));
  await agents.register(agent("4", { name: "a" }));
  const ids = async (filter: Parameters<typeof agents.list>[0]) =>
    (await agents.list(filter)).map(({ id }) => id);
  expect(await ids({ limit: 9 })).toEqual(["4", "2", "3", "1"]);
  expect(await ids({ limit: 2 })).toEqual(["4", "2"]);
  expect(await ids({ limit: 2, after: "2" })).toEqual(["3", "1"]);
  expect(await ids({ limit: 9, after: "1" })).toEqual([]);
  expect(await ids({ limit: 9, after: "gone" })).toEqual(["4", "2", "3", "1"]);
  expect(await ids({ limit: 9, search: "translate" })).toEqual(["1"]);
  expect(await ids({ limit: 9, search: "b :9000" })).toEqual(["2"]);
  expect(await ids({ limit: 9, search: "c_d" })).toEqual(["1"]);
  expect(await ids({ limit: 9, search: "_" })).toEqual(["1"]);
  clock.advance(1_000);
  expect(await ids({ limit: 9, isAlive: true })).toEqual(["4", "2", "3"]);
});

test("findByName() prefers the one that lives longest", async () => {
  const { clock, agents } = await setup();
  await agents.register(agent("1", { name: "x", ttlSeconds: 5 }));
  await agents.register(agent("2", { name: "x", ttlSeconds: 60 }));
  expect((await agents.findByName("x"))?.id).toBe("2");
  clock.advance(60_000);
  await agents.heartbeat("1");
  expect((await agents.findByName("x"))?.id).toBe("1");
  expect(await agents.findByName("y")).toBeUndefined();
});

test("remove() gives back what restore() puts in its place, unless it registered again", async () => {
  const { clock, agents } = await setup();
  const { agent: before } = await agents.register(agent("a"));
  clock.advance(1_000);
  expect(await agents.remove("a")).toEqual(before);
  expect(await agents.get("a")).toBeUndefined();
  expect(await codeOf(agents.remove("a"))).toBe("not_found");
  await agents.restore(before);
  expect(await agents.get("a")).toEqual(before);
  const { agent: anew } = await agents.register(agent("a", { name: "Anew" }));
  await agents.restore(before);
  expect(await agents.get("a")).toEqual(anew);
});

test("removeDeadBefore() forgets only those that were dead by then, and none by hand", async () => {
  const { clock, agents } = await setup();
  await agents.register(agent("hand", { ttlSeconds: 1, metadata: BY_HAND }));
  await agents.register(agent("dead", { ttlSeconds: 1 }));
  await agents.register(agent("late", { ttlSeconds: 3_600 }));
  const died = clock.now() + 1_000;
  clock.advance(60_000);
  expect(await agents.removeDeadBefore(died)).toBe(0);
  expect(await agents.removeDeadBefore(died + 1)).toBe(1);
  expect((await agents.list({ limit: 9 })).map(({ id }) => id)).toEqual(["hand", "late"]);
});

test("takes so many agents and no more; those that are there can still register", async () => {
  const { agents } = await setup();
  const all = Array.from({ length: AGENT_COUNT_MAX }, (_, index) =>
    agents.register(agent(`${index}`)),
  );
  await Promise.all(all);
  expect(await codeOf(agents.register(agent("more")))).toBe("limit_reached");
  expect((await agents.register(agent("7"))).created).toBe(false);
}, 20_000);
