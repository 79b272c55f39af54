/** Events of a run as lines of plain text, for outputs that are no terminal. Pure. */
import type { RunEvent, StoredEvent } from "../domain/event.ts";
import { type Wait, WAITING_WORDS, type WaitingFor } from "../domain/run.ts";
import { clip } from "../lib/clip.ts";
import { formatCost, formatDuration, formatTokens, plural, printable } from "./format.ts";
import type { CallEvent, Progress, StepEvent } from "./progress.ts";
import { addCall, NO_TOTALS } from "./totals.ts";

export const DEMO_NOTICE = "demo provider: no real AI is called";
const QUESTION_CHARS_MAX = 200;
const TIME_COLUMNS = 8;

/**
 * The line of an event, with the commands below it that a person can answer with; nothing for pieces of
 * answers. `before` is the progress before the event.
 */
export function eventLines(before: Progress, stored: StoredEvent): string[] {
  const text = eventText(before, stored);
  if (text === undefined) return [];
  const time = formatDuration(stored.at - before.createdAt).padStart(TIME_COLUMNS);
  const { event } = stored;
  const commands =
    event.type === "step.waiting" ? waitCommands(before.runId, event.step, event.wait) : [];
  return [
    `${time}  ${printable(text).replaceAll("\n", " ")}`,
    ...commands.map((command) => `${" ".repeat(TIME_COLUMNS)}    ${command}`),
  ];
}

/** What a person types to end a wait; nothing where it ends by itself. */
export function waitCommands(runId: string, step: string, wait: Wait): string[] {
  if (wait.for === "approval")
    return [`agents approve ${runId} ${step}`, `agents reject ${runId} ${step} -m "Why"`];
  if (wait.for === "signal") return [`agents signal ${runId} ${printable(wait.name)}`];
  return wait.for === "budget" ? [`agents resume ${runId} --max-cost-usd USD`] : [];
}

/** What a step waits for, as the end of a sentence. */
export function waitWords(wait: Wait): string {
  if (wait.for === "signal") return `the signal ${wait.name}`;
  return wait.for === "run" ? `run ${wait.runId}` : WAITING_WORDS[wait.for];
}

/** The last failure of a step names the step itself, which its line does already. */
export function failureText({ step, error }: Extract<StepEvent, { type: "step.failed" }>): string {
  const named = `Step \`${step}\` failed`;
  return error.message.startsWith(named)
    ? `failed${error.message.slice(named.length)}`
    : `failed: ${error.message}`;
}

/** Why a loop ended although its condition is false. */
export function exhaustedText(iterationCount: number): string {
  return `the loop ends after ${plural(iterationCount, "round")}; its condition never became true`;
}

function eventText(before: Progress, { at, event }: StoredEvent): string | undefined {
  if ("call" in event) return callText(event);
  if ("step" in event) return stepText(before, event, at);
  if (event.type === "run.started")
    return `${before.phase === "waiting" ? "goes on, on" : "started on"} ${event.worker}`;
  if (event.type === "run.recovered") return `its worker died; ${event.worker} goes on with it`;
  if (event.type === "run.waiting")
    return `waits${BY_TIME.has(event.for) ? spanText(event.untilMs, at) : ""} for ${WAITING_WORDS[event.for]}`;
  if (event.type === "run.forked") return `made from run ${event.from} at ${event.fromStep}`;
  if (event.type === "run.resumed")
    return event.from === undefined ? "goes on" : `goes back to ${event.from}`;
  if (event.type === "signal.received") return `signal ${event.name}${byText(event.by)}`;
  // Also of a failure: its reason is said once, at the end.
  return event.type.slice("run.".length);
}

const TENTH_MS = 100;
/** Waits whose end is the time that the run is due; of others it only says when the run looks again. */
const BY_TIME = new Set<WaitingFor>(["timer", "rate_limit"]);

