/** A run by hand: the engine plans and settles, and the test says which step ends next, and how. */
import { AppError } from "../../src/domain/error.ts";
import type { Claim } from "../../src/domain/run.ts";
import type { Workflow } from "../../src/domain/workflow.ts";
import type { AttemptEnd } from "../../src/engine/attempt.ts";
import { History } from "../../src/engine/history.ts";
import { entryOf } from "../../src/engine/next.ts";
import { type Plan, plan } from "../../src/engine/plan.ts";
import { shapeOf } from "../../src/engine/shape.ts";
import { emptyChange, makeMove, settleEnd } from "../../src/engine/step.ts";
import type { JsonObject } from "../../src/lib/json.ts";
import { createFakeClock } from "./fake-clock.ts";
import { createMemoryStore, type MemoryStore } from "./memory-store.ts";

const WORKER = "by hand";

const endOf = (key: string, outcome: AttemptEnd["outcome"]): AttemptEnd => ({
  key,
  outcome,
  events: [],
  brokenCallCount: 0,
  childTotals: undefined,
});

export async function createPlay(workflow: Workflow, initial: JsonObject = {}) {
  const clock = createFakeClock();
  const store = createMemoryStore(clock);
  const defaults = workflow.state.map((field) => [field.name, field.default]);
  const values = { ...Object.fromEntries(defaults), topic: "tea", ...initial };
  const runId = "run1";
  await submit(store, { workflow, runId, values });
  let claim = await claimRun(store);
  let history = await readHistory();
  let last: Plan = { kind: "busy", dueAt: null };

  /** The history that another worker would read now. */
  async function readHistory(): Promise<History> {
    const run = await store.runs.get(runId);
    const journal = await store.runs.journal(runId);
    const entry = entryOf(workflow, () => values);
    return new History(workflow, journal, { values: run?.values ?? {}, entry });
  }

  const engineOf = () => ({
    workflow,
    history,
    clock,
    random: () => 0.5,
    redact: (text: string) => text,
    reportError: (error: unknown) => {
      throw error;
    },
  });

  /** Makes all moves after these ends, and writes them. @returns the steps that begin. */
  async function advance(ends: readonly AttemptEnd[]): Promise<string[]> {
    const engine = engineOf();
    const change = emptyChange();
    for (const end of ends) settleEnd(engine, change, end);
    const options = { nowMs: clock.now(), isStopping: false, render: () => ({}) };
    for (;;) {
      last = plan(workflow, history, options);
      if (last.kind !== "moves" || change.failure !== undefined) break;
      for (const move of last.moves) makeMove(engine, change, move);
    }
    const { steps, events } = change;
    const { merges } = shapeOf(workflow);
    const attempts = await store.runs.write(claim, { steps, events, merges });
    return Array.from(change.launches, ([position, { key }]) => {
      const attempt = attempts[position];
      if (attempt !== undefined) history.confirm(attempt);
      return key;
    });
  }

  return {
    store,
    clock,
    get history() {
      return history;
    },
    /** What there was to say when nothing more could be started. */
    get last(): Plan {
      return last;
    },
    readHistory,
    begin: () => advance([]),
    end: (key: string, patch: JsonObject = {}) =>
      advance([endOf(key, { kind: "result", result: { patch } })]),
    fail: (key: string, code: "tool_failed" | "timeout" | "output_invalid" = "tool_failed") =>
      advance([endOf(key, { kind: "failed", error: new AppError(code, "It is broken.") })]),
    endAll: (...keys: readonly string[]) =>
      advance(keys.map((key) => endOf(key, { kind: "result", result: { patch: {} } }))),
    /** Steps that are being executed. */
    active: () =>
      Array.from(history.open.values()).flatMap(({ key, isActive }) => (isActive ? [key] : [])),
    /** The worker dies, another one goes on. */
    async recover() {
      await store.queue.releaseWorker(WORKER);
      claim = await claimRun(store);
      history = await readHistory();
    },
  };
}

async function submit(
  { runs, workflows }: MemoryStore,
  { workflow, runId, values }: { workflow: Workflow; runId: string; values: JsonObject },
): Promise<void> {
  const record = await workflows.save({
    name: workflow.name,
    description: null,
    source: JSON.stringify(workflow),
    format: "json",
  });
  const run = {
    id: runId,
    workflowId: record.id,
    versionHash: record.version.hash,
    workflowName: workflow.name,
    nodeIds: workflow.nodes.map((node) => node.id),
    inputs: {},
    overrides: {},
    source: "cli",
  } as const;
  await runs.create(run, values);
}

async function claimRun({ queue }: MemoryStore): Promise<Claim> {
  const [claim] = await queue.fetch(WORKER, 1);
  if (claim === undefined) throw new Error("no claim");
  return claim;
}

/** All of a history that decides, without what only this process knows. */
export function pictureOf(history: History): unknown {
  const open = Array.from(history.open.values(), ({ key, round, item, map, attempt }) => ({
    key,
    round,
    item,
    attempt: attempt.attempt,
    state: attempt.state,
    wait: attempt.wait,
    retryAt: attempt.retryAt,
    input: attempt.input,
    tryCount: history.tryCount(key),
    map:
      map === undefined ? undefined : { ...map, begun: [...map.begun].toSorted((a, b) => a - b) },
  }));
  return {
    values: history.values,
    open: open.toSorted((left, right) => (left.key < right.key ? -1 : 1)),
    tokens: Array.from(history.marks.open, ([nodeId, tokens]) => ({
      nodeId,
      tokens: tokens.map(({ from, round }) => ({ from, round })),
    })),
    liveCount: history.marks.liveCount,
    executionCount: history.executionCount,
  };
}
