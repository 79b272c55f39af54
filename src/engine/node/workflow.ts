/** A node that runs another workflow as a run of its own, and waits for its end without a worker. */
import { AppError } from "../../domain/error.ts";
import { RUN_DEPTH_MAX, type Run } from "../../domain/run.ts";
import type { WorkflowCallNode } from "../../domain/workflow.ts";
import { assert } from "../../lib/assert.ts";
import { abortable } from "../../lib/abortable.ts";
import { defined } from "../../lib/defined.ts";
import { derivedId } from "../../lib/id.ts";
import { isJsonObject, type JsonObject } from "../../lib/json.ts";
import { renderValue } from "../../language/template.ts";
import type { ChildRun, NodeExecutor, StepContext } from "./executor.ts";
import { toPatch } from "./result.ts";

type WorkflowInput = { readonly workflow: string; readonly inputs: JsonObject };

export const workflowNode: NodeExecutor<WorkflowCallNode, WorkflowInput> = {
  render: (node, scope) => {
    const inputs = renderValue(node.arguments, scope);
    return { workflow: node.workflow, inputs: isJsonObject(inputs) ? inputs : {} };
  },
  execute: async (node, { workflow, inputs }, step) => {
    const { run, key, attempt, startedAt } = step;
    if (run.depth >= RUN_DEPTH_MAX) throw tooDeep(node);
    // The same after a crash, so the run is started once.
    const id = derivedId(startedAt, `${run.id}/${key}/${attempt}`);
    const overrides = { ...run.overrides, budget: step.sharedBudget() };
    await start(step, { id, workflow, inputs, parent: run, step: key, overrides });
    return { wait: { for: "run", runId: id } };
  },
  resume: async (node, _input, { answer }) => {
    assert(answer.for === "run", `a sub-workflow was answered with ${answer.for}`);
    const { run } = answer;
    if (run.state !== "succeeded") throw failed(run);
    const what = `The result of workflow \`${run.workflowName}\``;
    return { patch: toPatch(node, toResult(node, run.values), what) };
  },
};

/** @throws the signal's reason where the run takes no more children: it is to be cancelled, or another worker's. */
async function start(step: StepContext, child: ChildRun): Promise<void> {
  try {
    await step.startChild(child);
  } catch (error) {
    if (!(error instanceof AppError && error.code === "conflict")) throw error;
    // This worker is told so in a moment.
    await abortable(step.signal, new Promise<never>(() => undefined));
  }
}

/** By name; a single output that the run has no field for takes all of its fields as an object. */
function toResult({ outputs }: WorkflowCallNode, values: JsonObject): JsonObject[string] {
  const [only, second] = outputs;
  if (only === undefined || second !== undefined) return values;
  return Object.hasOwn(values, only.name) ? (values[only.name] ?? null) : values;
}

function failed({ id, workflowName, state, error }: Run): AppError {
  const name = `Run ${id} of workflow \`${workflowName}\``;
  if (state === "cancelled") {
    return new AppError("cancelled", `${name} was cancelled.`, {
      fix: "Start this run again, or retry it from this step.",
    });
  }
  assert(error !== null, `run ${id} came to an end as ${state} without an error`);
  return new AppError(error.code, `${name} failed: ${error.message}`, {
    ...defined({ fix: error.fix, cause: error.details }),
  });
}

function tooDeep(node: WorkflowCallNode): AppError {
  return new AppError(
    "limit_reached",
    `Workflows may be inside of each other ${RUN_DEPTH_MAX} deep; this would be one more.`,
    { fix: `Look whether \`${node.workflow}\` calls itself without an end.` },
  );
}
