/** Runs of one graph in a store, and a runner that executes them with the ports of the benchmark. */
import type { ToolPort } from "../../src/domain/tool.ts";
import { EXECUTORS } from "../../src/engine/node/registry.ts";
import { type Runner, startRunner } from "../../src/engine/runner.ts";
import { parseWorkflow } from "../../src/language/parse.ts";
import { systemClock } from "../../src/lib/clock.ts";
import { newId } from "../../src/lib/id.ts";
import type { Store } from "../../src/store/store.ts";
import { benchPorts } from "./engine-ports.ts";
import type { Graph } from "./graphs.ts";

/** Made at the same time, so that they share commits. */
const BATCH_COUNT = 500;

/** @returns what makes that many runs of the graph. */
export async function prepareRuns(
  store: Store,
  graph: Graph,
): Promise<(count: number) => Promise<void>> {
  const { id, version } = await store.workflows.save({
    name: "bench",
    description: null,
    source: graph.source,
    format: "yaml",
  });
  const createOne = () =>
    store.runs.create(
      {
        id: newId(Date.now()),
        workflowId: id,
        workflowName: "bench",
        versionHash: version.hash,
        nodeIds: graph.nodeIds,
        inputs: graph.values,
        overrides: {},
        source: "api",
      },
      graph.values,
    );
  return async (count) => {
    for (let made = 0; made < count; made += BATCH_COUNT)
      await Promise.all(Array.from({ length: Math.min(BATCH_COUNT, count - made) }, createOne));
  };
}

export function startBenchRunner(
  store: Store,
  graph: Graph,
  { tools, worker, concurrency }: { tools: ToolPort; worker: string; concurrency: number },
): Runner {
  const { workflow, problems } = parseWorkflow(graph.source, {
    format: "yaml",
    knownTools: tools.names,
  });
  if (workflow === undefined) throw new Error(JSON.stringify(problems));
  return startRunner({
    runs: store.runs,
    queue: store.queue,
    changes: store.changes,
    clock: systemClock,
    ports: benchPorts(store, tools),
    executors: EXECUTORS,
    loadWorkflow: async () => workflow,
    worker,
    concurrency,
    redact: (text) => text,
    reportError: (error) => console.error(error),
  });
}
