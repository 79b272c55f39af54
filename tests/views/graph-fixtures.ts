/** Runs of everything that a graph can hold, for the tests and pictures of the run's page. */
import type { RunEvent } from "../../src/domain/event.ts";
import type { PendingApproval, StepAttempt, StepCall } from "../../src/domain/run.ts";
import type { Workflow } from "../../src/domain/workflow.ts";
import { drawWorkflow } from "../../src/graph/layout.ts";
import { parseWorkflow } from "../../src/language/parse.ts";
import type { RunDetail } from "../../views/run.tsx";
import { APPROVAL, call, events, NOW, run, step, usage } from "./fixtures.ts";

const SECOND = 1000;

const SOURCE = `schema_version: "1.0"
flow: { name: review_desk, description: Rates reviews and answers to them }
state:
  fields:
    reviews: { type: "list[str]", default: [Good, Bad] }
    ratings: { type: "list[int]" }
    average: { type: float, default: 2.5 }
    answer: { type: str, default: "" }
    good_enough: { type: bool, default: false }
    approved: { type: bool, default: false }
    receipt: { type: str, default: "" }
nodes:
  - id: rate
    description: Gives each review its stars.
    prompt: "Rate {item}"
    outputs: [stars]
    output_schema: { type: object, fields: [{ name: stars, type: int }] }
    on_error: continue
  - id: figures
    code: "result = 2.5"
    outputs: [average]
  - id: improve
    prompt: "Improve {answer}"
    outputs: [answer, good_enough]
    output_schema:
      type: object
      fields: [{ name: answer, type: str }, { name: good_enough, type: bool }]
  - { id: thank, when: "state.average > 4", prompt: "Thank", outputs: [answer], output_schema: { type: str } }
  - { id: ask, approval: { message: "Send it?", on_reject: continue }, outputs: [approved] }
  - { id: send, workflow: { name: mailer, inputs: { text: "{answer}" } }, outputs: [receipt], on_error: { route: END } }
edges:
  - from: START
    parallel: { items_field: reviews, target_node: rate, collect_field: ratings, max_concurrency: 4 }
  - { from: rate, to: figures }
  - from: figures
    routes:
      - { condition: { logic: state.average > 4 }, to: thank }
      - { condition: { logic: default }, to: improve }
  - from: improve
    loop: { condition_field: good_enough, max_iterations: 3, exit_to: ask }
  - { from: thank, to: ask }
  - { from: ask, to: send }
  - { from: send, to: END }
config: { budget: { max_cost_usd: 0.5, max_tokens: 90000, on_exceeded: wait } }
`;

function readWorkflow(): Workflow {
  const { workflow, problems } = parseWorkflow(SOURCE, { format: "yaml", knownTools: [] });
  if (workflow === undefined) throw new Error(problems.map(({ message }) => message).join("\n"));
  return workflow;
}

export const GRAPH_WORKFLOW = readWorkflow();
export const GRAPH_DRAWING = drawWorkflow(GRAPH_WORKFLOW);

const IDS = GRAPH_WORKFLOW.nodes.map(({ id }) => id);
const FREE = { usage: usage(0, 0), costNanoUsd: 0 };
const INNER_RUN = "01kae9x7minner00";

function at(fromS: number, toS: number | null) {
  return { startedAt: NOW - fromS * SECOND, finishedAt: toS === null ? null : NOW - toS * SECOND };
}

/** A map with that many items, of which the last two are on and every seventh has failed. */
export function mapSteps(count: number, isRunning: boolean): readonly StepAttempt[] {
  const own = step("rate", {
    ...FREE,
    ...at(80, isRunning ? null : 40),
    state: isRunning ? "running" : "succeeded",
    input: { items: Array.from({ length: count }, (_, index) => `Review ${index}`) },
    patch: isRunning ? null : { ratings: [] },
    next: isRunning ? null : ["figures"],
  });
  const items = Array.from({ length: count }, (_, index): StepAttempt => {
    const base = { nodeId: "rate", input: { item: `Review ${index}` }, startedSeq: index + 3 };
    if (isRunning && index >= count - 2)
      return step(`rate[${index}]`, { ...base, ...at(2, null), state: "running", patch: null });
    if (index % 7 !== 6)
      return step(`rate[${index}]`, { ...base, patch: { stars: (index % 5) + 1 }, next: [] });
    const error = {
      code: "output_invalid",
      message: "`stars` must be an int, got “many”.",
    } as const;
    return step(`rate[${index}]`, { ...base, state: "failed", patch: null, error, next: [] });
  });
  return [own, ...items];
}

function itemCalls(count: number): readonly StepCall[] {
  return Array.from({ length: count }, (_, index) => call(`rate[${index}]`, 0));
}

const REST: readonly StepAttempt[] = [
  step("figures", {
    ...FREE,
    ...at(40, 39),
    patch: { average: 2.5 },
    next: ["improve"],
    startedSeq: 30,
  }),
  step("improve", {
    ...at(39, 34),
    patch: { answer: "Sorry!", good_enough: false },
    next: ["improve"],
    startedSeq: 31,
  }),
  step("improve#2", {
    nodeId: "improve",
    ...at(34, 30),
    patch: { answer: "We are sorry.", good_enough: true },
    next: ["ask"],
    startedSeq: 32,
  }),
  step("thank", {
    ...FREE,
    ...at(39, 39),
    state: "skipped",
    input: null,
    patch: null,
    next: ["ask"],
    startedSeq: 31,
  }),
];
const ASK = step("ask", {
  ...FREE,
  ...at(30, null),
  state: "waiting",
  patch: null,
  wait: { for: "approval", message: "Send it?", untilMs: NOW + 86_400_000 * 3 },
  startedSeq: 33,
});
const SEND = step("send", {
  ...FREE,
  ...at(20, null),
  state: "waiting",
  patch: null,
  wait: { for: "run", runId: INNER_RUN },
  startedSeq: 34,
});

