/**
 * The log of runs as lines. The pieces of a model's answer are joined: they stand in the line of the
 * call that they belong to, in an element of their own to which later pieces are appended.
 */
import type { RunEvent, StoredEvent } from "../../src/domain/event.ts";
import { keepNewline } from "./code.tsx";
import { formatDuration } from "./duration.ts";
import { idPart, shortId, textKey } from "./id.ts";
import { InlineText } from "./inline-text.tsx";
import { formatCost } from "./money.ts";
import { formatCount } from "./number.ts";
import { ClockTime, clockText } from "./time.tsx";

/** Lines in the page; `client.js` keeps to the same number. */
export const LOG_LINE_COUNT_MAX = 400;
const INPUT_CHARS_MAX = 160;

type Level = "debug" | "info" | "warn" | "error";
type Delta = Extract<RunEvent, { type: "model.delta" }>;

export interface LogEntry {
  readonly stored: StoredEvent;
  /** Of a model call: which one, and its joined answer so far. */
  readonly call: { readonly key: string; readonly text: string } | undefined;
}

/** Text that belongs to a line which is already on the page. */
export interface LogText {
  /** Where it is appended, without the `#`. */
  readonly target: string;
  readonly text: string;
}

/** Events as lines, newest last, and the pieces of text whose line is not among them. */
export function joinEvents(events: readonly StoredEvent[]): {
  entries: readonly LogEntry[];
  texts: readonly LogText[];
} {
  const entries: LogEntry[] = [];
  const texts = new Map<string, string>();
  const calls = new Map<string, { key: string; text: string }>();
  for (const stored of events) {
    const { event } = stored;
    if (event.type === "model.delta") {
      const key = keyOf(event);
      const call = calls.get(key);
      if (call === undefined) texts.set(key, (texts.get(key) ?? "") + event.text);
      else call.text += event.text;
    } else if (event.type === "model.started") {
      const call = { key: keyOf(event), text: "" };
      calls.set(call.key, call);
      entries.push({ stored, call });
    } else entries.push({ stored, call: undefined });
  }
  return { entries, texts: [...texts].map(([key, text]) => ({ target: newestLine(key), text })) };
}

/** The text in the newest line of a call: what follows is the answer to its last request. */
function newestLine(key: string): string {
  return `run-log-lines > :nth-last-child(1 of [data-text=${key}]) > .stream`;
}

/** Lines for an `<ol>`; with `runs` each line also names its run. */
export function LogItems(props: { entries: readonly LogEntry[]; runs: boolean }) {
  return (
    <>
      {props.entries.slice(-LOG_LINE_COUNT_MAX).map((entry) => (
        <LogItem entry={entry} runs={props.runs} />
      ))}
    </>
  );
}

function LogItem(props: { entry: LogEntry; runs: boolean }) {
  const { stored } = props.entry;
  const { event } = stored;
  const call = props.runs ? undefined : props.entry.call;
  const { level, message } = describeEvent(event);
  return (
    <li class={`l-${level}`} id={`log-${idPart(stored.runId)}-${stored.seq}`} data-text={call?.key}>
      <ClockTime at={stored.at} />
      <span class="lvl">{level}</span>
      <span class="msg">
        {props.runs ? (
          <a class="src" href={`/runs/${encodeURIComponent(stored.runId)}`}>
            {shortId(stored.runId)}
          </a>
        ) : null}{" "}
        {"step" in event ? <b class="src">{event.step}</b> : null}{" "}
        {level === "error" || level === "warn" ? <InlineText text={message} /> : message}
      </span>
      {call === undefined ? null : <pre class="stream">{keepNewline(call.text)}</pre>}
    </li>
  );
}

function keyOf(event: Pick<Delta, "step" | "attempt" | "call">): string {
  return textKey(event.step, event.attempt, event.call);
}

interface Line {
  readonly level: Level;
  readonly message: string;
}

/** An event as a sentence without its subject. */
export function describeEvent(event: RunEvent): Line {
  if ("call" in event) return describeCall(event);
  return "step" in event ? describeStep(event) : describeRun(event);
}

function describeRun(event: Exclude<RunEvent, { step: string }>): Line {
  if (event.type === "run.started") return line("info", `started on ${event.worker}`);
  if (event.type === "run.recovered")
    return line("warn", `taken up again by ${event.worker} after its worker died`);
  if (event.type === "run.waiting") {
    const reason = event.for === "rate_limit" ? "out a rate limit" : "for a timer";
    return line("warn", `waiting ${reason} until ${clockText(event.untilMs)}`);
  }
  if (event.type === "run.failed") return line("error", `failed: ${event.error.message}`);
  return RUN_LINES[event.type];
}

const RUN_LINES = {
  "run.queued": line("debug", "queued"),
  "run.cancelling": line("warn", "cancellation asked for"),
  "run.succeeded": line("info", "succeeded"),
  "run.cancelled": line("warn", "cancelled"),
};

function describeStep(event: Exclude<Extract<RunEvent, { step: string }>, { call: number }>): Line {
  if (event.type === "step.started")
    return line("info", event.attempt > 1 ? `started, attempt ${event.attempt}` : "started");
  if (event.type === "step.succeeded") return line("info", `succeeded${wrote(event.patch)}`);
  // The message may name the step, which the line has done already.
  const subject = `Step \`${event.step}\` `;
  const { message } = event.error;
  const text = message.startsWith(subject) ? message.slice(subject.length) : `failed: ${message}`;
  if (event.retryAtMs === undefined) return line("error", text);
  return line("warn", `${text} Next attempt at ${clockText(event.retryAtMs)}.`);
}

function describeCall(event: Extract<RunEvent, { call: number }>): Line {
  if (event.type === "model.started") return line("debug", `asks ${event.provider} ${event.model}`);
  if (event.type === "model.delta") return line("debug", event.text);
  if (event.type === "tool.started")
    return line("info", `calls ${event.tool} ${brief(event.input)}`);
  const duration = formatDuration(event.durationMs);
  if (event.type === "tool.finished")
    return event.ok
      ? line("info", `${event.tool} answered in ${duration}`)
      : line("warn", `${event.tool} failed after ${duration}`);
  const tokens = `${formatCount(event.usage.input)} tokens in, ${formatCount(event.usage.output)} out`;
  const cost = formatCost(event.costNanoUsd ?? 0, event.costNanoUsd === null ? 1 : 0);
  return line("info", `answered in ${duration}, ${tokens}, ${cost}`);
}

function line(level: Level, message: string): Line {
  return { level, message };
}

function wrote(patch: unknown): string {
  const names = typeof patch === "object" && patch !== null ? Object.keys(patch) : [];
  return names.length === 0 ? "" : `, wrote ${names.join(", ")}`;
}

function brief(input: unknown): string {
  const text = JSON.stringify(input) ?? "";
  return text.length <= INPUT_CHARS_MAX ? text : `${text.slice(0, INPUT_CHARS_MAX - 1)}…`;
}
