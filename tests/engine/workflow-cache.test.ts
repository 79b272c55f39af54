import { expect, test } from "bun:test";
import { cacheWorkflows, WORKFLOW_CACHE_COUNT_MAX } from "../../src/engine/workflow-cache.ts";
import { line, llmNode } from "./fixture.ts";

test("cacheWorkflows() keeps the newest versions up to its limit", async () => {
  const loads: string[] = [];
  const load = cacheWorkflows(async (_, hash) => {
    loads.push(hash);
    return line([llmNode("a")]);
  });
  const hashes = Array.from({ length: WORKFLOW_CACHE_COUNT_MAX + 1 }, (_, index) => `v${index}`);
  await Promise.all(hashes.map((hash) => load("workflow", hash)));
  await load("workflow", "v1");
  await load("workflow", hashes.at(-1) ?? "");
  expect(loads).toEqual(hashes);
  await load("workflow", "v0");
  expect(loads).toEqual([...hashes, "v0"]);
});
