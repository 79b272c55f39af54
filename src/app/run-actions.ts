/** What people do with runs that exist: read the run and its version, decide, write. */
import { AppError } from "../domain/error.ts";
import type { ForkedValues, StepKey } from "../domain/event.ts";
import { type Journal, type Run, RUN_STATES_FINAL, type RunStore } from "../domain/run.ts";
import type { RunActions } from "../domain/run-actions.ts";
import type { Workflow, WorkflowStore } from "../domain/workflow.ts";
import { isItemKey } from "../domain/event.ts";
import type { Clock } from "../lib/clock.ts";
import { defined } from "../lib/defined.ts";
import type { Json, JsonObject } from "../lib/json.ts";
import { nearest } from "../lib/nearest.ts";
import { createRun, loadWorkflow } from "./workflow-runs.ts";

/** A run's log begins with where it comes from. */
const FIRST_EVENT_COUNT = 2;
/** Steps that a message names. */
const KEY_COUNT_MAX = 20;

interface Deps {
  readonly runs: RunStore;
  readonly workflows: WorkflowStore;
  readonly toolNames: readonly string[];
  readonly clock: Clock;
}

export function createRunActions(deps: Deps): RunActions {
  const { runs } = deps;
  return {
    async resume(runId, { budget, by }) {
      const run = await requireRun(deps, runId);
      const hasBudget = budget !== undefined && Object.keys(budget).length > 0;
      const overrides = hasBudget
        ? { ...run.overrides, budget: { ...run.overrides.budget, ...budget } }
        : undefined;
      return await runs.resume(run.id, { by, ...defined({ overrides }) });
    },
    async retry(runId, { from, by }) {
      const past = await readRun(deps, runId);
      if (!RUN_STATES_FINAL.includes(past.run.state)) {
        throw new AppError("conflict", `Run ${past.run.id} has not ended.`, {
          fix: "Cancel it first, or wait for its end.",
        });
      }
      const { planReopen } = await import("../engine/reopen.ts");
      const step = findStep(past.journal, from);
      const { supersede, values } = planReopen(past.workflow, past.journal, {
        initialValues: past.values,
        from: step,
        ...defined({ forked: past.forked }),
      });
      const { id, wakeCount: seenWakeCount } = past.run;
      return await runs.resume(id, { by, supersede, from: step, values, seenWakeCount });
    },
    async rerun(runId, made) {
      const past = await readRun(deps, runId);
      const origin = { kind: "rerun", runId: past.run.id } as const;
      return await createFrom(deps, past, { ...made, origin, values: past.values });
    },
    async fork(runId, { from, set, ...made }) {
      const past = await readRun(deps, runId);
      const { planFork } = await import("../engine/reopen.ts");
      const step = findStep(past.journal, from);
      const changes = await readChanges(past.workflow, set);
      const fork = planFork(past.workflow, past.journal, {
        initialValues: past.values,
        from: step,
        set: changes,
        ...defined({ forked: past.forked }),
      });
      const origin = { kind: "fork", runId: past.run.id, step } as const;
      return await createFrom(deps, past, { ...made, origin, ...fork });
    },
    async forkValues(runId, from) {
      const past = await readRun(deps, runId);
      const { planFork } = await import("../engine/reopen.ts");
      const step = findStep(past.journal, from);
      const { values } = planFork(past.workflow, past.journal, {
        initialValues: past.values,
        from: step,
        set: {},
        ...defined({ forked: past.forked }),
      });
      return { step, values };
    },
    async valuesAround(runId, step) {
      const past = await readRun(deps, runId);
      const { valuesAround } = await import("../engine/reopen.ts");
      return valuesAround(past.workflow, past.journal, {
        initialValues: past.values,
        from: findStep(past.journal, step),
        ...defined({ forked: past.forked }),
      });
    },
  };
}

async function requireRun({ runs }: Deps, id: string): Promise<Run> {
  const run = await runs.get(id);
  if (run !== undefined) return run;
  throw new AppError("not_found", `There is no run ${id}.`, {
    fix: "List the runs with `agents runs`.",
  });
}

