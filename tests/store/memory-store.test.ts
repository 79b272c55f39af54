import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import {
  MEMORY_ENTRY_COUNT_MAX,
  MEMORY_KEY_CHARS_MAX,
  MEMORY_VALUE_CHARS_MAX,
  type MemoryNamespace,
  type NewMemory,
} from "../../src/domain/memory.ts";
import { type Store, openStore } from "../../src/store/store.ts";
import { start, succeed, write } from "../conformance/support.ts";
import { codeOf } from "./support/error-code.ts";
import { createManualClock } from "./support/manual-clock.ts";
import { newRun, saveWorkflow, startRun } from "./support/seed.ts";

const AGENT: MemoryNamespace = { scope: "agent", agent: "echo", runId: null, nodeId: null };
const RUN: MemoryNamespace = { scope: "workflow", agent: "echo", runId: "r1", nodeId: null };
const NODE: MemoryNamespace = { scope: "node", agent: "echo", runId: "r1", nodeId: "read" };

function entry(key: string, value: string, more: Partial<NewMemory> = {}): NewMemory {
  return { namespace: AGENT, key, value, maxEntries: 50, expiresAt: null, ...more };
}

async function open() {
  const clock = createManualClock();
  const store = await openStore({ path: ":memory:", clock });
  return { ...store, clock, [Symbol.asyncDispose]: () => store.close() };
}

async function recalled(store: Store, text: string, limit = 10): Promise<string[]> {
  return (await store.memory.recall(AGENT, { text, limit })).map((memory) => memory.key);
}

async function listed(store: Store, filter: object): Promise<string[]> {
  return (await store.memory.list({ limit: 10, ...filter })).map((memory) => memory.key);
}

describe("save(), get(), update(), remove()", () => {
  test("keep an entry; the same key in the same namespace replaces it", async () => {
    await using it = await open();
    const first = await it.memory.save(entry("tea", "green"));
    const now = it.clock.now();
    expect(first).toEqual({
      id: first.id,
      namespace: AGENT,
      key: "tea",
      value: "green",
      createdAt: now,
      updatedAt: now,
      expiresAt: null,
    });
    it.clock.advance(5);
    await it.memory.save(entry("tea", "other", { namespace: RUN }));
    const second = await it.memory.save(entry("tea", "black", { expiresAt: now + 100 }));
    expect(second).toEqual({ ...first, value: "black", updatedAt: now + 5, expiresAt: now + 100 });
    expect(await it.memory.get(first.id)).toEqual(second);
    it.clock.advance(5);
    const third = await it.memory.update(first.id, "white");
    expect(third).toEqual({ ...second, value: "white", updatedAt: now + 10 });
    expect(await recalled(it, "white green black")).toEqual(["tea"]);
    expect(await it.memory.list({ limit: 5, search: "black" })).toEqual([]);
    expect(await it.memory.remove(first.id)).toEqual(third);
    expect(await it.memory.get(first.id)).toBeUndefined();
    expect(await it.memory.list({ limit: 5, search: "white" })).toEqual([]);
    expect(await it.memory.list({ limit: 5 })).toMatchObject([{ namespace: RUN, value: "other" }]);
  });

  test("refuse what is too long, and what is not there", async () => {
    await using it = await open();
    const { memory } = it;
    const long = "x".repeat(MEMORY_VALUE_CHARS_MAX);
    const { id } = await memory.save(entry("k", long));
    expect(await codeOf(memory.save(entry("k", `${long}x`)))).toBe("too_large");
    expect(await codeOf(memory.save(entry("x".repeat(MEMORY_KEY_CHARS_MAX + 1), "v")))).toBe(
      "too_large",
    );
    expect(await codeOf(memory.update(id, `${long}x`))).toBe("too_large");
    expect(await codeOf(memory.update("none", "v"))).toBe("not_found");
    expect(await codeOf(memory.remove("none"))).toBe("not_found");
    expect((await memory.get(id))?.value).toBe(long);
  });

  test("a namespace keeps its newest entries, up to the number of the write", async () => {
    await using it = await open();
    for (const key of ["a", "b", "c", "d"]) {
      it.clock.advance(1);
      await it.memory.save(entry(key, "v", { maxEntries: 3 }));
      await it.memory.save(entry(key, "v", { namespace: RUN }));
    }
    it.clock.advance(1);
    await it.memory.save(entry("b", "again", { maxEntries: 3 }));
    expect(await recalled(it, "")).toEqual(["b", "d", "c"]);
    await it.memory.save(entry("e", "v", { maxEntries: 2 }));
    expect(await recalled(it, "")).toEqual(["e", "b"]);
    expect(await it.memory.recall(RUN, { text: "", limit: 9 })).toHaveLength(4);
    await it.memory.save(entry("f", "v", { maxEntries: 0 }));
    expect(await recalled(it, "")).toEqual(["f"]);
  });

  test("no namespace keeps more than the limit of the product", async () => {
    await using it = await open();
    const saves = Array.from({ length: MEMORY_ENTRY_COUNT_MAX + 5 }, (_, index) =>
      it.memory.save(entry(`k${index}`, "v", { maxEntries: 1_000_000 })),
    );
    await Promise.all(saves);
    expect(await it.memory.agents()).toEqual([{ agent: "echo", count: MEMORY_ENTRY_COUNT_MAX }]);
  });
});

