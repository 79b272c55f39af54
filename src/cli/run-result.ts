/** What `run` and `runs ID` say about a run that they read: as JSON, and as text. */
import { createColors } from "picocolors";
import { ERROR_CODES } from "../domain/error.ts";
import { type Run, RUN_STATES_FINAL, WAITING_WORDS } from "../domain/run.ts";
import { isJsonObject, type Json } from "../lib/json.ts";
import { wrapText } from "../lib/wrap-text.ts";
import type { CommandContext } from "./command.ts";
import { formatFailure } from "./error.ts";
import { DEMO_NOTICE } from "./event-text.ts";
import type { Followed } from "./follow-live.ts";
import { formatCost, formatDuration, formatTokens, printable, toUsd } from "./format.ts";
import type { Progress } from "./progress.ts";
import type { Style } from "./progress-view.ts";
import { columnsOf, print, printError } from "./terminal.ts";

/** The one JSON document about a run. */
export function runDocument(run: Run, progress: Pick<Progress, "outputs" | "demo">) {
  return {
    id: run.id,
    workflow: run.workflowName,
    state: run.state,
    waiting_for: run.waitingFor,
    due_at: toIso(run.dueAt),
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
    source: run.source,
    /** The run that it comes from, and of a fork or child the step. */
    origin:
      run.origin === null
        ? null
        : { kind: run.origin.kind, run: run.origin.runId, step: run.origin.step ?? null },
    /** How many runs it is inside of. */
    depth: run.depth,
    duration_ms: run.activeMs,
    created_at: toIso(run.createdAt),
    started_at: toIso(run.startedAt),
    finished_at: toIso(run.finishedAt),
  };
}

export function toIso(at: number | null): string | null {
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
  const lines = [`${paint(`Run ${run.id} ${stateText(run)}`)} (${facts})`];
  if (progress.demo) lines.push(colors.yellow(DEMO_NOTICE));
  if (run.error !== null) {
    const { details, ...failure } = run.error;
    const shown = verbose && details !== undefined ? { ...failure, details } : failure;
    lines.push(formatFailure(shown, style));
  }
  return lines;
}

/** `succeeded`, `waiting for an approval`. */
function stateText({ state, waitingFor }: Run): string {
  if (state !== "waiting" || waitingFor === null) return state;
  return `waiting for ${WAITING_WORDS[waitingFor]}`;
}

/** How a run goes on that nobody follows any more. */
function unfinishedText(run: Run, served: boolean): string {
  const { id, state, waitingFor } = run;
  const what =
    state === "waiting" && waitingFor !== null
      ? `It waits for ${WAITING_WORDS[waitingFor]}`
      : "It has not ended";
  const answer =
    state === "waiting" && waitingFor === "approval" ? `\`agents approve ${id}\` answers; ` : "";
  const next = served
    ? `a worker of the server goes on with it; \`agents runs ${id}\` shows it.`
    : `no server is running: \`agents resume ${id}\` goes on with it.`;
  return `Run ${id} is left. ${what}; ${answer}${next}`;
}

/** Prints the result of a run that was followed. @returns the exit code that its state means. */
export function reportRun(
  {
    flags,
    global,
    terminal,
  }: { flags: { readonly json?: boolean | undefined } } & Pick<
    CommandContext,
    "global" | "terminal"
  >,
  { run: ended, progress, served }: Pick<Followed, "run" | "progress"> & { served: boolean },
): number {
  if (!RUN_STATES_FINAL.includes(ended.state)) {
    const columns = columnsOf(terminal.errorOutput);
    for (const line of wrapText(unfinishedText(ended, served), columns)) printError(terminal, line);
    return ERROR_CODES.cancelled.exit;
  }
  if (flags.json) print(terminal, JSON.stringify(runDocument(ended, progress), null, 2));
  else {
    const style = { columns: columnsOf(terminal.output), color: terminal.color };
    const verbose = global.verbose === true;
    for (const line of endingLines(ended, progress, { ...style, verbose }))
      printError(terminal, line);
    for (const line of outputLines(progress.outputs, style)) print(terminal, line);
  }
  if (ended.state === "succeeded") return 0;
  if (ended.state === "failed") return ERROR_CODES[ended.error?.code ?? "run_failed"].exit;
  return ERROR_CODES.cancelled.exit;
}