interface Past {
  readonly run: Run;
  readonly workflow: Workflow;
  /** The values that its inputs make. */
  readonly values: JsonObject;
  /** What it began with over these, when it is a fork. */
  readonly forked: ForkedValues | undefined;
  readonly journal: Journal;
}

/** The run as it was at its beginning, and all that it did. */
async function readRun(deps: Deps, id: string): Promise<Past> {
  const run = await requireRun(deps, id);
  const workflow = await loadWorkflow(
    deps.workflows,
    { workflowId: run.workflowId, hash: run.versionHash },
    deps.toolNames,
  );
  const { readInputs } = await import("../language/input.ts");
  const { values, problems } = readInputs(workflow, run.inputs);
  if (values === undefined) {
    const [first] = problems;
    throw new AppError("invalid", first?.message ?? "The inputs no longer fit the workflow.", {
      fix: "Open the workflow and start it with other inputs.",
    });
  }
  const forked = await readForked(deps.runs, run);
  return { run, workflow, values, forked, journal: await deps.runs.journal(run.id) };
}

async function readForked(runs: RunStore, run: Run): Promise<ForkedValues | undefined> {
  if (run.origin?.kind !== "fork") return undefined;
  const first = await runs.events(run.id, 0, FIRST_EVENT_COUNT);
  return first.flatMap(({ event }) => (event.type === "run.forked" ? (event.set ?? []) : []))[0];
}

/** A new run of the version of an old one. */
function createFrom(
  deps: Deps,
  { run, workflow }: Past,
  more: Omit<Parameters<typeof createRun>[2], "clock"> & { values: JsonObject },
): Promise<Run> {
  const { values, ...origin } = more;
  const { workflowId, versionHash, inputs, overrides } = run;
  return createRun(
    deps,
    { workflowId, versionHash, workflow, inputs, overrides, values },
    { clock: deps.clock, ...origin },
  );
}

/** A step key as it is, or the last execution of a node. @throws AppError `not_found`. */
function findStep({ steps }: Journal, name: string): StepKey {
  const all = steps.filter((step) => step.state !== "superseded");
  const live = all.filter((step) => !isItemKey(step.key));
  // An item of a map means the map, which is gone back to as a whole.
  const found =
    all.find((step) => step.key === name) ?? live.findLast((step) => step.nodeId === name);
  if (found !== undefined) return found.key;
  if (live.length === 0) {
    throw new AppError("not_found", "The run has not begun any step.", {
      fix: "Wait until it has, or start a new run with `agents rerun`.",
    });
  }
  const keys = [...new Set(live.map((step) => step.key))];
  const meant = nearest(name, keys);
  throw new AppError("not_found", `The run has no step ${name}.`, {
    fix:
      meant === undefined
        ? `Use one of: ${keys.slice(0, KEY_COUNT_MAX).join(", ")}.`
        : `Write \`${meant}\` instead.`,
  });
}

/** Values for a fork; text is read as the field's type. @throws AppError `invalid`. */
async function readChanges(workflow: Workflow, set: JsonObject): Promise<JsonObject> {
  const { parseInputText, readInputs } = await import("../language/input.ts");
  const given = Object.entries(set).map(([name, value]): [string, Json] => {
    const field = workflow.state.find((one) => one.name === name);
    const isText = typeof value === "string" && field !== undefined;
    return [name, isText ? parseInputText(field, value) : value];
  });
  // Only what is given is checked: the other fields have their values already.
  const optional = { ...workflow, state: workflow.state.map(asOptional) };
  const { problems } = readInputs(optional, Object.fromEntries(given));
  const [first] = problems;
  if (first !== undefined) throw new AppError("invalid", first.message, { fix: first.fix });
  return Object.fromEntries(given);
}

function asOptional(field: Workflow["state"][number]): Workflow["state"][number] {
  return { ...field, required: false };
}
