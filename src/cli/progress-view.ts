/** The progress of a run on a terminal: lines that stay, and the lines of the live region. Pure. */
import { createColors } from "picocolors";
import { isItemKey, type RunEvent, type StoredEvent } from "../domain/event.ts";
import { wrapText } from "../lib/wrap-text.ts";
import { againText, DEMO_NOTICE, exhaustedText, failureText, waitCommands } from "./event-text.ts";
import { cut, formatCost, formatDuration, formatTokens, pad, plural, printable } from "./format.ts";
import type { ActiveStep, Progress } from "./progress.ts";
import { isFree } from "./totals.ts";

const SPINNER = ["◐", "◓", "◑", "◒"];
const SPINNER_MS = 120;
/** How many lines of a streaming answer are shown, as long as not many steps are on. */
const TEXT_ROWS = 4;
const TEXT_STEP_COUNT_MAX = 3;
/** How many steps that are on have a line. */
const ACTIVE_ROWS_MAX = 10;
const INDENT = "    ";

export interface Style {
  readonly columns: number;
  readonly color: boolean;
}

/** How a run is shown while it goes on. */
export interface LiveStyle extends Style {
  /** Approvals are asked for in the terminal itself: no command is needed for them. */
  readonly asks: boolean;
}

/** `Run 01k9… of article_writer`, printed once. */
export function headerLine(progress: Progress, style: Style): string {
  const colors = createColors(style.color);
  return cut(
    `Run ${colors.bold(progress.runId)} of ${printable(progress.workflowName)}`,
    style.columns,
  );
}

/** Lines that an event leaves above the live region; `before` is the state before the event. */
export function keptLines(before: Progress, stored: StoredEvent, style: LiveStyle): string[] {
  const colors = createColors(style.color);
  const { event } = stored;
  if (event.type === "run.recovered") {
    return [
      cut(colors.yellow(`↻ Its worker died; ${event.worker} goes on with it.`), style.columns),
    ];
  }
  if (event.type === "model.started" && event.provider === "demo" && !before.demo)
    return [colors.yellow(`! ${DEMO_NOTICE}`)];
  if (event.type === "step.skipped")
    return [cut(colors.dim(`- ${nameOf(before, event.step)}  skipped`), style.columns)];
  if (event.type === "step.waiting") return waitLines(before, event, style);
  if (event.type === "step.succeeded") return successLines(before, stored, style);
  if (event.type === "step.failed") return failureLines(event, stored.at, style);
  return noticeLines(event, style);
}

/** What is out of the ordinary and ends nothing. */
function noticeLines(event: RunEvent, style: Style): string[] {
  const colors = createColors(style.color);
  const warn = colors.yellow("!");
  if (event.type === "loop.exhausted")
    return wrapHanging(
      `${warn} ${event.step}: ${exhaustedText(event.iterationCount)}`,
      style.columns,
    );
  if (event.type === "model.fallback") {
    const text = `${event.step}: ${event.model} cannot be used, the next model is asked. ${event.error.message}`;
    return wrapHanging(`${warn} ${printable(text)}`, style.columns);
  }
  if (event.type !== "approval.decided") return [];
  const why = event.comment === null ? "" : `: ${printable(event.comment)}`;
  const text = `${event.step}: ${event.approved ? "approved" : "rejected"}${why}`;
  const mark = event.approved ? colors.green("✔") : colors.yellow("✖");
  return wrapHanging(`${mark} ${text}`, style.columns);
}

function nameOf({ nameColumns }: Progress, key: string): string {
  return pad(cut(key, nameColumns), nameColumns);
}

/** Items leave no line: of a map of many the terminal would hold nothing else. */
function successLines(before: Progress, { at, event }: StoredEvent, style: Style): string[] {
  if (event.type !== "step.succeeded" || isItemKey(event.step)) return [];
  const colors = createColors(style.color);
  const step = before.active.find(({ key }) => key === event.step);
  const facts =
    step === undefined
      ? []
      : [
          formatDuration(at - step.startedAt),
          ...(step.items === undefined ? [] : [plural(step.items.count, "item")]),
          ...(isFree(step) ? [] : [formatTokens(step), formatCost(step)]),
        ];
  const name = nameOf(before, event.step);
  return [cut(`${colors.green("✔")} ${[name, ...facts].join("  ")}`, style.columns)];
}

