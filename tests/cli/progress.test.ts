import { describe, expect, test } from "bun:test";
import type { RunEvent, StoredEvent } from "../../src/domain/event.ts";
import type { Run } from "../../src/domain/run.ts";
import { eventLines, needsPerson } from "../../src/cli/event-text.ts";
import { advance, beginProgress, type Progress } from "../../src/cli/progress.ts";
import { headerLine, keptLines, liveLines } from "../../src/cli/progress-view.ts";
import { endingLines, outputLines, runDocument } from "../../src/cli/run-result.ts";
import { expectGolden, expectNarrow } from "./golden.ts";

const usage = { input: 1200, output: 34, cacheRead: 0, cacheWrite: 0, reasoning: 0 };
const CREATED = 1_790_000_000_000;
const RUN: Run = {
  id: "01k9x2abcdefghjk",
  workflowId: "01k9x2wwwwwwwwww",
  workflowName: "article_writer",
  versionHash: "0".repeat(64),
  nodeIds: ["research", "write"],
  state: "failed",
  waitingFor: null,
  dueAt: null,
  inputs: { topic: "AI Safety" },
  overrides: {},
  source: "cli",
  origin: null,
  depth: 0,
  rootId: "01k9x2abcdefghjk",
  wakeCount: 0,
  values: { topic: "AI Safety", article: "" },
  error: {
    code: "key_rejected",
    message: "OpenAI refused the key in OPENAI_API_KEY.",
    fix: "Make a new key and set OPENAI_API_KEY.",
  },
  cancelRequestedAt: null,
  createdAt: CREATED,
  startedAt: CREATED + 100,
  finishedAt: CREATED + 9_000,
  activeMs: 6_900,
  doneNodeIds: ["research"],
  worker: null,
  usage,
  costNanoUsd: 1_234_000,
  unpricedCount: 1,
};

const LONG = "A sentence that the model wrote, with a tab\tand an escape \u001B[2Jcode. ".repeat(6);
const write = { step: "write", attempt: 1 } as const;
const research = { step: "research", attempt: 1 } as const;
const EVENTS: [number, RunEvent][] = [
  [0, { type: "run.queued" }],
  [100, { type: "run.started", worker: "cli-1" }],
  [110, { type: "step.started", node: "research", ...research }],
  [120, { type: "model.started", call: 0, provider: "demo", model: "demo", ...research }],
  [300, { type: "model.delta", call: 0, text: LONG, ...research }],
  [
    400,
    {
      type: "model.finished",
      call: 0,
      usage,
      costNanoUsd: 1_234_000,
      durationMs: 280,
      ...research,
    },
  ],
  [410, { type: "tool.started", call: 1, tool: "serper_search", input: { q: "x" }, ...research }],
  [
    900,
    {
      type: "tool.finished",
      call: 1,
      tool: "serper_search",
      ok: false,
      durationMs: 490,
      ...research,
    },
  ],
  [2_500, { type: "step.succeeded", patch: { research: "…" }, next: ["write"], ...research }],
  [2_510, { type: "step.started", node: "write", ...write }],
  [2_520, { type: "model.started", call: 0, provider: "openai", model: "gpt-5-mini", ...write }],
  [
    3_000,
    {
      type: "step.failed",
      error: {
        code: "rate_limited",
        message: "OpenAI asks to wait: the limit on requests in a minute is used up for this key.",
      },
      retryAtMs: CREATED + 5_000,
      ...write,
    },
  ],
  [3_001, { type: "run.waiting", for: "rate_limit", untilMs: CREATED + 5_000 }],
  [5_100, { type: "run.recovered", worker: "worker-2" }],
  [5_110, { type: "step.started", node: "write", step: "write", attempt: 2 }],
  [
    5_120,
    {
      type: "model.started",
      call: 0,
      provider: "openai",
      model: "gpt-5-mini",
      step: "write",
      attempt: 2,
    },
  ],
  [
    5_500,
    {
      type: "model.finished",
      call: 0,
      usage,
      costNanoUsd: null,
      durationMs: 380,
      step: "write",
      attempt: 2,
    },
  ],
  [8_000, { type: "run.cancelling" }],
  [
    8_900,
    {
      type: "step.failed",
      error: { code: "key_rejected", message: "The key was refused." },
      step: "write",
      attempt: 2,
    },
  ],
  [9_000, { type: "run.failed", error: { code: "key_rejected", message: "The key was refused." } }],
];