const EVENTS: readonly RunEvent[] = [
  { type: "run.queued" },
  { type: "run.started", worker: "worker-1" },
  { type: "step.started", node: "rate", step: "rate", attempt: 1, itemCount: 12 },
  {
    type: "step.failed",
    step: "rate[6]",
    attempt: 1,
    error: { code: "output_invalid", message: "`stars` must be an int, got “many”." },
    next: [],
  },
  { type: "step.succeeded", step: "rate", attempt: 1, patch: { ratings: [] }, next: ["figures"] },
  {
    type: "tool.started",
    step: "figures",
    attempt: 1,
    call: 0,
    tool: "code",
    input: { code: "result = 2.5" },
  },
  {
    type: "tool.finished",
    step: "figures",
    attempt: 1,
    call: 0,
    tool: "code",
    ok: true,
    durationMs: 120,
  },
  { type: "step.skipped", step: "thank", node: "thank" },
  { type: "loop.exhausted", step: "improve#3", attempt: 1, iterationCount: 3 },
  {
    type: "model.fallback",
    step: "improve",
    attempt: 1,
    call: 0,
    provider: "openai",
    model: "gpt-5-mini",
    error: { code: "rate_limited", message: "Too many requests." },
  },
  {
    type: "step.waiting",
    step: "ask",
    attempt: 1,
    wait: { for: "approval", message: "Send it?", untilMs: NOW + 86_400_000 * 3 },
  },
  { type: "run.waiting", for: "approval", untilMs: NOW + 86_400_000 * 3 },
  { type: "approval.decided", step: "ask", approved: true, comment: "kind words", by: "dashboard" },
  { type: "signal.received", name: "paid", by: "command line" },
  { type: "run.resumed", by: "dashboard", from: "ask" },
];

function detail(over: Partial<RunDetail> & Pick<RunDetail, "run" | "steps">): RunDetail {
  return {
    calls: [],
    events: events(over.run.id, EVENTS),
    workflow: GRAPH_WORKFLOW,
    drawing: GRAPH_DRAWING,
    approvals: [],
    descendants: [],
    ...over,
  };
}

const APPROVALS: readonly PendingApproval[] = [
  {
    ...APPROVAL,
    runId: "01kae9x7mgraph00",
    key: "ask",
    nodeId: "ask",
    untilMs: NOW + 86_400_000 * 3,
  },
];

const BASE = {
  workflowName: "review_desk",
  nodeIds: IDS,
  doneNodeIds: ["rate", "figures", "improve"],
};

/** By the name of the page. */
export const GRAPH_RUNS: Readonly<Record<string, RunDetail>> = {
  "run-graph": detail({
    run: run("waiting", {
      ...BASE,
      id: "01kae9x7mgraph00",
      waitingFor: "approval",
      dueAt: NOW + 86_400_000 * 3,
    }),
    steps: [...mapSteps(12, false), ...REST, ASK],
    calls: itemCalls(3),
    approvals: APPROVALS,
  }),
  "run-map": detail({
    run: run("running", { ...BASE, id: "01kae9x7mmap0000", doneNodeIds: [] }),
    steps: mapSteps(1_000, true),
    calls: itemCalls(1_000),
  }),
  "run-inner": detail({
    run: run("waiting", { ...BASE, id: "01kae9x7mouter00", waitingFor: "run", dueAt: null }),
    steps: [
      ...REST,
      {
        ...ASK,
        state: "succeeded",
        wait: null,
        finishedAt: NOW - 20 * SECOND,
        patch: { approved: true },
      },
      SEND,
    ],
    descendants: [
      run("running", {
        id: INNER_RUN,
        workflowName: "mailer",
        origin: { kind: "child", runId: "01kae9x7mouter00", step: "send" },
        depth: 1,
      }),
      run("failed", {
        id: "01kae9x7mfork000",
        origin: { kind: "fork", runId: "01kae9x7mouter00", step: "improve" },
      }),
      run("succeeded", {
        id: "01kae9x7mrerun00",
        origin: { kind: "rerun", runId: "01kae9x7mouter00" },
      }),
    ],
  }),
  "run-budget": detail({
    run: run("waiting", {
      ...BASE,
      id: "01kae9x7mbudget0",
      waitingFor: "budget",
      dueAt: null,
      origin: { kind: "child", runId: INNER_RUN, step: "send" },
    }),
    steps: [
      ...REST.slice(0, 2),
      step("improve#2", {
        nodeId: "improve",
        ...at(34, null),
        state: "waiting",
        patch: null,
        wait: { for: "budget" },
      }),
    ],
  }),
  "run-long": detail({
    run: run("failed", { ...BASE, id: "01kae9x7mlong000" }),
    steps: Array.from({ length: 300 }, (_, index) =>
      step(index === 0 ? "improve" : `improve#${index + 1}`, {
        nodeId: "improve",
        startedSeq: index + 2,
        next: ["improve"],
      }),
    ),
  }),
};
