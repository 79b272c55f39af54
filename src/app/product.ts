/** The data folder opened for one command: run, runs, cancel, status, doctor. */
import type { Config } from "../config/config.ts";
import { AppError } from "../domain/error.ts";
import type { Run, RunOverrides } from "../domain/run.ts";
import type { Problem } from "../domain/workflow.ts";
import { startRunner } from "../engine/runner.ts";
import { systemClock } from "../lib/clock.ts";
import { isJsonObject } from "../lib/json.ts";
import { openStore } from "../store/store.ts";
import { createLazyModels, createTools, redactorFor } from "./ports.ts";
import { createRun, invalidWorkflow, loadWorkflow } from "./workflow-runs.ts";

interface NewRunFile {
  readonly source: string;
  readonly format: "yaml" | "json";
  readonly inputs: Record<string, unknown>;
  readonly overrides: RunOverrides;
  readonly from: "cli";
  readonly reservedFor?: string;
}

export async function openProduct(config: Config, reportError: (error: unknown) => void) {
  const clock = systemClock;
  const store = await openStore({ path: config.databasePath, clock });
  const models = createLazyModels(async () => config.llm);
  const tools = createTools(config);

  return {
    config,
    store,
    models,
    tools,
    startRunner: (options: { worker: string; concurrency: number; only?: string }) =>
      startRunner({
        ...options,
        runs: store.runs,
        queue: store.queue,
        changes: store.changes,
        clock,
        models,
        tools,
        loadWorkflow: (workflowId, hash) =>
          loadWorkflow(store.workflows, { workflowId, hash }, tools.names),
        redact: redactorFor(config),
        reportError,
      }),
    /** @throws AppError `workflow_invalid`, `invalid` (inputs), each with the problems as its cause. */
    async createRun(given: NewRunFile): Promise<{ run: Run; problems: readonly Problem[] }> {
      const [{ parseWorkflow }, { readInputs }] = await Promise.all([
        import("../language/parse.ts"),
        import("../language/input.ts"),
      ]);
      const { source, format } = given;
      const { workflow, problems } = parseWorkflow(source, { format, knownTools: tools.names });
      if (workflow === undefined) throw invalidWorkflow(problems);
      const reading = readInputs(workflow, given.inputs);
      if (reading.values === undefined || !isJsonObject(given.inputs)) {
        const { problems: faults } = reading;
        throw new AppError("invalid", "The inputs do not fit the workflow.", {
          ...(faults[0] === undefined ? {} : { fix: faults[0].fix }),
          cause: faults.map(({ message, fix }) => ({ message, fix, severity: "error" })),
        });
      }
      const record = await store.workflows.save({
        name: workflow.name,
        description: workflow.description ?? null,
        source,
        format,
      });
      const run = await createRun(
        store,
        {
          workflowId: record.id,
          versionHash: record.version.hash,
          workflow,
          values: reading.values,
          inputs: given.inputs,
          overrides: given.overrides,
        },
        {
          clock,
          source: given.from,
          ...(given.reservedFor === undefined ? {} : { reservedFor: given.reservedFor }),
        },
      );
      return { run, problems };
    },
    close: () => store.close(),
  };
}
