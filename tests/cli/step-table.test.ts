import { expect, test } from "bun:test";
import { formatDuration, formatTable } from "../../src/cli/format.ts";
import { stepDocument, stepLines } from "../../src/cli/step-table.ts";
import { NOW, step } from "../views/fixtures.ts";
import { GRAPH_RUNS } from "../views/graph-fixtures.ts";
import { expectGolden, expectNarrow } from "./golden.ts";

test("steps of maps, loops, waits and runs inside are as in the golden file, none wider than 80", async () => {
  const parts = ["run-graph", "run-map", "run-inner", "run-budget"].map((name) => {
    const lines = stepLines(GRAPH_RUNS[name]?.steps ?? [], { columns: 80, nowMs: NOW });
    expect(lines.length).toBeLessThan(40);
    return `== ${name}\n${lines.join("\n")}\n`;
  });
  const text = parts.join("");
  expectNarrow(text);
  await expectGolden("steps.txt", text);
});

test("stepDocument() says what a step waits for, and where it leads", () => {
  const wait = { for: "approval", message: "May I?", untilMs: NOW } as const;
  const waiting = step("ask", { state: "waiting", wait, finishedAt: null, patch: null });
  expect(stepDocument(waiting)).toEqual({
    step: "ask",
    node: "ask",
    attempt: 1,
    state: "waiting",
    error: null,
    input_tokens: 3120,
    output_tokens: 640,
    cost_usd: 0.012,
    cost_complete: true,
    wait: { for: "approval", until: new Date(NOW).toISOString(), message: "May I?" },
    next: null,
    retry_at: null,
    started_at: new Date(NOW - 88_000).toISOString(),
    finished_at: null,
    duration_ms: null,
  });
});

test("formatTable() keeps the first column whole as long as the others can give way", () => {
  const id = "01k9x2abcdefghjkmnpqrs";
  const [line = ""] = formatTable([[id, "x".repeat(60), "short"]], 50);
  expect([line.startsWith(id), line.length]).toEqual([true, 50]);
  const [narrow = ""] = formatTable([[id, "x".repeat(60), "short"]], 24);
  expect(narrow.length).toBeLessThanOrEqual(24);
});

test.each([
  [950, "950 ms"],
  [59_000, "59.0 s"],
  [23 * 3_600_000, "23 h 0 min"],
  [14 * 86_400_000 - 1, "13 d 23 h"],
])("formatDuration(%p) is %p", (ms, text) => {
  expect(formatDuration(ms)).toBe(text);
});
