/**
 * The progress of a run, as a pure function of its events: a state, lines that stay (one per finished
 * step, or one per event for outputs that are no terminal), and the lines of the live region.
 */
import { createColors } from "picocolors";
import type { RunEvent, StoredEvent } from "../domain/event.ts";
import type { Usage } from "../domain/model.ts";
import type { Run, Totals } from "../domain/run.ts";
import { wrapText } from "../lib/wrap-text.ts";
import { cut, formatCost, formatDuration, formatTokens, pad, printable } from "./format.ts";

const SPINNER = ["◐", "◓", "◑", "◒"];
const SPINNER_MS = 120;
/** How much of a streaming answer is kept, and how many lines of it are shown. */
const TEXT_CHARS_MAX = 2_000;
const TEXT_ROWS = 4;
const NAME_COLUMNS_MAX = 24;
const NO_USAGE: Usage = { input: 0, output: 0, cacheRead: 0, cacheWrite: 0, reasoning: 0 };
const NO_TOTALS: Totals = { usage: NO_USAGE, costNanoUsd: 0, unpricedCount: 0 };
export const DEMO_NOTICE = "demo provider: no real AI is called";

interface ActiveStep extends Totals {
  readonly key: string;
  readonly attempt: number;
  readonly startedAt: number;
  /** What it is doing: the model or tool. */
  readonly doing: string;
  readonly text: string;
}

export interface Progress extends Totals {
  readonly runId: string;
  readonly workflowName: string;
  readonly stepCount: number;
  readonly nameColumns: number;
  readonly createdAt: number;
  readonly phase: "queued" | "running" | "waiting" | "cancelling" | "ended";
  readonly waitingFor: string;
  readonly waitingUntil: number;
  readonly doneCount: number;
  readonly active: readonly ActiveStep[];
  /** The demo provider answered: nothing in the result comes from a real model. */
  readonly demo: boolean;
  readonly outputs: Extract<RunEvent, { type: "run.succeeded" }>["outputs"];
}

/** The state before the first event. */
export function beginProgress(
  run: Pick<Run, "id" | "workflowName" | "nodeIds" | "createdAt">,
): Progress {
  const widest = Math.max(...run.nodeIds.map((id) => id.length), 1);
  return {
    runId: run.id,
    workflowName: run.workflowName,
    stepCount: run.nodeIds.length,
    nameColumns: Math.min(NAME_COLUMNS_MAX, widest),
    createdAt: run.createdAt,
    phase: "queued",
    waitingFor: "",
    waitingUntil: 0,
    doneCount: 0,
    active: [],
    demo: false,
    outputs: null,
    ...NO_TOTALS,
  };
}

/** The state after an event. */
export function advance(progress: Progress, { at, event }: StoredEvent): Progress {
  if ("call" in event) return advanceCall(progress, event);
  if ("step" in event) return advanceStep(progress, event, at);
  switch (event.type) {
    case "run.started":
    case "run.recovered":
      return { ...progress, phase: "running", active: [] };
    case "run.waiting":
      return {
        ...progress,
        phase: "waiting",
        waitingFor: event.for === "timer" ? "the next attempt" : "the provider's rate limit",
        waitingUntil: event.untilMs,
      };
    case "run.cancelling":
      return { ...progress, phase: "cancelling" };
    case "run.succeeded":
      return { ...progress, phase: "ended", active: [], outputs: event.outputs };
    case "run.failed":
    case "run.cancelled":
      return { ...progress, phase: "ended", active: [] };
    case "run.queued":
    default:
      return progress;
  }
}

type StepEvent = Exclude<Extract<RunEvent, { readonly step: string }>, CallEvent>;

function advanceStep(progress: Progress, event: StepEvent, at: number): Progress {
  if (event.type === "step.started") return startStep(progress, event, at);
  const doneCount = progress.doneCount + (event.type === "step.succeeded" ? 1 : 0);
  return {
    ...progress,
    doneCount,
    active: progress.active.filter((step) => step.key !== event.step),
  };
}

type CallEvent = Extract<RunEvent, { readonly call: number }>;