const EACH = { step: "each", attempt: 1 } as const;
const ITEM = { step: "each[0]", attempt: 1 } as const;
const OTHER = { step: "each[1]", attempt: 1 } as const;
const ASK = { step: "ask", attempt: 1 } as const;
const WAIT = { step: "pause", attempt: 1 } as const;
const SIGNAL = { step: "hear", attempt: 1 } as const;
const CHILD = { step: "inner", attempt: 1 } as const;
const LOOP = { step: "improve#3", attempt: 1 } as const;
const OUTAGE = { code: "provider_unreachable", message: "OpenAI cannot be reached." } as const;
/** Everything that a graph adds: maps, loops, waits, decisions, other ways out of failures. */
const GRAPH_EVENTS: [number, RunEvent][] = [
  [0, { type: "run.queued" }],
  [0, { type: "run.forked", from: "01k9x2aaaaaaaaaa", fromStep: "each" }],
  [10, { type: "run.started", worker: "cli-1" }],
  [20, { type: "step.started", node: "each", itemCount: 2, ...EACH }],
  [30, { type: "step.started", node: "each", ...ITEM }],
  [30, { type: "step.started", node: "each", ...OTHER }],
  [40, { type: "model.started", call: 0, provider: "openai", model: "gpt-5-mini", ...ITEM }],
  [
    50,
    {
      type: "model.fallback",
      call: 0,
      provider: "openai",
      model: "gpt-5-mini",
      error: OUTAGE,
      ...ITEM,
    },
  ],
  [60, { type: "model.started", call: 1, provider: "ollama", model: "llama3.2", ...ITEM }],
  [90, { type: "model.finished", call: 1, usage, costNanoUsd: 0, durationMs: 30, ...ITEM }],
  [
    95,
    {
      type: "model.finished",
      call: 0,
      usage,
      costNanoUsd: 0,
      durationMs: 30,
      cached: true,
      ...OTHER,
    },
  ],
  [100, { type: "step.succeeded", patch: {}, next: [], ...ITEM }],
  [110, { type: "step.failed", error: OUTAGE, next: [], ...OTHER }],
  [120, { type: "step.succeeded", patch: {}, next: ["run_it"], ...EACH }],
  [130, { type: "step.started", node: "run_it", step: "run_it", attempt: 1 }],
  [140, { type: "tool.started", call: 0, tool: "cli", input: {}, step: "run_it", attempt: 1 }],
  [
    150,
    {
      type: "output.delta",
      call: 0,
      stream: "stdout",
      text: "compiling\n",
      step: "run_it",
      attempt: 1,
    },
  ],
  [
    900,
    {
      type: "tool.finished",
      call: 0,
      tool: "cli",
      ok: true,
      durationMs: 760,
      step: "run_it",
      attempt: 1,
    },
  ],
  [
    910,
    {
      type: "step.failed",
      error: { code: "invalid", message: "No." },
      retryAtMs: CREATED + 900,
      step: "run_it",
      attempt: 1,
    },
  ],
  [1_000, { type: "step.skipped", step: "maybe", node: "maybe" }],
  [1_010, { type: "loop.exhausted", iterationCount: 3, ...LOOP }],
  [1_100, { type: "step.started", node: "ask", ...ASK }],
  [
    1_110,
    {
      type: "step.waiting",
      wait: {
        for: "approval",
        message: "Publish?\n\nAll of it.",
        untilMs: CREATED + 1_110 + 13 * 86_400_000,
      },
      ...ASK,
    },
  ],
  [1_120, { type: "step.started", node: "pause", ...WAIT }],
  [1_130, { type: "step.waiting", wait: { for: "timer", untilMs: CREATED + 3_130 }, ...WAIT }],
  [1_140, { type: "step.started", node: "hear", ...SIGNAL }],
  [
    1_150,
    {
      type: "step.waiting",
      wait: { for: "signal", name: "paid", untilMs: CREATED + 6_150 },
      ...SIGNAL,
    },
  ],
  [1_160, { type: "step.started", node: "inner", ...CHILD }],
  [1_170, { type: "step.waiting", wait: { for: "run", runId: "01k9x2bbbbbbbbbb" }, ...CHILD }],
  [1_180, { type: "run.waiting", for: "approval", untilMs: CREATED + 3_130 }],
  [
    2_000,
    {
      type: "approval.decided",
      approved: false,
      comment: "too long",
      by: "dashboard",
      step: "ask",
    },
  ],
  [2_000, { type: "run.started", worker: "cli-1" }],
  [2_010, { type: "step.started", node: "ask", ...ASK }],
  [
    2_020,
    {
      type: "step.failed",
      error: { code: "approval_rejected", message: "Step `ask` failed: rejected: too long" },
      next: ["write"],
      ...ASK,
    },
  ],
  [2_030, { type: "signal.received", name: "paid", by: "command line" }],
  [2_040, { type: "step.started", node: "hear", ...SIGNAL }],
  [2_050, { type: "step.succeeded", patch: {}, next: ["END"], ...SIGNAL }],
  [2_100, { type: "step.started", node: "write", step: "write#2", attempt: 1 }],
  [2_110, { type: "step.waiting", wait: { for: "budget" }, step: "write#2", attempt: 1 }],
  [2_120, { type: "run.waiting", for: "budget", untilMs: null }],
  [9_000, { type: "run.resumed", by: "dashboard" }],
  [9_010, { type: "run.started", worker: "worker-1" }],
  [9_020, { type: "run.resumed", by: "command line", from: "ask" }],
  [9_030, { type: "run.succeeded", outputs: {} }],
];

