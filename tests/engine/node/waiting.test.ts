/** The kinds that wait without a worker: approval, wait, workflow. */
import { describe, expect, test } from "bun:test";
import { AppError } from "../../../src/domain/error.ts";
import { RUN_DEPTH_MAX, type Run } from "../../../src/domain/run.ts";
import type { ApprovalNode, WaitNode, WorkflowCallNode } from "../../../src/domain/workflow.ts";
import { RunAborted } from "../../../src/engine/abort.ts";
import { approvalNode } from "../../../src/engine/node/approval.ts";
import type { ChildRun, WaitAnswer } from "../../../src/engine/node/executor.ts";
import { waitNode } from "../../../src/engine/node/wait.ts";
import { workflowNode } from "../../../src/engine/node/workflow.ts";
import { BASE, createTestStep, failureOf, reasonOf, RUN, STARTED_AT } from "./harness.ts";

const EXPIRED: WaitAnswer = { for: "expired" };

const approval = (changes: Partial<ApprovalNode> = {}): ApprovalNode => ({
  ...BASE,
  kind: "approval",
  message: "Publish {title}?",
  onTimeout: "fail",
  onReject: "fail",
  ...changes,
});
const decided = (approved: boolean, comment: string | null, by: string | null): WaitAnswer => ({
  for: "approval",
  decision: { approved, comment },
  by,
});

describe("approvalNode", () => {
  const ALL = [
    { name: "approved", type: { kind: "bool" } },
    { name: "comment", type: { kind: "str" } },
    { name: "by", type: { kind: "str" } },
  ] as const;

  test("execute() asks, for ever or until its limit from the attempt's begin", async () => {
    const step = createTestStep({ values: { title: "Tea" } });
    expect(await step.execute(approvalNode, approval())).toEqual({
      wait: { for: "approval", message: "Publish Tea?", untilMs: null },
    });
    expect(await step.execute(approvalNode, approval({ waitMs: 5_000 }))).toEqual({
      wait: { for: "approval", message: "Publish Tea?", untilMs: STARTED_AT + 5_000 },
    });
  });

  test.each([
    ["all by name", ALL, { approved: true, comment: "", by: "ann" }],
    ["one by name", [ALL[2]], { by: "ann" }],
    ["a bool of any name", [{ name: "ok", type: { kind: "bool" } }], { ok: true }],
    ["none", [], {}],
  ] as const)("resume() writes the decision: %s", async (_, outputs, patch) => {
    const step = createTestStep({ values: { title: "" } });
    const answer = decided(true, null, "ann");
    expect(await step.resume(approvalNode, approval({ outputs }), answer)).toEqual({ patch });
  });

  test("resume() fails with a rejection, or goes on with it", async () => {
    const step = createTestStep({ values: { title: "" } });
    const no = decided(false, "too long", "ann");
    expect(await failureOf(step.resume(approvalNode, approval(), no))).toMatchObject({
      code: "approval_rejected",
      message: "It was rejected by ann: too long",
    });
    expect(
      await failureOf(step.resume(approvalNode, approval(), decided(false, null, null))),
    ).toMatchObject({ message: "It was rejected." });
    const goes = approval({ onReject: "continue", outputs: ALL });
    expect(await step.resume(approvalNode, goes, no)).toEqual({
      patch: { approved: false, comment: "too long", by: "ann" },
    });
  });

  test("resume() after the limit does what the node says", async () => {
    const step = createTestStep({ values: { title: "" } });
    const outputs = [ALL[0]];
    expect(await failureOf(step.resume(approvalNode, approval(), EXPIRED))).toMatchObject({
      code: "timeout",
      message: "Nobody decided in time.",
    });
    const approve = approval({ onTimeout: "approve", outputs });
    expect(await step.resume(approvalNode, approve, EXPIRED)).toEqual({
      patch: { approved: true },
    });
    const reject = approval({ onTimeout: "reject", outputs });
    expect((await failureOf(step.resume(approvalNode, reject, EXPIRED))).code).toBe(
      "approval_rejected",
    );
    const quiet = approval({ onTimeout: "reject", onReject: "continue", outputs });
    expect(await step.resume(approvalNode, quiet, EXPIRED)).toEqual({ patch: { approved: false } });
  });
});

