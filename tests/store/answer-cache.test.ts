import { Database } from "bun:sqlite";
import { expect, test } from "bun:test";
import type { ModelAnswer } from "../../src/domain/model.ts";
import { openStore } from "../../src/store/store.ts";
import { temporaryFolder } from "./support/folder.ts";
import { createManualClock } from "./support/manual-clock.ts";

function answer(text: string): ModelAnswer {
  return {
    text,
    toolCalls: [{ id: "1", name: "t", arguments: { a: [null] } }],
    finish: "stop",
    usage: { input: 1, output: 2, cacheRead: 3, cacheWrite: 4, reasoning: 5 },
    costNanoUsd: null,
    model: "m",
  };
}

test("get() gives what was put first under a key, also after the store was closed", async () => {
  await using folder = await temporaryFolder();
  const options = { path: folder.database, clock: createManualClock() };
  const first = await openStore(options);
  expect(await first.cache.get("k")).toBeUndefined();
  await first.cache.put("k", answer("one"));
  await first.cache.put("k", answer("two"));
  await first.cache.put("other", answer("three"));
  await first.close();
  const second = await openStore(options);
  expect(await second.cache.get("k")).toEqual(answer("one"));
  expect(await second.cache.get("other")).toEqual(answer("three"));
  await second.close();
});

test("the oldest answers go when all together are too large", async () => {
  await using folder = await temporaryFolder();
  const store = await openStore({ path: folder.database, clock: createManualClock() });
  const megabyte = "x".repeat(1024 * 1024);
  const keys = Array.from({ length: 70 }, (_, index) => `k${index}`);
  for (const key of keys) await store.cache.put(key, answer(megabyte));
  const kept = [];
  for (const key of keys) if ((await store.cache.get(key)) !== undefined) kept.push(key);
  expect(kept).toEqual(keys.slice(7));
  await store.close();
  using client = new Database(folder.database, { readonly: true });
  const sizes = client.query("SELECT sum(length(answer)) AS bytes FROM cached_answers").get();
  expect(sizes).toEqual({ bytes: expect.any(Number) });
  expect((sizes as { bytes: number }).bytes).toBeLessThanOrEqual(64 * 1024 * 1024);
}, 20_000);
