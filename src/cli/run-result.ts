/** What `run` and `runs ID` say about a run that they read: as JSON, and as text. */
import { createColors } from "picocolors";
import type { Run } from "../domain/run.ts";
import { isJsonObject, type Json } from "../lib/json.ts";
import { formatFailure } from "./error.ts";
import { formatCost, formatDuration, formatTokens, printable, toUsd } from "./format.ts";
import { DEMO_NOTICE, type Progress, type Style } from "./progress.ts";

/** The one JSON document about a run. */
export function runDocument(run: Run, progress: Pick<Progress, "outputs" | "demo">) {
  return {
    id: run.id,
    workflow: run.workflowName,
    state: run.state,
    outputs: progress.outputs,
    error: run.error,
    usage: {
      input_tokens: run.usage.input,
      output_tokens: run.usage.output,
      cache_read_tokens: run.usage.cacheRead,
      cache_write_tokens: run.usage.cacheWrite,
      reasoning_tokens: run.usage.reasoning,
      total_tokens: run.usage.input + run.usage.output,
    },
    cost_usd: toUsd(run.costNanoUsd),
    /** False: the prices of some calls are not known, the cost is a lower bound. */
    cost_complete: run.unpricedCount === 0,
    /** True: the demo provider answered, no real AI was called. */
    demo: progress.demo,
    inputs: run.inputs,
    values: run.values,
    duration_ms: run.activeMs,
    created_at: toIso(run.createdAt),
    started_at: toIso(run.startedAt),
    finished_at: toIso(run.finishedAt),
  };
}

function toIso(at: number | null): string | null {
  return at === null ? null : new Date(at).toISOString();
}

/** Each output under its name; texts as they are, the rest as JSON. */
export function outputLines(outputs: Json, style: Style): string[] {
  const colors = createColors(style.color);
  if (!isJsonObject(outputs)) return outputs === null ? [] : valueLines(outputs);
  return Object.entries(outputs).flatMap(([name, value]) => {
    const lines = valueLines(value);
    const label = colors.bold(`${name}:`);
    const short = lines.length === 1 && name.length + 2 + (lines[0] ?? "").length <= style.columns;
    if (short) return [`${label} ${lines[0]}`];
    return [label].concat(lines.map((line) => `  ${line}`.trimEnd()));
  });
}

function valueLines(value: Json): string[] {
  const text = typeof value === "string" ? value : JSON.stringify(value, null, 2);
  return printable(text).trimEnd().split("\n");
}

/** How the run ended: `succeeded in 3.2 s, 1,234 tokens, $0.0012`, and the failure when it has one. */
export function endingLines(
  run: Run,
  progress: Pick<Progress, "demo">,
  { verbose, ...style }: Style & { readonly verbose: boolean },
): string[] {
  const colors = createColors(style.color);
  const paint =
    run.state === "succeeded" ? colors.green : run.state === "failed" ? colors.red : colors.yellow;
  const facts = [formatDuration(run.activeMs), formatTokens(run), formatCost(run)].join(", ");
  const lines = [`${paint(`Run ${run.id} ${run.state}`)} (${facts})`];
  if (progress.demo) lines.push(colors.yellow(DEMO_NOTICE));
  if (run.error !== null) {
    const { details, ...failure } = run.error;
    const shown = verbose && details !== undefined ? { ...failure, details } : failure;
    lines.push(formatFailure(shown, style));
  }
  return lines;
}