const waiting = (wait: WaitNode["wait"], changes: Partial<WaitNode> = {}): WaitNode => ({
  ...BASE,
  kind: "wait",
  wait,
  ...changes,
});

const until = (at: string) => waiting({ for: "time", at });

describe("waitNode", () => {
  const signal = { for: "signal", name: "paid-{id}", onTimeout: "fail" } as const;

  test("execute() counts a duration from the attempt's begin, and does not park for none", async () => {
    const step = createTestStep();
    expect(await step.execute(waitNode, waiting({ for: "duration", ms: 90 }))).toEqual({
      wait: { for: "timer", untilMs: STARTED_AT + 90 },
    });
    expect(await step.execute(waitNode, waiting({ for: "duration", ms: 0 }))).toEqual({
      patch: {},
    });
  });

  test("execute() waits for a time, not for one that has passed", async () => {
    const step = createTestStep({ values: { at: "2030-01-02T03:04:05+01:00" } });
    expect(await step.execute(waitNode, until("{at}"))).toEqual({
      wait: { for: "timer", untilMs: Date.UTC(2030, 0, 2, 2, 4, 5) },
    });
    expect(await step.execute(waitNode, until("2020-01-01"))).toEqual({ patch: {} });
  });

  test("render() refuses what is no time, and a signal name that is reserved or empty", () => {
    const step = createTestStep({ values: { id: "approval:x" } });
    expect(() => step.render(waitNode, until("tomorrow"))).toThrow("`tomorrow` is not a time.");
    const named = (name: string) => () =>
      step.render(waitNode, waiting({ for: "signal", name, onTimeout: "fail" }));
    expect(named("{id}")).toThrow("The signal name `approval:x` is reserved.");
    expect(named(" ")).toThrow("The signal has no name.");
  });

  test("resume() after a timer writes nothing", async () => {
    const step = createTestStep();
    const answer: WaitAnswer = { for: "timer" };
    expect(await step.resume(waitNode, waiting({ for: "duration", ms: 5 }), answer)).toEqual({
      patch: {},
    });
  });

  test("a signal's payload becomes the output; its limit is from the attempt's begin", async () => {
    const step = createTestStep({ values: { id: 7 } });
    expect(await step.execute(waitNode, waiting(signal))).toEqual({
      wait: { for: "signal", name: "paid-7", untilMs: null },
    });
    expect(await step.execute(waitNode, waiting({ ...signal, limitMs: 10 }))).toEqual({
      wait: { for: "signal", name: "paid-7", untilMs: STARTED_AT + 10 },
    });
    const outputs = [{ name: "sum", type: { kind: "int" } }] as const;
    const payload: WaitAnswer = { for: "signal", payload: { sum: 3, other: 1 } };
    expect(await step.resume(waitNode, waiting(signal, { outputs }), payload)).toEqual({
      patch: { sum: 3 },
    });
    const wrong: WaitAnswer = { for: "signal", payload: "three" };
    expect((await failureOf(step.resume(waitNode, waiting(signal, { outputs }), wrong))).code).toBe(
      "output_invalid",
    );
  });

  test("a signal that does not come fails the step, or is gone without", async () => {
    const step = createTestStep({ values: { id: 7 } });
    expect(await failureOf(step.resume(waitNode, waiting(signal), EXPIRED))).toMatchObject({
      code: "timeout",
      message: "The signal `paid-7` did not come in time.",
    });
    const goesOn = waiting({ ...signal, onTimeout: "continue" });
    expect(await step.resume(waitNode, goesOn, EXPIRED)).toEqual({ patch: {} });
  });
});

const calling = (changes: Partial<WorkflowCallNode> = {}): WorkflowCallNode => ({
  ...BASE,
  kind: "workflow",
  workflow: "child",
  arguments: { topics: "{topics}", title: "About {topics}", fixed: 1 },
  ...changes,
});