describe("recall()", () => {
  test("gives what has the most in common with the text first, then the newest", async () => {
    await using it = await open();
    const values = {
      old: "The ferry leaves at noon.",
      both: "Green tea and black tea, from China.",
      one: "Tea is grown on hills in many places of the world, and coffee too.",
      Tea: "A drink.",
      new: "Nothing to see.",
    };
    for (const [key, value] of Object.entries(values)) {
      it.clock.advance(1);
      await it.memory.save(entry(key, value));
    }
    expect(await recalled(it, "GREEN tea, good? (tea!)")).toEqual([
      "both",
      "Tea",
      "one",
      "new",
      "old",
    ]);
    expect(await recalled(it, "green tea", 2)).toEqual(["both", "Tea"]);
    expect(await recalled(it, "nowhere")).toEqual(["new", "Tea", "one", "both", "old"]);
    expect(await recalled(it, "tea", 0)).toEqual([]);
  });

  test("knows accents, other scripts and the inside of words apart", async () => {
    await using it = await open();
    await it.memory.save(entry("a", "Crème brûlée"));
    await it.memory.save(entry("b", "Чай зелёный"));
    await it.memory.save(entry("c", "creme-colored"));
    it.clock.advance(1);
    await it.memory.save(entry("z", "unrelated"));
    expect(await recalled(it, "brulee", 1)).toEqual(["a"]);
    expect(await recalled(it, "ЧАЙ", 1)).toEqual(["b"]);
    expect(await recalled(it, "colored", 1)).toEqual(["c"]);
    expect(await recalled(it, "olor", 1)).toEqual(["z"]);
  });

  test("gives only its own namespace", async () => {
    await using it = await open();
    for (const namespace of [AGENT, RUN, NODE, { ...AGENT, agent: "other" }]) {
      await it.memory.save(entry("k", "tea", { namespace }));
    }
    for (const namespace of [AGENT, RUN, NODE]) {
      const found = await it.memory.recall(namespace, { text: "tea", limit: 9 });
      expect(found.map((memory) => memory.namespace)).toEqual([namespace]);
    }
    expect(await it.memory.recall({ ...NODE, nodeId: "x" }, { text: "tea", limit: 9 })).toEqual([]);
  });

  test("takes any text", async () => {
    await using it = await open();
    await it.memory.save(entry("k", 'a "quoted" AND NOT near(x) word*'));
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: "binary", maxLength: 200 }), async (text) => {
        expect(await recalled(it, text)).toEqual(["k"]);
        await listed(it, { search: text });
      }),
      { numRuns: 300 },
    );
    const words = Array.from({ length: 5_000 }, (_, index) => `word${index}`).join(" ");
    expect(await recalled(it, `${words} AND OR NOT NEAR(`)).toEqual(["k"]);
  });
});

async function filled() {
  const it = await open();
  const other = { ...AGENT, agent: "other" };
  const all: [string, MemoryNamespace][] = [
    ["a", AGENT],
    ["b", RUN],
    ["c", NODE],
    ["d", { ...RUN, runId: "r2" }],
    ["e", other],
  ];
  for (const [key, namespace] of all) {
    it.clock.advance(1);
    await it.memory.save(entry(key, `value of ${key}`, { namespace }));
  }
  return it;
}

