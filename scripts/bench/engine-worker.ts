/**
 * A worker of our engine in a race (the protocol is in `race.ts`). The kind of step stands before the arguments
 * that all workers have.
 */
import { Database } from "bun:sqlite";
import { systemClock } from "../../src/lib/clock.ts";
import { openStore } from "../../src/store/store.ts";
import { instantTools } from "./engine-ports.ts";
import { prepareRuns, startBenchRunner } from "./engine-runs.ts";
import { graphOf, SHAPES, STEP_KINDS, STEPS_PER_RUN } from "./graphs.ts";

const [kindName, path = "", shapeName, runs, concurrency, synchronous, worker = ""] =
  process.argv.slice(2);
const kind = STEP_KINDS.find((known) => known === kindName);
const shape = SHAPES.find((known) => known === shapeName);
if (kind === undefined || shape === undefined) throw new Error("unknown kind of step, or graph");
const runCount = Number(runs);

if (synchronous === "NORMAL") relaxDatabase();
const store = await openStore({ path, clock: systemClock });
const graph = graphOf(shape, kind);
const createRuns = await prepareRuns(store, graph);

console.log("ready");
await new Promise((resolve) => {
  process.stdin.once("data", resolve);
});
const before = process.cpuUsage();
await createRuns(runCount);
const runner = startBenchRunner(store, graph, {
  tools: instantTools(),
  worker,
  concurrency: Number(concurrency),
});
await runner.drained;
const { user, system } = process.cpuUsage(before);
await runner.stop({ graceMs: 1_000 });
await store.close();
const steps = runCount * STEPS_PER_RUN[shape];
console.log(JSON.stringify({ steps, cpuSeconds: (user + system) / 1e6 }));
process.exit(0);

/** The product knows FULL only, and has no setting for less: here the pragma is replaced on its way. */
function relaxDatabase(): void {
  const run: Database["run"] = Reflect.get(Database.prototype, "run");
  Database.prototype.run = function relaxed(this: Database, sql: string, ...values) {
    return run.call(this, sql.replace("synchronous = FULL", "synchronous = NORMAL"), ...values);
  };
}
