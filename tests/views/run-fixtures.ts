/** Data of the pages about runs. */
import type { BulkJob } from "../../src/domain/bulk-job.ts";
import type { ComparePageProps } from "../../views/compare.tsx";
import { NO_QUERY } from "../../views/part/runs-query.ts";
import type {
  ForkPageProps,
  ItemsPageProps,
  LogPageProps,
  StepPageProps,
  StepsPageProps,
} from "../../views/run-parts.tsx";
import type { RunDetail } from "../../views/run.tsx";
import type { RunsPageProps } from "../../views/runs.tsx";
import { groupCalls } from "../../views/part/step-item.tsx";
import type { TracePageProps } from "../../views/run-trace.tsx";
import { stepCards } from "../../views/part/run-steps.tsx";
import type { StepAttempt } from "../../src/domain/run.ts";
import type { StepPiece } from "../../src/domain/run-reader.ts";
import { diffTexts } from "../../src/lib/diff.ts";
import {
  call,
  calls,
  DRAWING,
  events,
  form,
  HOSTILE,
  logEvents,
  NOW,
  run,
  step,
  steps,
  WORKFLOW,
  WORKFLOWS,
} from "./fixtures.ts";

export const RUNS: Omit<RunsPageProps, "shell"> = {
  runs: [],
  query: NO_QUERY,
  problems: [],
  counts: { queued: 3, running: 2, waiting: 1, succeeded: 12_345, failed: 67, cancelled: 8 },
  workflows: WORKFLOWS.map(({ listing: { id, name } }) => ({ id, name })),
  before: undefined,
  next: undefined,
  newer: undefined,
  isPartial: false,
  progress: new Map(),
  bulkCountMax: 1_000,
};

const JOB: BulkJob = {
  id: "01kae9job0000000",
  action: "cancel",
  state: "done",
  createdAt: 0,
  undoneBy: null,
  count: 12,
  isMore: false,
  doneCount: 10,
  refusedCount: 2,
  refusals: [
    {
      id: "01kae9x7m0v3t5hq",
      message: "It has ended already.",
      fix: "There is nothing to cancel.",
    },
    { id: "01kae9x7mhostile", message: HOSTILE, fix: undefined },
  ],
  canUndo: true,
};

export const BULK_CASES: readonly { readonly name: string; readonly job: BulkJob }[] = [
  { name: "bulk-done", job: JOB },
  {
    name: "bulk-running",
    job: { ...JOB, state: "running", doneCount: 4, refusals: [], refusedCount: 0 },
  },
  { name: "bulk-asked", job: { ...JOB, action: "delete", state: "asked", isMore: true } },
  { name: "bulk-none", job: { ...JOB, state: "asked", count: 0 } },
];

const [first, second] = [run("succeeded"), run("failed", { id: "01kae9x7mother00" })];

export const COMPARED: Omit<ComparePageProps, "shell"> = {
  ids: { a: first.id, b: second.id },
  problem: undefined,
  recent: [{ id: first.id, label: "article_writer v3t5hq, Succeeded" }],
  comparison: {
    a: { run: first, version: 2, stepCount: 3 },
    b: { run: second, version: 3, stepCount: 2 },
    source: diffTexts("name: a\ntone: dry and short\n", "name: a\ntone: warm and short\nmore: 1\n"),
    inputs: diffTexts("topic: tea", "topic: coffee"),
    outputs: diffTexts("text: one", "text: one"),
    pairs: [
      { key: "plan", a: step("plan"), b: step("plan") },
      { key: "draft", a: step("draft"), b: step("draft", { state: "failed", patch: null }) },
      { key: "check", a: step("check"), b: undefined },
    ],
    stepCountMax: 200,
    divergence: { key: "draft", how: "succeeded in the first, failed in the second" },
  },
};

export const STEP_PAGE: Omit<StepPageProps, "shell"> = {
  run: first,
  stepKey: "draft",
  attempts: [
    step("draft", { attempt: 1, state: "failed", patch: null }),
    step("draft", { attempt: 2 }),
  ],
  calls: [call("draft", 0, { attempt: 2 })],
  state: { json: '{\n  "text": "two"\n}', diff: diffTexts("text: one", "text: two") },
  canFork: true,
};

const pieces = { run: first, steps: steps("succeeded"), calls: calls("succeeded") };

export const STEPS_PAGE: Omit<StepsPageProps, "shell"> = {
  run: first,
  cards: stepCards({ ...pieces, workflow: WORKFLOW, drawing: DRAWING, descendants: [], now: NOW }),
  earlier: 120,
};

const piece = (one: StepAttempt): StepPiece => ({ ...one, omitted: {} });
const ITEMS: readonly StepPiece[] = [
  piece(step("draft[0]")),
  piece(
    step("draft[1]", {
      state: "failed",
      patch: null,
      error: { code: "timeout", message: HOSTILE },
    }),
  ),
  { ...piece(step("draft[2]", { patch: null })), omitted: { patch: 1_234_567 } },
];

export const ITEMS_PAGE: Omit<ItemsPageProps, "shell"> = {
  run: first,
  map: "draft",
  counts: { count: 10_000, states: { succeeded: 9_000, failed: 3, running: 8 } },
  items: ITEMS,
  calls: groupCalls([call("draft[0]", 0)]),
  from: 50,
  pageCount: 50,
};

export const LOG_PAGE: Omit<LogPageProps, "shell"> = {
  run: first,
  query: { level: "", step: "" },
  events: events(first.id, logEvents()),
  earlier: 100,
  later: 400,
};

export const FORK_PAGE: Omit<ForkPageProps, "shell"> = {
  run: first,
  from: "draft",
  fields: form().fields,
  error: undefined,
};

export const TRACE_PAGE: Omit<TracePageProps, "shell"> = {
  ...pieces,
  maps: [{ key: "draft", count: 10_000 }],
  map: undefined,
  earlier: "before=120",
  later: "after=900",
};

export const TRACE_ITEMS_PAGE: Omit<TracePageProps, "shell"> = {
  ...TRACE_PAGE,
  steps: ITEMS,
  calls: [],
  maps: [],
  map: { key: "draft", from: 50, count: 10_000 },
  earlier: "map=draft&from=0",
  later: "map=draft&from=100",
};

const large = run("running", { id: "01kae9x7mlarge00" });

/** A run of which only a part is shown: a map with many items, attempts before the window, large values. */
export const LARGE_RUN: RunDetail = {
  run: { ...large, values: {} },
  omitted: { values: 3_456_789 },
  steps: [...steps("running"), ...ITEMS],
  calls: calls("running"),
  itemCounts: new Map([
    ["draft", { count: 10_000, states: { succeeded: 6_000, failed: 3, running: 8 } }],
  ]),
  nodes: steps("running").map((one) => ({
    nodeId: one.nodeId,
    newest: piece(one),
    roundCount: 400,
    attemptCount: 412,
    failedCount: 12,
    next: one.next ?? [],
  })),
  earlier: 5_678,
  events: events(large.id, logEvents()),
  workflow: WORKFLOW,
  drawing: DRAWING,
  approvals: [],
  descendants: [],
};
