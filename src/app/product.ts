/** The data folder opened for one command: run, runs, cancel, status, doctor. */
import type { Config } from "../config/config.ts";
import { AppError } from "../domain/error.ts";
import type { Run, RunOverrides } from "../domain/run.ts";
import type { Schedule } from "../domain/schedule.ts";
import type { Problem } from "../domain/workflow.ts";
import { TOOL_NAMES } from "../domain/tool.ts";
import { systemClock } from "../lib/clock.ts";
import { isJsonObject } from "../lib/json.ts";
import { openStore, type Store } from "../store/store.ts";
import { saveNeighbours } from "./neighbour-files.ts";
import { createLazyModels } from "./ports.ts";
import { createRunActions } from "./run-actions.ts";
import { startScheduled } from "./scheduler.ts";
import { startStepRunner } from "./step-runner.ts";
import { createRun, invalidWorkflow } from "./workflow-runs.ts";

interface NewRunFile {
  readonly source: string;
  readonly format: "yaml" | "json";
  readonly inputs: Record<string, unknown>;
  readonly overrides: RunOverrides;
  readonly from: "cli";
  /** Absolute; where the file lies. Undefined for standard input. */
  readonly folder?: string;
  readonly reservedFor?: string;
}

/** What reading needs less of than writing does. */
const WRITE_FAULTS = new Set(["read_only", "permission_denied", "disk_full"]);

interface ProductOptions {
  /** A database that cannot be written is opened all the same, for reading. */
  readonly reads?: boolean;
}

async function openDatabase(path: string, { reads = false }: ProductOptions): Promise<Store> {
  try {
    return await openStore({ path, clock: systemClock });
  } catch (error) {
    if (!reads || !(error instanceof AppError) || !WRITE_FAULTS.has(error.code)) throw error;
    // The reason why it cannot be written says more than why it cannot be read either.
    return await openStore({ path, clock: systemClock, readOnly: true }).catch(() => {
      throw error;
    });
  }
}

export async function openProduct(
  config: Config,
  reportError: (error: unknown) => void,
  options: ProductOptions = {},
) {
  const clock = systemClock;
  const store = await openDatabase(config.databasePath, options);
  const models = createLazyModels(async () => config.llm);
  const toolNames = TOOL_NAMES;

  return {
    config,
    store,
    models,
    startRunner: (wish: { worker: string; concurrency: number; only?: string }) =>
      startStepRunner(config, { ...wish, store, models, reportError, onLog: reportError }),
    createRun: (given: NewRunFile) => submitRun({ store, toolNames }, given),
    runSchedule: (schedule: Schedule, made: { readonly reservedFor?: string }) =>
      startScheduled({ ...store, toolNames, clock }, schedule, { source: "cli", ...made }),
    actions: createRunActions({ ...store, toolNames, clock }),
    close: () => store.close(),
  };
}

/** @throws AppError `workflow_invalid`, `invalid` (inputs), each with the problems as its cause. */
async function submitRun(
  { store, toolNames }: { store: Store; toolNames: readonly string[] },
  given: NewRunFile,
): Promise<{ run: Run; problems: readonly Problem[] }> {
  const [{ parseWorkflow }, { readInputs }] = await Promise.all([
    import("../language/parse.ts"),
    import("../language/input.ts"),
  ]);
  const { source, format } = given;
  const { workflow, problems } = parseWorkflow(source, { format, knownTools: toolNames });
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
  const { folder } = given;
  if (folder !== undefined)
    await saveNeighbours(workflow, { folder, workflows: store.workflows, toolNames });
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
      clock: systemClock,
      source: given.from,
      ...(given.reservedFor === undefined ? {} : { reservedFor: given.reservedFor }),
    },
  );
  return { run, problems };
}