function advanceCall(progress: Progress, event: CallEvent): Progress {
  const change = (next: (step: ActiveStep) => Partial<ActiveStep>) => ({
    ...progress,
    active: progress.active.map((step) =>
      step.key === event.step ? { ...step, ...next(step) } : step,
    ),
  });
  switch (event.type) {
    case "model.started":
      return {
        ...change(() => ({ doing: `${event.provider}/${event.model}`, text: "" })),
        demo: progress.demo || event.provider === "demo",
      };
    case "model.delta":
      return change((step) => ({ text: (step.text + event.text).slice(-TEXT_CHARS_MAX) }));
    case "model.finished":
      return { ...change((step) => addCall(step, event)), ...addCall(progress, event) };
    case "tool.started":
      return change(() => ({ doing: `tool ${event.tool}`, text: "" }));
    case "tool.finished":
    default:
      return change(() => ({ doing: `tool ${event.tool} ${event.ok ? "done" : "failed"}` }));
  }
}

function startStep(
  progress: Progress,
  event: Extract<RunEvent, { type: "step.started" }>,
  at: number,
): Progress {
  const step: ActiveStep = {
    key: event.step,
    attempt: event.attempt,
    startedAt: at,
    doing: "",
    text: "",
    ...NO_TOTALS,
  };
  return {
    ...progress,
    phase: progress.phase === "cancelling" ? "cancelling" : "running",
    active: [...progress.active.filter(({ key }) => key !== event.step), step],
  };
}

function addCall(totals: Totals, event: Extract<RunEvent, { type: "model.finished" }>): Totals {
  const { usage } = totals;
  return {
    usage: {
      input: usage.input + event.usage.input,
      output: usage.output + event.usage.output,
      cacheRead: usage.cacheRead + event.usage.cacheRead,
      cacheWrite: usage.cacheWrite + event.usage.cacheWrite,
      reasoning: usage.reasoning + event.usage.reasoning,
    },
    costNanoUsd: totals.costNanoUsd + (event.costNanoUsd ?? 0),
    unpricedCount: totals.unpricedCount + (event.costNanoUsd === null ? 1 : 0),
  };
}

