import { describe, expect, test } from "bun:test";
import type { RunEvent, StoredEvent } from "../../src/domain/event.ts";
import type { Run } from "../../src/domain/run.ts";
import {
  advance,
  beginProgress,
  eventLine,
  headerLine,
  keptLines,
  liveLines,
  type Progress,
} from "../../src/cli/progress.ts";
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
  [2_500, { type: "step.succeeded", patch: { research: "…" }, ...research }],
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
const STORED: StoredEvent[] = EVENTS.map(([ms, event], index) => ({
  runId: RUN.id,
  seq: index + 1,
  at: CREATED + ms,
  event,
}));
const STYLE = { columns: 79, color: false };

test("progress on a terminal, event by event, is as in the golden file", async () => {
  let progress: Progress = beginProgress(RUN);
  const lines = [headerLine(progress, STYLE)];
  for (const stored of STORED) {
    const kept = keptLines(progress, stored, STYLE);
    progress = advance(progress, stored);
    const live = liveLines(progress, { ...STYLE, nowMs: stored.at + 50 });
    lines.push(`== ${stored.event.type}`, ...kept.map((line) => `+ ${line}`), ...live);
  }
  expectNarrow(lines.filter((line) => !line.startsWith("+ ")).join("\n"));
  expect(lines.join("\n")).not.toContain("\u001B");
  await expectGolden("progress-terminal.txt", `${lines.join("\n")}\n`);
});

test("progress elsewhere is a line per event, as in the golden file", async () => {
  let progress: Progress = beginProgress(RUN);
  const lines: string[] = [];
  for (const stored of STORED) {
    const line = eventLine(progress, stored);
    progress = advance(progress, stored);
    if (line !== undefined) lines.push(line);
  }
  expect(lines.length).toBe(STORED.filter(({ event }) => event.type !== "model.delta").length);
  await expectGolden("progress-plain.txt", `${lines.join("\n")}\n`);
});

test("advance() changes no state that it was given", () => {
  const states = [beginProgress(RUN)];
  for (const stored of STORED)
    states.push(advance(Object.freeze(states.at(-1) ?? beginProgress(RUN)), stored));
  const { usage: total, costNanoUsd, unpricedCount, demo, doneCount } = states.at(-1) ?? states[0]!;
  expect({ total, costNanoUsd, unpricedCount, demo, doneCount }).toEqual({
    total: { ...usage, input: 2400, output: 68 },
    costNanoUsd: 1_234_000,
    unpricedCount: 1,
    demo: true,
    doneCount: 1,
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
      duration_ms: 6900,
      created_at: "2026-09-21T14:13:20.000Z",
      started_at: "2026-09-21T14:13:20.100Z",
      finished_at: "2026-09-21T14:13:29.000Z",
    });
  });
});