function failureLines(
  event: Extract<RunEvent, { type: "step.failed" }>,
  at: number,
  style: Style,
): string[] {
  const colors = createColors(style.color);
  if (event.retryAtMs === undefined) {
    const survives = event.next === undefined ? "" : " The run goes on.";
    const mark = event.next === undefined ? colors.red("✖") : colors.yellow("✖");
    const failure = printable(failureText(event)).replaceAll("\n", " ");
    return wrapHanging(`${mark} ${event.step}: ${failure}${survives}`, style.columns);
  }
  const reason = printable(event.error.message).replaceAll("\n", " ");
  const again = againText(event.retryAtMs, at);
  return wrapHanging(
    `${colors.yellow("↻")} ${event.step}: attempt ${event.attempt} failed: ${reason}${again}`,
    style.columns,
  );
}

/** What a person can do about a wait; nothing where it ends by itself. */
function waitLines(
  { runId }: Progress,
  { step, wait }: Extract<RunEvent, { type: "step.waiting" }>,
  style: LiveStyle,
): string[] {
  const mark = createColors(style.color).yellow("?");
  const commands = waitCommands(runId, step, wait).map((command) => `${INDENT}${command}`);
  if (wait.for === "approval") {
    const question = questionLines(`${mark} ${step}: `, wait.message, style.columns);
    return [...question, ...(style.asks ? [] : commands)];
  }
  if (wait.for === "signal")
    return [`${mark} ${step}: waits for the signal ${printable(wait.name)}`, ...commands];
  if (wait.for === "budget") return [`${mark} ${step}: the run's budget is used up`, ...commands];
  return [];
}

/** A question in its own lines. */
export function questionLines(label: string, question: string, columns: number): string[] {
  return `${label}${printable(question).trim()}`
    .split("\n")
    .flatMap((line) => wrapText(line, columns - INDENT.length))
    .map((line, index) => (index === 0 || line === "" ? line : `${INDENT}${line}`));
}

function wrapHanging(text: string, columns: number): string[] {
  return wrapText(text, columns - INDENT.length).map((line, index) =>
    index === 0 ? line : `${INDENT}${line}`,
  );
}

/** The live region: current steps, the end of the streaming answer, totals. */
export function liveLines(progress: Progress, style: Style & { readonly nowMs: number }): string[] {
  const colors = createColors(style.color);
  const { active } = progress;
  const shown = active
    .toSorted((one, other) => Number(isItemKey(one.key)) - Number(isItemKey(other.key)))
    .slice(0, ACTIVE_ROWS_MAX);
  const more = active.length - shown.length;
  const withText = active.length <= TEXT_STEP_COUNT_MAX;
  return [
    ...shown.flatMap((step) => activeLines(progress, { step, withText }, style)),
    ...(more === 0 ? [] : [`  and ${plural(more, "step")} more`]),
    colors.dim(summaryLine(progress, style.nowMs)),
  ].map((line) => cut(line, style.columns));
}

function activeLines(
  progress: Progress,
  { step, withText }: { step: ActiveStep; withText: boolean },
  style: Style & { readonly nowMs: number },
): string[] {
  const { nowMs, columns } = style;
  const colors = createColors(style.color);
  const spinner = SPINNER[Math.floor(nowMs / SPINNER_MS) % SPINNER.length] ?? "";
  const { items } = step;
  const parts = [
    `${colors.cyan(spinner)} ${nameOf(progress, step.key)}`,
    formatDuration(nowMs - step.startedAt),
    ...(step.attempt > 1 ? [`attempt ${step.attempt}`] : []),
    ...(items === undefined ? [] : [`${items.ended} of ${plural(items.count, "item")}`]),
    ...(step.doing === "" ? [] : [step.doing]),
  ];
  const text = withText
    ? wrapText(printable(step.text), columns - INDENT.length).slice(-TEXT_ROWS)
    : [];
  return [
    parts.join("  "),
    ...text.flatMap((row) => (row === "" ? [] : [colors.dim(`  │ ${row}`)])),
  ];
}

function summaryLine(progress: Progress, nowMs: number): string {
  const parts = [
    `${progress.doneNodeIds.length} of ${progress.stepCount} steps`,
    formatDuration(nowMs - progress.createdAt),
    formatTokens(progress),
    formatCost(progress),
  ];
  if (progress.phase === "queued") parts.unshift("waiting for a worker");
  if (progress.phase === "cancelling") parts.unshift("cancelling");
  if (progress.phase === "waiting") {
    const { waitingFor, waitingUntil } = progress;
    const left =
      waitingUntil === null ? "" : ` (${formatDuration(Math.max(0, waitingUntil - nowMs))})`;
    parts.unshift(`waiting for ${waitingFor}${left}`);
  }
  return `  ${parts.join(" · ")}`;
}
