import { expect, test } from "bun:test";
import { createModelPort } from "../../src/llm/port.ts";
import type { JsonObject } from "../../src/lib/json.ts";
import { estimateRun } from "../../src/web/estimate-run.ts";
import { createWorkflowReader } from "../../src/web/workflow-reader.ts";
import { type CostEstimate, estimateText } from "../../views/part/cost-estimate.tsx";
import { call } from "../conformance/support.ts";
import { settingsFor } from "../llm/support.ts";
import { beginStep, endStep } from "../support/journal.ts";
import { GREETING, startWorld, type World } from "./world.ts";

/** With an address of this machine prices are those of the provider all the same. */
const settings = settingsFor(() => "http://127.0.0.1:9/v1");
const VALUES = { name: "Ada", count: 3 };

function withModel(provider: string, model: string): string {
  return GREETING.replace(
    "  - id: write\n",
    `  - id: write\n    llm: { provider: ${provider}, model: ${model} }\n`,
  );
}

interface Asked {
  readonly source?: string;
  readonly values?: JsonObject;
  readonly settings?: typeof settings;
}

async function estimate(world: World, asked: Asked = {}): Promise<CostEstimate> {
  const record = await world.addWorkflow(asked.source ?? withModel("openai", "gpt-4o"));
  const { workflow, problems } = await createWorkflowReader([]).version(record.version);
  if (workflow === undefined) throw new Error(JSON.stringify(problems));
  const models = createModelPort(asked.settings ?? settings);
  const planned = { workflowId: record.id, workflow, values: asked.values ?? VALUES };
  return estimateRun({ runs: world.store.runs, models }, planned);
}

async function addPast(world: World, costNanoUsd: number | null): Promise<void> {
  const run = await world.addRun(await world.addWorkflow());
  const claim = await world.claim(run.id);
  await beginStep(world.store.runs, claim, { key: "write" });
  await world.store.runs.recordCall(claim, call(0, { key: "write", costNanoUsd }), []);
  await endStep(world.store.runs, claim, { key: "write", patch: {}, last: true });
}

test("past runs say the average and the range, those that failed left out", async () => {
  await using world = await startWorld();
  for (const cost of [10_000_000, 20_000_000, 60_000_000]) await addPast(world, cost);
  const failed = await world.addRun(await world.addWorkflow());
  const claim = await world.claim(failed.id);
  await world.store.runs.failRun(claim, { code: "timeout", message: "Late." });
  const found = await estimate(world);
  expect(found).toEqual({
    kind: "past",
    runCount: 3,
    averageNanoUsd: 30_000_000,
    minNanoUsd: 10_000_000,
    maxNanoUsd: 60_000_000,
    isLowerBound: false,
  });
  expect(estimateText(found)).toBe("about $0.0300 ($0.0100 to $0.0600), from 3 runs");
  await addPast(world, null);
  expect(estimateText(await estimate(world))).toStartWith("at least $0.0225 ($0.00 to $0.0600)");
});

test("without past runs the prompts say the least, longer with longer values", async () => {
  await using world = await startWorld();
  const short = await estimate(world);
  const long = await estimate(world, { values: { ...VALUES, name: "Ada ".repeat(30_000) } });
  if (short.kind !== "prompts" || long.kind !== "prompts") throw new Error("no price");
  expect(short).toMatchObject({ kind: "prompts", isPartial: false });
  expect(short.inputNanoUsd).toBeGreaterThan(0);
  expect(long.inputNanoUsd).toBeGreaterThan(1_000 * short.inputNanoUsd);
  expect(estimateText(long)).toMatch(
    /^at least \$0\.0\d+ for the first prompts; answers cost more$/,
  );
});

test("one prompt for each item of a list counts once for each", async () => {
  await using world = await startWorld();
  const source = withModel("openai", "gpt-4o")
    .replace("outputs: [text]", "outputs: [word]")
    .replace(
      "{ from: START, to: write }",
      "from: START\n    parallel: { items_field: tags, target_node: write, collect_field: tags }",
    );
  const one = await estimate(world, { source, values: { ...VALUES, tags: ["a"] } });
  const nine = await estimate(world, {
    source,
    values: { ...VALUES, tags: "abcdefghi".split("") },
  });
  if (one.kind !== "prompts" || nine.kind !== "prompts") throw new Error("no price");
  expect(nine.inputNanoUsd).toBe(9 * one.inputNanoUsd);
});

test("free models, no models, unknown prices and missing keys are told apart", async () => {
  await using world = await startWorld();
  const text = async (asked: Asked) => estimateText(await estimate(world, asked));
  const demo = withModel("demo", "demo");
  expect(await text({ source: demo })).toBe("nothing: the models that it asks are free");
  expect(await text({ source: withModel("openai", "gpt-nobody-knows") })).toBe("price not known");
  const keyless = { ...settings, openai: { apiKey: undefined, baseUrl: undefined } };
  expect(await text({ settings: keyless })).toMatch(/^price not known\. .*OPENAI_API_KEY/);
  const code = GREETING.replace(/ {4}prompt:.*\n {4}output_schema:.*\n/, "    code: result = 1\n");
  expect(await text({ source: code })).toBe("nothing for models: it asks none");
  // Runs on free models say nothing of one that is paid.
  await addPast(world, 0);
  expect(await text({ source: demo })).toBe("about $0.00, from 1 run");
  expect(await text({})).toStartWith("< $0.0001 for the first prompts");
});