describe("list(), clear(), agents()", () => {
  test("list() is newest first, by filter and word, page by page", async () => {
    await using it = await filled();
    expect(await listed(it, {})).toEqual(["e", "d", "c", "b", "a"]);
    expect(await listed(it, { agent: "echo" })).toEqual(["d", "c", "b", "a"]);
    expect(await listed(it, { scope: "workflow" })).toEqual(["d", "b"]);
    expect(await listed(it, { runId: "r1" })).toEqual(["c", "b"]);
    expect(await listed(it, { runId: "r1", scope: "node" })).toEqual(["c"]);
    expect(await listed(it, { search: "val" })).toEqual(["e", "d", "c", "b", "a"]);
    expect(await listed(it, { search: "of B" })).toEqual(["b"]);
    expect(await listed(it, { search: "of none" })).toEqual([]);
    expect(await listed(it, { search: "value", runId: "r1" })).toEqual(["c", "b"]);
    expect(await listed(it, { search: " ?! " })).toEqual(["e", "d", "c", "b", "a"]);
    const [, second, third] = await it.memory.list({ limit: 3 });
    expect(await listed(it, { limit: 2, before: second?.id })).toEqual(["c", "b"]);
    expect(await listed(it, { limit: 2, before: second?.id, search: "value" })).toEqual(["c", "b"]);
    // Somebody removes the last entry of a page while it is looked at.
    await it.memory.remove(third?.id ?? "");
    expect(await listed(it, { limit: 2, before: third?.id })).toEqual(["b", "a"]);
  });

  test("clear() removes what the filter names and counts it", async () => {
    await using it = await filled();
    expect(await it.memory.agents()).toEqual([
      { agent: "echo", count: 4 },
      { agent: "other", count: 1 },
    ]);
    expect(await it.memory.clear({ runId: "r1" })).toBe(2);
    expect(await it.memory.clear({ agent: "other", scope: "workflow" })).toBe(0);
    expect(await it.memory.clear({ agent: "other" })).toBe(1);
    expect(await it.memory.agents()).toEqual([{ agent: "echo", count: 2 }]);
    expect(await it.memory.clear({})).toBe(2);
    expect(await it.memory.agents()).toEqual([]);
    expect(await listed(it, { search: "value" })).toEqual([]);
  });

  test("expired entries are seen nowhere, and make room", async () => {
    await using it = await open();
    const expiresAt = it.clock.now() + 10;
    const { id } = await it.memory.save(entry("short", "tea", { expiresAt, maxEntries: 2 }));
    it.clock.advance(1);
    await it.memory.save(entry("long", "tea", { maxEntries: 2 }));
    expect(await recalled(it, "tea")).toEqual(["long", "short"]);
    it.clock.set(expiresAt);
    expect(await recalled(it, "tea")).toEqual(["long"]);
    expect(await recalled(it, "")).toEqual(["long"]);
    expect(await listed(it, { search: "tea" })).toEqual(["long"]);
    expect(await it.memory.get(id)).toBeUndefined();
    expect(await codeOf(it.memory.update(id, "x"))).toBe("not_found");
    expect(await codeOf(it.memory.remove(id))).toBe("not_found");
    expect(await it.memory.agents()).toEqual([{ agent: "echo", count: 1 }]);
    const renewed = await it.memory.save(entry("short", "milk", { maxEntries: 2 }));
    expect(renewed.id).not.toBe(id);
    expect(await recalled(it, "milk")).toEqual(["short", "long"]);
    await it.memory.save(entry("gone", "x", { namespace: RUN, expiresAt: it.clock.now() + 1 }));
    it.clock.advance(1);
    expect(await it.memory.clear({})).toBe(2);
  });
});

test("a step's memories are stored with its success, once, or not at all", async () => {
  await using it = await open();
  const mine = await startRun(it, newRun(await saveWorkflow(it.workflows), "r1"));
  await write(it, mine, { steps: [start()] });
  const memories = [entry("a", "1"), entry("b", "2", { namespace: NODE })];
  const refused = { steps: [succeed("read", { memories }), succeed("none")] };
  expect(await codeOf(write(it, mine, refused))).toBe("not_found");
  expect(await listed(it, {})).toEqual([]);
  await write(it, mine, { steps: [succeed("read", { memories })] });
  const [first] = await it.memory.list({ limit: 5 });
  await it.memory.update(first?.id ?? "", "edited since");
  await write(it, mine, { steps: [succeed("read", { memories })] });
  expect((await it.memory.list({ limit: 5 })).map(({ key, value }) => [key, value])).toEqual([
    ["b", "edited since"],
    ["a", "1"],
  ]);
});

test("a search finds words by a beginning of any length, newest first, and stops at its limit", async () => {
  await using it = await open();
  for (const [key, value] of [
    ["first", "Customers like Café-Tische"],
    ["second", "A custom like no other"],
    ["third", "custodians"],
  ] as const)
    await it.memory.save(entry(key, value));
  expect(await listed(it, { search: "custo" })).toEqual(["third", "second", "first"]);
  expect(await listed(it, { search: "custo", limit: 2 })).toEqual(["third", "second"]);
  expect(await listed(it, { search: "custom" })).toEqual(["second", "first"]);
  expect(await listed(it, { search: "customers" })).toEqual(["first"]);
  expect(await listed(it, { search: "LIKE custo" })).toEqual(["second", "first"]);
  expect(await listed(it, { search: "cafe tisch" })).toEqual(["first"]);
  expect(await listed(it, { search: "ustom" })).toEqual([]);
});