/** To the next tenth of a second: the end was set some milliseconds before it was written down. */
function spanText(untilMs: number | null, at: number): string {
  if (untilMs === null) return "";
  return ` ${formatDuration(Math.ceil(Math.max(0, untilMs - at) / TENTH_MS) * TENTH_MS)}`;
}

/** Who acted: a part of the product. */
function byText(by: string | null): string {
  return by === null ? "" : ` from the ${by}`;
}

function stepText(before: Progress, event: StepEvent, at: number): string {
  const { step } = event;
  switch (event.type) {
    case "step.started":
      return `${step}: ${startText(before, event)}`;
    case "step.succeeded":
      return `${step}: succeeded`;
    case "step.skipped":
      return `${step}: skipped`;
    case "step.waiting":
      return `${step}: ${waitText(event.wait, at)}`;
    case "approval.decided": {
      const why = event.comment === null ? "" : `: ${event.comment}`;
      return `${step}: ${event.approved ? "approved" : "rejected"}${byText(event.by)}${why}`;
    }
    case "loop.exhausted":
      return `${step}: ${exhaustedText(event.iterationCount)}`;
    case "step.failed":
    default: {
      const goesOn = event.next === undefined ? "" : " The run goes on.";
      return `${step}: ${failureText(event)}${againText(event.retryAtMs, at)}${goesOn}`;
    }
  }
}

function startText(before: Progress, event: Extract<StepEvent, { type: "step.started" }>): string {
  if (before.waiting.includes(event.step)) return "goes on";
  const items = event.itemCount === undefined ? "" : `, ${plural(event.itemCount, "item")}`;
  return `started${items}${event.attempt > 1 ? ` (attempt ${event.attempt})` : ""}`;
}

/** When a failed attempt is followed by the next. */
export function againText(retryAtMs: number | undefined, at: number): string {
  if (retryAtMs === undefined) return "";
  return retryAtMs <= at ? " Again at once." : ` Again in ${formatDuration(retryAtMs - at)}.`;
}

function waitText(wait: Wait, at: number): string {
  const span = spanText("untilMs" in wait ? wait.untilMs : null, at);
  if (wait.for === "timer") return `waits${span}`;
  if (wait.for === "rate_limit") return `waits${span} for ${WAITING_WORDS.rate_limit}`;
  const most = span === "" ? "" : ` (at most${span})`;
  if (wait.for === "approval")
    return `asks for an approval${most}: ${clip(wait.message, QUESTION_CHARS_MAX)}`;
  return `waits for ${waitWords(wait)}${most}`;
}

/** Calls of nodes that are no tools stand under the kind of the node. */
const OWN_CALLS: Readonly<Record<string, string>> = {
  code: "runs its code",
  cli: "runs its command",
  http: "sends its request",
  agent: "asks the agent",
};

/** What a step does while that call is under way. */
export function callWords(tool: string): string {
  return OWN_CALLS[tool] ?? `uses ${tool}`;
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
      if (event.cached) return `${step}: answered from the cache`;
      return `${step}: answered in ${time}, ${formatTokens(totals)}, ${formatCost(totals)}`;
    }
    case "tool.started":
      return `${step}: ${callWords(event.tool)}`;
    case "tool.finished": {
      const name = event.tool in OWN_CALLS ? "" : `${event.tool} `;
      const time = formatDuration(event.durationMs);
      return `${step}: ${name}${event.ok ? "done in" : "failed after"} ${time}`;
    }
    case "model.fallback":
      return `${step}: ${event.provider}/${event.model} cannot be used: ${event.error.message}`;
    case "output.delta":
    case "model.delta":
    default:
      return undefined;
  }
}

/** True for an event that a person has to see, also where no progress is shown. */
export function needsPerson(event: RunEvent): boolean {
  return (
    event.type === "step.waiting" &&
    (event.wait.for === "approval" || event.wait.for === "signal" || event.wait.for === "budget")
  );
}