function storedEvents(events: readonly (readonly [number, RunEvent])[]): StoredEvent[] {
  return events.map(([ms, event], index) => ({
    runId: RUN.id,
    seq: index + 1,
    at: CREATED + ms,
    event,
  }));
}
const STORED = storedEvents(EVENTS);
const GRAPH_RUN: Run = {
  ...RUN,
  nodeIds: ["each", "run_it", "maybe", "improve", "ask", "pause", "hear", "inner", "write"],
};
const STYLE = { columns: 79, color: false, asks: false };

const CASES: [name: string, run: Run, events: StoredEvent[]][] = [
  ["", RUN, STORED],
  ["-graph", GRAPH_RUN, storedEvents(GRAPH_EVENTS)],
];

test.each(CASES)(
  "progress%s on a terminal, event by event, is as in the golden file",
  async (name, run, events) => {
    let progress: Progress = beginProgress(run);
    const lines = [headerLine(progress, STYLE)];
    for (const event of events) {
      const kept = keptLines(progress, event, STYLE);
      progress = advance(progress, event);
      const live = liveLines(progress, { ...STYLE, nowMs: event.at + 50 });
      lines.push(`== ${event.event.type}`, ...kept.map((line) => `+ ${line}`), ...live);
    }
    expectNarrow(lines.filter((line) => !line.startsWith("+ ")).join("\n"));
    expect(lines.join("\n")).not.toContain("\u001B");
    await expectGolden(`progress${name}-terminal.txt`, `${lines.join("\n")}\n`);
  },
);

test.each(CASES)(
  "progress%s elsewhere is a line per event, as in the golden file",
  async (name, run, events) => {
    let progress: Progress = beginProgress(run);
    const lines: string[] = [];
    for (const event of events) {
      const added = eventLines(progress, event);
      progress = advance(progress, event);
      expect(added.length > 0).toBe(!event.event.type.endsWith(".delta"));
      lines.push(...added);
    }
    await expectGolden(`progress${name}-plain.txt`, `${lines.join("\n")}\n`);
  },
);