describe("workflowNode", () => {
  const child: Run = {
    ...RUN,
    id: "child1",
    workflowName: "child",
    state: "succeeded",
    values: { summary: "short", count: 2, data: { a: 1 } },
  };
  const ended = (changes: Partial<Run>): WaitAnswer => ({
    for: "run",
    run: { ...child, ...changes },
  });

  test("execute() starts one child, the same after a crash and another for another attempt", async () => {
    const started: ChildRun[] = [];
    const budget = { maxCostNanoUsd: 5 };
    const step = createTestStep({
      ports: { startChild: async (each) => void started.push(each) },
      values: { topics: ["a"] },
      step: { run: { ...RUN, overrides: { model: "m" } }, sharedBudget: () => budget },
    });
    const [first, again] = [
      await step.execute(workflowNode, calling()),
      await step.execute(workflowNode, calling()),
    ];
    const [one] = started;
    expect(first).toEqual({ wait: { for: "run", runId: one?.id ?? "" } });
    expect(again).toEqual(first);
    expect(one).toEqual({
      id: expect.stringMatching(/^[0-9a-z]{22}$/),
      workflow: "child",
      inputs: { topics: ["a"], title: 'About ["a"]', fixed: 1 },
      parent: { ...RUN, overrides: { model: "m" } },
      step: "n",
      overrides: { model: "m", budget },
    });
    const other = createTestStep({
      ports: { startChild: async (each) => void started.push(each) },
      values: { topics: ["a"] },
      step: { attempt: 2 },
    });
    await other.execute(workflowNode, calling());
    expect(new Set(started.map(({ id }) => id)).size).toBe(2);
  });

  test("execute() of a run that is to be cancelled fails nothing, and ends with the run", async () => {
    const asked = Promise.withResolvers<void>();
    const ending = new AbortController();
    const work = createTestStep({
      ports: {
        startChild: async () => {
          asked.resolve();
          throw new AppError("conflict", "The run is over and starts no more runs.");
        },
      },
      values: { topics: [] },
      step: { signal: ending.signal },
    }).execute(workflowNode, calling());
    await asked.promise;
    const reason = new RunAborted("cancelled");
    ending.abort(reason);
    expect(await reasonOf(work)).toBe(reason);
  });

  test("execute() stops at the deepest level", async () => {
    const started: ChildRun[] = [];
    const at = (depth: number) =>
      createTestStep({
        ports: { startChild: async (each) => void started.push(each) },
        values: { topics: [] },
        step: { run: { ...RUN, depth } },
      }).execute(workflowNode, calling());
    await at(RUN_DEPTH_MAX - 1);
    expect((await failureOf(at(RUN_DEPTH_MAX))).code).toBe("limit_reached");
    expect(started).toHaveLength(1);
  });

  test.each([
    ["by name", ["summary", "count"], { summary: "short", count: 2 }],
    ["one by name", ["count"], { count: 2 }],
    ["all as an object", ["everything"], { everything: child.values }],
    ["one that is an object", ["data"], { data: { a: 1 } }],
    ["none", [], {}],
  ] as const)("resume() writes the outputs: %s", async (_, names, patch) => {
    const kinds = { summary: "str", count: "int" } as const;
    const outputs = names.map((name) => ({
      name,
      type:
        name === "summary" || name === "count"
          ? { kind: kinds[name] }
          : ({ kind: "object", fields: [] } as const),
    }));
    const step = createTestStep({ values: { topics: "" } });
    expect(await step.resume(workflowNode, calling({ outputs }), ended({}))).toEqual({ patch });
  });

  test("resume() refuses outputs that the child does not have", async () => {
    const step = createTestStep({ values: { topics: "" } });
    const outputs = ["summary", "missing"].map((name) => ({
      name,
      type: { kind: "str" } as const,
    }));
    const failure = await failureOf(step.resume(workflowNode, calling({ outputs }), ended({})));
    expect(failure.code).toBe("output_invalid");
    expect(failure.message).toContain('"missing"');
  });

  test("resume() throws the child's error with its code and fix", async () => {
    const step = createTestStep({ values: { topics: "" } });
    const error = {
      code: "rate_limited",
      message: "Too fast.",
      fix: "Wait.",
      details: "x",
    } as const;
    expect(
      await failureOf(step.resume(workflowNode, calling(), ended({ state: "failed", error }))),
    ).toEqual({
      code: "rate_limited",
      message: "Run child1 of workflow `child` failed: Too fast.",
      fix: "Wait.",
    });
    expect(
      await failureOf(step.resume(workflowNode, calling(), ended({ state: "cancelled" }))),
    ).toMatchObject({
      code: "cancelled",
      message: "Run child1 of workflow `child` was cancelled.",
    });
  });
});
