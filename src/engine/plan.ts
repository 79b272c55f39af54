/**
 * What a run does next, from its workflow and its journal alone. Pure, and keyed by step key, never
 * by position: any worker that reads the same journal decides the same.
 *
 * The rule is "a node may start when all its incoming edges are done", so a line, a fork and a join
 * are the same thing here.
 */
import type { ErrorRecord } from "../domain/error.ts";
import type { StepKey } from "../domain/event.ts";
import type { StepAttempt } from "../domain/run.ts";
import { END, START, type Workflow, type WorkflowNode } from "../domain/workflow.ts";
import { assert } from "../lib/assert.ts";
import type { JsonObject } from "../lib/json.ts";

export interface PlannedStep {
  readonly key: StepKey;
  readonly node: WorkflowNode;
  /** 1 for the first try; the number of an interrupted attempt is kept. */
  readonly attempt: number;
}

type Plan =
  | { readonly kind: "start"; readonly steps: readonly PlannedStep[] }
  /** Nothing may start before this time. */
  | { readonly kind: "wait"; readonly untilMs: number }
  | { readonly kind: "finished"; readonly outputs: JsonObject }
  | { readonly kind: "failed"; readonly error: ErrorRecord };

/** The newest attempt of each step; all that a decision needs of the journal. */
export type LatestAttempts = ReadonlyMap<
  StepKey,
  Pick<StepAttempt, "attempt" | "state" | "error" | "retryAt">
>;

interface PlanState {
  readonly attempts: LatestAttempts;
  readonly values: JsonObject;
  readonly nowMs: number;
}

/** The step key of a node that is executed once; loops and maps will add an iteration and an item. */
function stepKeyOf(node: WorkflowNode): StepKey {
  return node.id;
}

/** Decides what may start now; waits only when nothing may start; ends only when nothing is left. */
export function plan(workflow: Workflow, state: PlanState): Plan {
  const sources = sourcesOf(workflow);
  const left = workflow.nodes.filter((node) => !isDone(stepKeyOf(node), state.attempts));
  for (const node of left) {
    const latest = state.attempts.get(stepKeyOf(node));
    if (latest?.state === "failed" && latest.retryAt === null) return failed(latest);
  }
  const open = left.filter((node) =>
    sources.get(node.id)?.every((source) => isDone(source, state.attempts)),
  );
  const steps: PlannedStep[] = [];
  let untilMs = Infinity;
  for (const node of open) {
    const key = stepKeyOf(node);
    const latest = state.attempts.get(key);
    const dueAt = latest?.state === "failed" ? latest.retryAt : null;
    if (dueAt !== null && dueAt > state.nowMs) untilMs = Math.min(untilMs, dueAt);
    else steps.push({ key, node, attempt: attemptAfter(latest) });
  }
  if (steps.length > 0) return { kind: "start", steps };
  if (open.length > 0) return { kind: "wait", untilMs };
  assert(left.length === 0, "a node of the workflow can never start");
  return { kind: "finished", outputs: outputsOf(workflow, state.values) };
}

function failed(latest: { readonly error: ErrorRecord | null }): Plan {
  assert(latest.error !== null, "a failed attempt has no error");
  return { kind: "failed", error: latest.error };
}

function isDone(source: string, attempts: LatestAttempts): boolean {
  return source === START || attempts.get(source)?.state === "succeeded";
}

function attemptAfter(latest: Pick<StepAttempt, "attempt" | "state"> | undefined): number {
  if (latest === undefined) return 1;
  return latest.state === "running" ? latest.attempt : latest.attempt + 1;
}

/** The outputs of a run: every field of the state that a node writes. */
function outputsOf(workflow: Workflow, values: JsonObject): JsonObject {
  const names = workflow.nodes.flatMap((node) => node.outputs.map((output) => output.name));
  return Object.fromEntries(names.map((name) => [name, values[name] ?? null]));
}

/** Node id → where its incoming edges come from. A workflow never changes, so it is indexed once. */
const sourcesByWorkflow = new WeakMap<Workflow, ReadonlyMap<string, readonly string[]>>();

function sourcesOf(workflow: Workflow): ReadonlyMap<string, readonly string[]> {
  const known = sourcesByWorkflow.get(workflow);
  if (known !== undefined) return known;
  const sources = new Map<string, string[]>();
  for (const { from, to } of workflow.edges) {
    if (to === END) continue;
    const list = sources.get(to);
    if (list === undefined) sources.set(to, [from]);
    else list.push(from);
  }
  sourcesByWorkflow.set(workflow, sources);
  return sources;
}
