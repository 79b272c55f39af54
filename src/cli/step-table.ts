/** The steps of a run as rows and as JSON. Pure. */
import { mapKeyOf } from "../domain/event.ts";
import type { StepAttempt, Wait } from "../domain/run.ts";
import { isJsonObject } from "../lib/json.ts";
import { waitWords } from "./event-text.ts";
import {
  cut,
  formatCount,
  formatCost,
  formatDuration,
  formatTable,
  formatTime,
  formatTokens,
  plural,
  printable,
  toUsd,
} from "./format.ts";
import { addTotals, isFree } from "./totals.ts";
import { toIso } from "./run-result.ts";

/** Items of a map that have a row each; of more, only those that did not simply succeed. */
const ITEM_COUNT_MAX = 10;
const PROBLEM_COUNT_MAX = 10;
const REASON_INDENT = " ".repeat(6);

/** A row per attempt, with the reason below one that failed; the items of a map stand below it. */
export function stepLines(
  steps: readonly StepAttempt[],
  style: { readonly columns: number; readonly nowMs: number },
): string[] {
  const items = Map.groupBy(steps, ({ key }) => mapKeyOf(key));
  const own = items.get(undefined) ?? [];
  const rows = own.flatMap((step) => {
    const inner = items.get(step.key) ?? [];
    return [stepRow(step, inner, style.nowMs)].concat(itemRows(inner, style.nowMs));
  });
  const lines = formatTable(
    rows.map(({ cells }) => cells),
    style.columns,
  );
  return rows.flatMap(({ reason }, index) => {
    const line = lines[index] ?? "";
    return reason === "" ? [line] : [line, cut(`${REASON_INDENT}${reason}`, style.columns)];
  });
}

interface Row {
  readonly cells: readonly string[];
  readonly reason: string;
}

function stepRow(step: StepAttempt, items: readonly StepAttempt[], nowMs: number): Row {
  const totals = items.reduce(addTotals, step);
  const cells = [
    `  ${step.key}`,
    stateText(step),
    step.state === "skipped" ? "" : formatDuration((step.finishedAt ?? nowMs) - step.startedAt),
    ...(isFree(totals) ? ["", ""] : [formatTokens(totals), formatCost(totals)]),
    itemText(step, items),
  ];
  return { cells, reason: reasonOf(step) };
}

/** `3 items`, of a map that goes on `12 of 50 items`; those that have not begun are in what it was given. */
function itemText(map: StepAttempt, items: readonly StepAttempt[]): string {
  if (items.length === 0) return "";
  const given = isJsonObject(map.input) ? map.input["items"] : undefined;
  const newest = new Map(items.map((item) => [item.key, item]));
  const ended = [...newest.values()].filter(({ next }) => next !== null).length;
  const all = Math.max(newest.size, Array.isArray(given) ? given.length : 0);
  return ended === all ? plural(all, "item") : `${formatCount(ended)}/${plural(all, "item")}`;
}

function itemRows(items: readonly StepAttempt[], nowMs: number): Row[] {
  const notable = items.filter(({ state }) => state !== "succeeded" && state !== "superseded");
  const shown = items.length <= ITEM_COUNT_MAX ? items : notable.slice(0, PROBLEM_COUNT_MAX);
  const rows = shown.map((item): Row => {
    const { cells, reason } = stepRow(item, [], nowMs);
    return { cells: cells.map((cell, index) => (index === 0 ? `  ${cell}` : cell)), reason };
  });
  const hidden = items.length - shown.length;
  if (hidden === 0) return rows;
  const what = notable.length > shown.length ? "items" : "succeeded";
  return [...rows, { cells: [`    … ${hidden} more`, what, "", "", "", ""], reason: "" }];
}

function stateText({ state, attempt, wait, retryAt }: StepAttempt): string {
  const tries = attempt > 1 ? ` (attempt ${attempt})` : "";
  if (state === "waiting" && wait !== null) return `waiting: ${wait.for.replace("_", " ")}${tries}`;
  return state === "failed" && retryAt !== null ? `failed, again soon${tries}` : state + tries;
}

/** Without the name of the step, which the row has. */
function reasonOf({ key, error }: StepAttempt): string {
  const named = `Step \`${key}\` failed: `;
  const text = printable(error?.message ?? "").replaceAll(/\s+/g, " ");
  return text.startsWith(named) ? text.slice(named.length) : text;
}

/** What a waiting step waits for, as a sentence. */
export function waitSentence(key: string, wait: Wait): string {
  const until =
    "untilMs" in wait && wait.untilMs !== null ? ` until ${formatTime(wait.untilMs)}` : "";
  if (wait.for === "approval") return `${key} asks for an approval${until}: ${wait.message}`;
  return `${key} waits${until} for ${waitWords(wait)}`;
}

/** One attempt in the JSON of a run. */
export function stepDocument(step: StepAttempt) {
  const { wait, startedAt, finishedAt } = step;
  return {
    step: step.key,
    node: step.nodeId,
    attempt: step.attempt,
    state: step.state,
    error: step.error,
    input_tokens: step.usage.input,
    output_tokens: step.usage.output,
    cost_usd: toUsd(step.costNanoUsd),
    cost_complete: step.unpricedCount === 0,
    wait: wait === null ? null : waitDocument(wait),
    next: step.next,
    retry_at: toIso(step.retryAt),
    started_at: toIso(startedAt),
    finished_at: toIso(finishedAt),
    duration_ms: finishedAt === null ? null : finishedAt - startedAt,
  };
}

function waitDocument(wait: Wait) {
  return {
    for: wait.for,
    ...("untilMs" in wait ? { until: toIso(wait.untilMs) } : {}),
    ...(wait.for === "approval" ? { message: wait.message } : {}),
    ...(wait.for === "signal" ? { name: wait.name } : {}),
    ...(wait.for === "run" ? { run: wait.runId } : {}),
  };
}
