/**
 * The log of runs as lines. The pieces of a model's answer are joined: they stand in the line of the
 * call that they belong to, in an element of their own to which later pieces are appended.
 */
import type { RunEvent, StoredEvent } from "../../src/domain/event.ts";
import { type Wait, WAITING_WORDS } from "../../src/domain/run.ts";
import { clip } from "../../src/lib/clip.ts";
import { keepNewline } from "./code.tsx";
import { formatDuration } from "./duration.ts";
import { idPart, shortId, textKey } from "./id.ts";
import { InlineText } from "./inline-text.tsx";
import { formatCost } from "./money.ts";
import { formatCount, plural } from "./number.ts";
import { ClockTime, momentText } from "./time.tsx";

/** Lines in the page; `client.js` keeps to the same number. */
export const LOG_LINE_COUNT_MAX = 400;
const INPUT_CHARS_MAX = 160;

export type Level = "debug" | "info" | "warn" | "error";
type Delta = Extract<RunEvent, { type: "model.delta" | "output.delta" }>;

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
    if (event.type === "model.delta" || event.type === "output.delta") {
      const key = keyOf(event);
      const call = calls.get(key);
      if (call === undefined) texts.set(key, (texts.get(key) ?? "") + event.text);
      else call.text += event.text;
    } else if (event.type === "model.started" || event.type === "tool.started") {
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
  const { level, message } = describeEvent(event, stored.at);
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
export function describeEvent(event: RunEvent, at: number): Line {
  if ("call" in event) return describeCall(event);
  return "step" in event ? describeStep(event, at) : describeRun(event, at);
}

function describeRun(event: Exclude<RunEvent, { step: string }>, at: number): Line {
  if (event.type === "run.started") return line("info", `started on ${event.worker}`);
  if (event.type === "run.recovered")
    return line("warn", `taken up again by ${event.worker} after its worker died`);
  if (event.type === "run.waiting") {
    const until = event.untilMs === null ? "" : ` until ${momentText(event.untilMs, at)}`;
    return line("warn", `waiting for ${WAITING_WORDS[event.for]}${until}`);
  }
  if (event.type === "run.forked")
    return line("info", `made from run ${shortId(event.from)} at ${event.fromStep}`);
  if (event.type === "run.resumed") {
    const where = event.from === undefined ? "goes on" : `goes back to ${event.from}`;
    return line("info", `${where}${event.by === null ? "" : `, asked from the ${event.by}`}`);
  }
  if (event.type === "signal.received")
    return line("info", `signal ${event.name}${event.by === null ? "" : ` from the ${event.by}`}`);
  if (event.type === "run.failed") return line("error", `failed: ${event.error.message}`);
  return RUN_LINES[event.type];
}

const RUN_LINES = {
  "run.queued": line("debug", "queued"),
  "run.cancelling": line("warn", "cancellation asked for"),
  "run.succeeded": line("info", "succeeded"),
  "run.cancelled": line("warn", "cancelled"),
};

function describeStep(
  event: Exclude<Extract<RunEvent, { step: string }>, { call: number }>,
  at: number,
): Line {
  if (event.type === "step.started") {
    const items = event.itemCount === undefined ? "" : ` with ${plural(event.itemCount, "item")}`;
    return line("info", `started${items}${event.attempt > 1 ? `, attempt ${event.attempt}` : ""}`);
  }
  if (event.type === "step.succeeded") return line("info", `succeeded${wrote(event.patch)}`);
  if (event.type === "step.skipped") return line("info", "skipped: its condition is false");
  if (event.type === "step.waiting") return line("warn", waitText(event.wait, at));
  if (event.type === "loop.exhausted")
    return line(
      "warn",
      `ends its loop after ${event.iterationCount} rounds: the condition never became true`,
    );
  if (event.type === "approval.decided") {
    const who = event.by === null ? "" : `, from the ${event.by}`;
    const why = event.comment === null ? "" : `: ${event.comment}`;
    return line("info", `${event.approved ? "approved" : "rejected"}${who}${why}`);
  }
  // The message may name the step, which the line has done already.
  const subject = `Step \`${event.step}\` `;
  const { message } = event.error;
  const text = message.startsWith(subject) ? message.slice(subject.length) : `failed: ${message}`;
  if (event.next !== undefined) return line("warn", `${text} The run goes on.`);
  if (event.retryAtMs === undefined) return line("error", text);
  return line("warn", `${text} Next attempt at ${momentText(event.retryAtMs, at)}.`);
}

/** Calls of nodes that are no tools stand under the kind of the node. */
const OWN_CALLS: Readonly<Record<string, string>> = {
  code: "runs its code",
  cli: "runs its command",
  http: "sends its request",
  agent: "asks the agent",
};

function describeCall(event: Extract<RunEvent, { call: number }>): Line {
  if (event.type === "model.started") return line("debug", `asks ${event.provider} ${event.model}`);
  if (event.type === "model.delta" || event.type === "output.delta")
    return line("debug", event.text);
  if (event.type === "model.fallback")
    return line(
      "warn",
      `${event.model} cannot be used, the next model is asked: ${event.error.message}`,
    );
  if (event.type === "tool.started")
    return line("info", `${OWN_CALLS[event.tool] ?? `calls ${event.tool}`} ${brief(event.input)}`);
  const duration = formatDuration(event.durationMs);
  if (event.type === "tool.finished") {
    const name = event.tool in OWN_CALLS ? "" : `${event.tool} `;
    return event.ok
      ? line("info", `${name}answered in ${duration}`)
      : line("warn", `${name}failed after ${duration}`);
  }
  if (event.cached) return line("info", "answered from the cache");
  const tokens = `${formatCount(event.usage.input)} tokens in, ${formatCount(event.usage.output)} out`;
  const cost = formatCost(event.costNanoUsd ?? 0, event.costNanoUsd === null ? 1 : 0);
  return line("info", `answered in ${duration}, ${tokens}, ${cost}`);
}

function waitText(wait: Wait, at: number): string {
  const limit = "untilMs" in wait ? wait.untilMs : null;
  const until = limit === null ? "" : ` until ${momentText(limit, at)}`;
  if (wait.for === "timer") return `waits${until}`;
  if (wait.for === "approval")
    return `waits${until} for an approval: ${clip(wait.message, INPUT_CHARS_MAX)}`;
  if (wait.for === "signal") return `waits${until} for the signal ${wait.name}`;
  if (wait.for === "run") return `waits for run ${shortId(wait.runId)}`;
  return `waits${until} for ${WAITING_WORDS[wait.for]}`;
}

function line(level: Level, message: string): Line {
  return { level, message };
}

function wrote(patch: unknown): string {
  const names = typeof patch === "object" && patch !== null ? Object.keys(patch) : [];
  return names.length === 0 ? "" : `, wrote ${names.join(", ")}`;
}

function brief(input: unknown): string {
  return clip(JSON.stringify(input) ?? "", INPUT_CHARS_MAX);
}