test("an answer that the terminal asks for itself is shown without commands", () => {
  const asked = storedEvents(GRAPH_EVENTS).find(({ event }) => event.type === "step.waiting");
  if (asked === undefined) throw new Error("nothing waits");
  expect(keptLines(beginProgress(GRAPH_RUN), asked, { ...STYLE, asks: true })).toEqual([
    "? ask: Publish?",
    "",
    "    All of it.",
  ]);
});

test("only what waits for a person is told where no progress is shown", () => {
  const told = GRAPH_EVENTS.flatMap(([, event]) =>
    needsPerson(event) && "step" in event ? [event.step] : [],
  );
  expect(told).toEqual(["ask", "hear", "write#2"]);
});

test("a map shows how many of its items have ended, and many steps leave room for the summary", () => {
  const items = Array.from({ length: 40 }, (_, index): [number, RunEvent] => [
    30,
    { type: "step.started", node: "each", step: `each[${index}]`, attempt: 1 },
  ]);
  const ended = items
    .slice(0, 5)
    .map((_, index): [number, RunEvent] => [
      40,
      { type: "step.succeeded", patch: {}, next: [], step: `each[${index}]`, attempt: 1 },
    ]);
  const begun: [number, RunEvent] = [
    20,
    { type: "step.started", node: "each", itemCount: 40, ...EACH },
  ];
  const progress = storedEvents([begun, ...items, ...ended]).reduce(
    advance,
    beginProgress(GRAPH_RUN),
  );
  const lines = liveLines(progress, { ...STYLE, nowMs: CREATED + 100 });
  expect(lines[0]).toContain("5 of 40 items");
  expect(lines.at(-2)).toBe("  and 26 steps more");
  expect(lines).toHaveLength(12);
});

test("advance() changes no state that it was given", () => {
  const states = [beginProgress(RUN)];
  for (const stored of STORED)
    states.push(advance(Object.freeze(states.at(-1) ?? beginProgress(RUN)), stored));
  const {
    usage: total,
    costNanoUsd,
    unpricedCount,
    demo,
    doneNodeIds,
  } = states.at(-1) ?? states[0]!;
  expect({ total, costNanoUsd, unpricedCount, demo, doneNodeIds }).toEqual({
    total: { ...usage, input: 2400, output: 68 },
    costNanoUsd: 1_234_000,
    unpricedCount: 1,
    demo: true,
    doneNodeIds: ["research"],
  });
});

describe("the result", () => {
  test("as text is as in the golden file", async () => {
    const outputs = {
      article: "First paragraph.\n\nSecond paragraph \u001B[31mred\u001B[0m.\n",
      word_count: 300,
      tags: ["a", "b"],
      nothing: null,
    };
    const lines = [
      ...endingLines(RUN, { demo: true }, { ...STYLE, verbose: false }),
      ...outputLines(outputs, STYLE),
      ...outputLines("only text", STYLE),
      ...outputLines(null, STYLE),
    ];
    expectNarrow(lines.join("\n"));
    await expectGolden("result.txt", `${lines.join("\n")}\n`);
  });

  test("as JSON has the documented keys", () => {
    expect(runDocument(RUN, { outputs: null, demo: false })).toEqual({
      id: RUN.id,
      workflow: "article_writer",
      state: "failed",
      waiting_for: null,
      due_at: null,
      outputs: null,
      error: RUN.error,
      usage: {
        input_tokens: 1200,
        output_tokens: 34,
        cache_read_tokens: 0,
        cache_write_tokens: 0,
        reasoning_tokens: 0,
        total_tokens: 1234,
      },
      cost_usd: 0.001234,
      cost_complete: false,
      demo: false,
      inputs: { topic: "AI Safety" },
      values: { topic: "AI Safety", article: "" },
      source: "cli",
      origin: null,
      depth: 0,
      duration_ms: 6900,
      created_at: "2026-09-21T14:13:20.000Z",
      started_at: "2026-09-21T14:13:20.100Z",
      finished_at: "2026-09-21T14:13:29.000Z",
    });
  });
});
