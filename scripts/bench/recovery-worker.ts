/**
 * A worker whose third step hangs (`hang`) or answers (`go`): recovery-worker.ts MODE DATABASE WORKER CONCURRENCY.
 * Writes a byte for each call of the tool; ends when nothing is left to do.
 */
import { systemClock } from "../../src/lib/clock.ts";
import { openStore } from "../../src/store/store.ts";
import { instantTools } from "./engine-ports.ts";
import { startBenchRunner } from "./engine-runs.ts";
import { graphOf } from "./graphs.ts";

const [mode, path = "", worker = "", concurrency] = process.argv.slice(2);
const store = await openStore({ path, clock: systemClock });
const graph = graphOf("chain", "tool");
const tools = instantTools(async (key) => {
  process.stdout.write(".");
  if (mode === "hang" && key.includes(`/${graph.nodeIds[2]}/`)) await new Promise(() => {});
  return "x";
});
const runner = startBenchRunner(store, graph, {
  tools,
  worker,
  concurrency: Number(concurrency),
});
await runner.drained;
await runner.stop({ graceMs: 1_000 });
await store.close();
process.exit(0);