export interface Style {
  readonly columns: number;
  readonly color: boolean;
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
export function keptLines(before: Progress, stored: StoredEvent, style: Style): string[] {
  const colors = createColors(style.color);
  const { event, at } = stored;
  if (event.type === "run.recovered") {
    return [
      cut(colors.yellow(`↻ Its worker died; ${event.worker} goes on with it.`), style.columns),
    ];
  }
  if (event.type === "model.started" && event.provider === "demo" && !before.demo) {
    return [colors.yellow(`! ${DEMO_NOTICE}`)];
  }
  if (event.type !== "step.succeeded" && event.type !== "step.failed") return [];
  const step = before.active.find(({ key }) => key === event.step);
  const name = pad(cut(event.step, before.nameColumns), before.nameColumns);
  const time = step === undefined ? "" : formatDuration(at - step.startedAt);
  if (event.type === "step.succeeded") {
    const totals = step === undefined ? [] : [formatTokens(step), formatCost(step)];
    return [cut(`${colors.green("✔")} ${name}  ${[time, ...totals].join("  ")}`, style.columns)];
  }
  if (event.retryAtMs === undefined) {
    const failure = printable(failureText(event)).replaceAll("\n", " ");
    return wrapHanging(`${colors.red("✖")} ${event.step}: ${failure}`, style.columns);
  }
  const reason = printable(event.error.message).replaceAll("\n", " ");
  const delay = formatDuration(event.retryAtMs - at);
  return wrapHanging(
    `${colors.yellow("↻")} ${event.step}: attempt ${event.attempt} failed: ${reason} Again in ${delay}.`,
    style.columns,
  );
}

function wrapHanging(text: string, columns: number): string[] {
  return wrapText(text, columns - 4).map((line, index) => (index === 0 ? line : `    ${line}`));
}

/** The live region: current steps, the end of the streaming answer, totals. */
export function liveLines(progress: Progress, style: Style & { readonly nowMs: number }): string[] {
  const { nowMs, columns } = style;
  const colors = createColors(style.color);
  const spinner = SPINNER[Math.floor(nowMs / SPINNER_MS) % SPINNER.length] ?? "";
  const lines = progress.active.flatMap((step) => {
    const parts = [
      `${colors.cyan(spinner)} ${pad(cut(step.key, progress.nameColumns), progress.nameColumns)}`,
      formatDuration(nowMs - step.startedAt),
      ...(step.attempt > 1 ? [`attempt ${step.attempt}`] : []),
      ...(step.doing === "" ? [] : [step.doing]),
    ];
    const text = wrapText(printable(step.text), columns - 4).slice(-TEXT_ROWS);
    return [
      parts.join("  "),
      ...text.flatMap((row) => (row === "" ? [] : [colors.dim(`  │ ${row}`)])),
    ];
  });
  return [...lines, colors.dim(summaryLine(progress, nowMs))].map((line) => cut(line, columns));
}

function summaryLine(progress: Progress, nowMs: number): string {
  const parts = [
    `${progress.doneCount} of ${progress.stepCount} steps`,
    formatDuration(nowMs - progress.createdAt),
    formatTokens(progress),
    formatCost(progress),
  ];
  if (progress.phase === "queued") parts.unshift("waiting for a worker");
  if (progress.phase === "cancelling") parts.unshift("cancelling");
  if (progress.phase === "waiting") {
    const left = Math.max(0, progress.waitingUntil - nowMs);
    parts.unshift(`waiting for ${progress.waitingFor} (${formatDuration(left)})`);
  }
  return `  ${parts.join(" · ")}`;
}

/** One line for an event, for outputs that are no terminal; undefined for pieces of answers. */
export function eventLine(progress: Progress, stored: StoredEvent): string | undefined {
  const text = eventText(stored);
  if (text === undefined) return undefined;
  const time = formatDuration(stored.at - progress.createdAt).padStart(8);
  return `${time}  ${printable(text).replaceAll("\n", " ")}`;
}

function eventText({ at, event }: StoredEvent): string | undefined {
  if ("call" in event) return callText(event);
  if ("step" in event) return stepText(event, at);
  switch (event.type) {
    case "run.queued":
      return "queued";
    case "run.started":
      return `started on ${event.worker}`;
    case "run.recovered":
      return `its worker died; ${event.worker} goes on with it`;
    case "run.waiting": {
      const reason = event.for === "timer" ? "the next attempt" : "the rate limit";
      return `waits ${formatDuration(event.untilMs - at)} for ${reason}`;
    }
    // Why it failed is said once, at its end.
    case "run.failed":
    case "run.cancelling":
    case "run.cancelled":
    case "run.succeeded":
    default:
      return event.type.slice("run.".length);
  }
}

function stepText(event: StepEvent, at: number): string {
  switch (event.type) {
    case "step.started":
      return `${event.step}: started${event.attempt > 1 ? ` (attempt ${event.attempt})` : ""}`;
    case "step.succeeded":
      return `${event.step}: succeeded`;
    case "step.failed":
    default: {
      const retry =
        event.retryAtMs === undefined ? "" : ` Again in ${formatDuration(event.retryAtMs - at)}.`;
      return `${event.step}: ${failureText(event)}${retry}`;
    }
  }
}

/** The last failure of a step names the step itself, which its line does already. */
function failureText({ step, error }: Extract<StepEvent, { type: "step.failed" }>): string {
  const named = `Step \`${step}\` failed`;
  return error.message.startsWith(named)
    ? `failed${error.message.slice(named.length)}`
    : `failed: ${error.message}`;
}

function callText(event: CallEvent): string | undefined {
  const { step } = event;
  switch (event.type) {
    case "model.started": {
      const demo = event.provider === "demo" ? ` (${DEMO_NOTICE})` : "";
      return `${step}: calls ${event.provider}/${event.model}${demo}`;
    }
    case "model.finished": {
      const totals = addCall(NO_TOTALS, event);
      const time = formatDuration(event.durationMs);
      return `${step}: answered in ${time}, ${formatTokens(totals)}, ${formatCost(totals)}`;
    }
    case "tool.started":
      return `${step}: uses ${event.tool}`;
    case "tool.finished": {
      const time = formatDuration(event.durationMs);
      return `${step}: ${event.tool} ${event.ok ? "done" : "failed"} in ${time}`;
    }
    case "model.delta":
    default:
      return undefined;
  }
}
