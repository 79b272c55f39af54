/** Questions at a terminal, answered by key presses, over approvals that are kept in memory. */
import { describe, expect, test } from "bun:test";
import { askApprovals } from "../../src/cli/ask-approvals.ts";
import { watchInner } from "../../src/cli/pending-within.ts";
import { AppError } from "../../src/domain/error.ts";
import type { Decision, PendingApproval, Run, RunStore } from "../../src/domain/run.ts";
import { systemClock } from "../../src/lib/clock.ts";
import { createTestTerminal } from "./terminal.ts";

type Runs = Pick<RunStore, "get" | "pendingApprovals" | "decide">;

const RUN: Run = {
  id: "outer",
  workflowId: "w",
  workflowName: "gate",
  versionHash: "0",
  nodeIds: ["ask"],
  state: "waiting",
  waitingFor: "approval",
  dueAt: null,
  inputs: {},
  overrides: {},
  source: "cli",
  origin: null,
  depth: 0,
  rootId: "outer",
  wakeCount: 0,
  values: {},
  error: null,
  cancelRequestedAt: null,
  createdAt: 0,
  startedAt: 0,
  finishedAt: null,
  activeMs: 0,
  doneNodeIds: [],
  worker: null,
  usage: { input: 0, output: 0, cacheRead: 0, cacheWrite: 0, reasoning: 0 },
  costNanoUsd: 0,
  unpricedCount: 0,
};
const INNER: Run = { ...RUN, id: "inner", depth: 1 };
const OTHER: Run = { ...RUN, id: "other", rootId: "other" };

function pending(runId: string, key = "ask"): PendingApproval {
  const at = { askedAt: 1, untilMs: null };
  return { runId, workflowName: "gate", key, nodeId: key, message: `May ${runId}?`, ...at };
}

/** @param asked What waits at the beginning. */
function createRuns(asked: readonly PendingApproval[]) {
  let open = asked;
  const decisions: (Decision & { runId: string; key: string; by: string | null })[] = [];
  const take = (runId: string, key: string) => {
    const before = open.length;
    open = open.filter((one) => one.runId !== runId || one.key !== key);
    return open.length < before;
  };
  const runs: Runs = {
    get: async (id) => [RUN, INNER, OTHER].find((run) => run.id === id),
    pendingApprovals: async ({ runId }) =>
      open.filter((one) => runId === undefined || one.runId === runId),
    async decide(runId, key, decision) {
      if (!take(runId, key)) throw new AppError("conflict", "It has been rejected.");
      decisions.push({ runId, key, ...decision });
      const { at, payload } = { at: 2, payload: null };
      return { seq: 1, name: `approval:${key}`, payload, at, by: decision.by, consumedBy: null };
    },
  };
  return { runs, decisions, take, isAnswered: () => open.length === 0 };
}

/** Starts asking; `calls` are what it told its surroundings. */
function start(asked: readonly PendingApproval[]) {
  const { terminal, ...person } = createTestTerminal();
  const store = createRuns(asked);
  const ended = new AbortController();
  const calls: string[] = [];
  const called = (call: string) => () => {
    calls.push(call);
    ended.abort();
  };
  const done = askApprovals(RUN, {
    runs: store.runs,
    clock: systemClock,
    // The questions go to standard error; the helper reads standard output.
    terminal: { input: terminal.input, errorOutput: terminal.output },
    by: "command line",
    signal: ended.signal,
    isWaiting() {
      if (store.isAnswered()) ended.abort();
      return !ended.signal.aborted;
    },
    begin: () => calls.push("begin"),
    end: (notice) => calls.push(notice === undefined ? "end" : `end: ${notice}`),
    onLeave: called("leave"),
    onInterrupt: called("interrupt"),
  });
  return { ...store, ...person, calls, done };
}

describe("askApprovals()", () => {
  test("approves without a comment", async () => {
    const asking = start([pending("outer")]);
    await asking.asks("Your answer to ask");
    asking.press("return");
    await asking.done;
    expect(asking.decisions).toEqual([
      { runId: "outer", key: "ask", approved: true, comment: null, by: "command line" },
    ]);
    expect(asking.calls).toEqual(["begin", "end"]);
  });

  test("rejects with the reason that was typed", async () => {
    const asking = start([pending("outer")]);
    await asking.asks("Your answer to ask");
    asking.press("down");
    asking.press("return");
    await asking.asks("Why?");
    asking.type("no news");
    asking.press("return");
    await asking.done;
    expect(asking.decisions).toMatchObject([{ approved: false, comment: "no news" }]);
  });

  test("asks what the runs inside of it ask, with their question, and nothing of others", async () => {
    const asking = start([pending("inner"), pending("outer")]);
    await asking.asks("ask of run inner: May inner?");
    asking.press("return");
    await asking.asks("Your answer to ask");
    asking.press("return");
    await asking.done;
    expect(asking.decisions.map(({ runId }) => runId)).toEqual(["inner", "outer"]);
  });

  test("leaves it waiting when the person wants to go", async () => {
    const asking = start([pending("outer")]);
    await asking.asks("Your answer to ask");
    asking.press("up");
    asking.press("return");
    await asking.done;
    expect(asking.decisions).toEqual([]);
    expect(asking.calls).toEqual(["begin", "end", "leave"]);
  });

  test("passes Ctrl-C on", async () => {
    const asking = start([pending("outer")]);
    await asking.asks("Your answer to ask");
    asking.cancel();
    await asking.done;
    expect(asking.calls).toEqual(["begin", "end", "interrupt"]);
  });

  test("ends the question when somebody else has answered", async () => {
    const asking = start([pending("outer")]);
    await asking.asks("Your answer to ask");
    asking.take("outer", "ask");
    await asking.done;
    expect(asking.decisions).toEqual([]);
    expect(asking.calls).toEqual(["begin", "end"]);
  });

  test("says so when its answer came too late", async () => {
    const asking = start([pending("outer")]);
    await asking.asks("Your answer to ask");
    asking.press("down");
    asking.take("outer", "ask");
    asking.press("up");
    asking.press("return");
    await asking.done;
    expect(asking.calls).toEqual(["begin", "end: It has been rejected."]);
  });
});

test("watchInner() tells each approval of a run inside once, and nothing of the run itself", async () => {
  const { runs } = createRuns([
    pending("outer"),
    pending("inner"),
    pending("other"),
    pending("inner", "again"),
  ]);
  const ended = new AbortController();
  const told: string[] = [];
  let looks = 0;
  await watchInner(RUN, {
    runs,
    clock: { now: () => 0, sleep: async () => undefined },
    signal: ended.signal,
    isWaiting() {
      looks += 1;
      if (looks > 4) ended.abort();
      return true;
    },
    onAsked: ({ runId, key }) => told.push(`${runId} ${key}`),
  });
  expect(told).toEqual(["inner ask", "inner again"]);
});
