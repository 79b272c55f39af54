/** Executors that do what a random workflow says, and the ledger of what they did outside. */
import { AppError } from "../../src/domain/error.ts";
import type { LlmNode, WorkflowNode } from "../../src/domain/workflow.ts";
import { NO_USAGE } from "../../src/engine/call-log.ts";
import { stepNumber } from "../../src/engine/key.ts";
import type { NodeExecutor, StepContext } from "../../src/engine/node/executor.ts";
import { defined } from "../../src/lib/defined.ts";
import type { Json, JsonObject } from "../../src/lib/json.ts";
import { digest, pickOf, predecessors } from "./model.ts";
import { type Behaviour, type Block, type Graph, type Program, tailOf } from "./random-workflow.ts";

/** What a scripted node is told of the world; each may throw where a worker dies. */
export interface Outside {
  /** A call is made: its name, whichever worker makes it. */
  begin(identity: string): void;
  /** It has been made. */
  end(identity: string): void;
  /** How long a call takes. */
  durationMs(): number;
}

type ScriptedInput = {
  readonly seen: readonly Json[];
  readonly item?: Json;
  readonly index?: Json;
};

export function scriptedExecutor(
  program: Program,
  outside: Outside,
): NodeExecutor<LlmNode, ScriptedInput> {
  const plans = new Map([...plansOf(program.graph), ...plansOf(program.child)]);
  const before = new Map([
    ...predecessors(program.workflow),
    ...predecessors(program.childWorkflow),
  ]);
  return {
    render: ({ id }, { locals, values }) => ({
      seen: (before.get(id) ?? []).map((one) => values[`v_${one}`] ?? values[`c_${one}`] ?? null),
      ...defined({ item: locals["item"], index: locals["index"] }),
    }),
    execute: async (node, input, step) => {
      const plan = plans.get(node.id);
      if (plan === undefined) throw new Error(`no plan for ${node.id}`);
      await makeCalls(plan.behaviour, { step, outside, index: input.index });
      return { patch: patchOf(node, input, { step, plan }) };
    },
  };
}

interface Plan {
  readonly behaviour: Behaviour;
  readonly block: Block;
}

function* plansOf({ blocks }: Graph): Iterable<[string, Plan]> {
  for (const block of blocks) {
    yield [block.id, { behaviour: block.behaviour, block }];
    if (block.kind !== "circle") continue;
    yield [tailOf(block.id), { behaviour: { calls: [] }, block }];
    yield* plansOf(block.inner);
  }
}

/** Which run a step belongs to, whatever the ids of the runs are. */
export function pathOf({ run }: Pick<StepContext, "run">): string {
  return run.origin?.step === undefined ? "root" : `root/${run.origin.step}`;
}

async function makeCalls(
  behaviour: Behaviour,
  { step, outside, index }: { step: StepContext; outside: Outside; index: Json | undefined },
): Promise<void> {
  const { calls, failures, failingItem } = behaviour;
  const isBroken = failingItem !== undefined && failingItem === index;
  const failing = isBroken
    ? ({ count: Infinity, code: "tool_failed", afterCalls: calls.length } as const)
    : failures;
  const fails = failing !== undefined && step.attempt <= failing.count;
  for (const [ordinal, kind] of calls.entries()) {
    if (fails && ordinal === failing.afterCalls) break;
    const identity = `${kind} ${pathOf(step)}/${step.key}/${step.firstAttempt}.${ordinal}`;
    const place = { step: step.key, attempt: step.attempt, call: ordinal } as const;
    const started = { ...place, type: "tool.started", tool: kind, input: null } as const;
    await step.calls.perform(
      { ordinal, kind, name: kind, request: { identity }, started },
      async () => {
        outside.begin(identity);
        await step.clock.sleep(outside.durationMs(), step.signal);
        step.signal.throwIfAborted();
        outside.end(identity);
        const isModel = kind === "model";
        return {
          result: { ordinal },
          usage: isModel ? { ...NO_USAGE, input: 3, output: 2 } : NO_USAGE,
          costNanoUsd: isModel ? 10 : null,
          finished: (durationMs) => ({
            ...place,
            type: "tool.finished",
            tool: kind,
            ok: true,
            durationMs,
          }),
        };
      },
    );
  }
  if (!fails) return;
  throw new AppError(failing.code, "It is broken.", { cause: "broken" });
}

function patchOf(
  node: WorkflowNode,
  { seen, item, index }: ScriptedInput,
  { step, plan: { block } }: { step: StepContext; plan: Plan },
): JsonObject {
  const { id } = node;
  const number = stepNumber(step.key);
  if (index !== undefined) {
    return { [`r_${id}`]: digest(id, number, seen, index, item ?? null) };
  }
  const patch = { [`v_${id}`]: digest(id, number, seen), log: [step.key], total: 1, seen: [id] };
  if (block.kind === "loop") {
    const { doneEvery } = block;
    return { ...patch, [`done_${id}`]: doneEvery > 0 && number % doneEvery === 0 };
  }
  if (block.kind === "circle" && id !== block.id)
    return { ...patch, [`again_${id}`]: number % block.roundCount !== 0 };
  if (block.kind === "node" && block.out.kind === "routes")
    return { ...patch, [`pick_${id}`]: pickOf(id, number, block.out.targets.length) };
  return patch;
}
