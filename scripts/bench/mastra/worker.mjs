/**
 * The graphs of the engine's benchmark on Mastra with a libSQL file.
 *
 * Usage: worker.mjs DATABASE SHAPE RUNS CONCURRENCY SYNCHRONOUS PREFIX. Says "ready", waits for a line,
 * executes the runs and answers with one line of JSON.
 */
import { Mastra } from "@mastra/core";
import { createStep, createWorkflow } from "@mastra/core/workflows";
import { LibSQLStore } from "@mastra/libsql";
import { z } from "zod";

const CHAIN_NODE_COUNT = 10;
const FORK_BRANCH_COUNT = 8;
const MAP_ITEM_COUNT = 100;

const [path, shape, runs, concurrency, synchronous, prefix] = process.argv.slice(2);
const one = z.object({ count: z.number() });
const any = z.any();

const step = (id, inputSchema = one) =>
  createStep({ id, inputSchema, outputSchema: one, execute: async () => ({ count: 1 }) });
const named = (count, letter) => Array.from({ length: count }, (_, index) => `${letter}${index}`);

const SHAPES = {
  chain() {
    let workflow = createWorkflow({ id: "bench", inputSchema: one, outputSchema: one });
    for (const id of named(CHAIN_NODE_COUNT, "n")) workflow = workflow.then(step(id));
    return { workflow: workflow.commit(), inputData: { count: 0 }, stepCount: CHAIN_NODE_COUNT };
  },
  fork() {
    const workflow = createWorkflow({ id: "bench", inputSchema: one, outputSchema: one })
      .then(step("first"))
      .parallel(named(FORK_BRANCH_COUNT, "b").map((id) => step(id)))
      .then(step("join", any));
    const inputData = { count: 0 };
    return { workflow: workflow.commit(), inputData, stepCount: FORK_BRANCH_COUNT + 2 };
  },
  map() {
    const workflow = createWorkflow({
      id: "bench",
      inputSchema: z.array(z.number()),
      outputSchema: any,
    }) //
      .foreach(step("item", z.number()), { concurrency: 16 });
    const inputData = Array.from({ length: MAP_ITEM_COUNT }, (_, index) => index);
    return { workflow: workflow.commit(), inputData, stepCount: MAP_ITEM_COUNT };
  },
};

const { workflow, inputData, stepCount } = SHAPES[shape]();
const storage = new LibSQLStore({ id: "bench", url: `file:${path}` });
const mastra = new Mastra({ storage, workflows: { bench: workflow }, logger: false });
await storage.init();
await storage.client.execute(`PRAGMA synchronous=${synchronous}`);

async function execute(index) {
  const run = await mastra.getWorkflow("bench").createRun({ runId: `${prefix}-${index}` });
  const result = await run.start({ inputData });
  if (result.status !== "success") throw new Error(JSON.stringify(result));
}

console.log("ready");
await new Promise((resolve) => process.stdin.once("data", resolve));
const before = process.cpuUsage();
let next = 0;
const slot = async () => {
  while (next < Number(runs)) {
    next += 1;
    await execute(next - 1);
  }
};
await Promise.all(Array.from({ length: Number(concurrency) }, slot));
const { user, system } = process.cpuUsage(before);
const { rows } = await storage.client.execute("PRAGMA synchronous");
const steps = Number(runs) * stepCount;
console.log(
  JSON.stringify({ steps, cpuSeconds: (user + system) / 1e6, synchronous: Number(rows[0][0]) }),
);
process.exit(0);
