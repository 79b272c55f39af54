/** A worker whose model answers at once. Prints the CPU seconds that its runs took. */
import type { ModelPort } from "../../src/domain/model.ts";
import { startRunner } from "../../src/engine/runner.ts";
import { parseWorkflow } from "../../src/language/parse.ts";
import { systemClock } from "../../src/lib/clock.ts";
import { openStore } from "../../src/store/store.ts";
import { CHAIN } from "./chain.ts";

const [path = "", worker = "", concurrency = "1"] = process.argv.slice(2);
const usage = { input: 10, output: 2, cacheRead: 0, cacheWrite: 0, reasoning: 0 };
const models: ModelPort = {
  async *call() {
    yield {
      type: "end",
      reason: "finished",
      answer: { text: "x", toolCalls: [], finish: "stop", usage, costNanoUsd: 0, model: "instant" },
    };
  },
  resolve: async () => ({ provider: "demo", model: "instant" }),
};

const { workflow, problems } = parseWorkflow(CHAIN, { format: "yaml", knownTools: [] });
if (workflow === undefined) throw new Error(JSON.stringify(problems));
const store = await openStore({ path, clock: systemClock });
const before = process.cpuUsage();
const runner = startRunner({
  runs: store.runs,
  queue: store.queue,
  changes: store.changes,
  clock: systemClock,
  models,
  tools: { get: () => undefined, names: [] },
  loadWorkflow: async () => workflow,
  worker,
  concurrency: Number(concurrency),
  redact: (text) => text,
  reportError: (error) => console.error(error),
});
await runner.drained;
const { user, system } = process.cpuUsage(before);
await runner.stop({ graceMs: 1_000 });
await store.close();
console.log((user + system) / 1e6);
