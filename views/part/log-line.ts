/** A line of the log of everything: of a service, or an event of a run. */
import type { StoredEvent } from "../../src/domain/event.ts";
import type { ServiceLogLine } from "../../src/domain/log.ts";
import { idPart } from "./id.ts";
import { describeEvent, type Level } from "./log.tsx";

export const LOG_LEVELS = ["debug", "info", "warn", "error"] as const;

export interface AnyLogLine {
  /** The same for the same line, fit for an id of the page. */
  readonly id: string;
  readonly at: number;
  readonly level: Level;
  /** The service, or the run with the step. */
  readonly service: string | undefined;
  readonly runId: string | undefined;
  readonly step: string | undefined;
  readonly text: string;
}

export interface LogsFilter {
  /** `services`, `runs`, the name of a service; all without. */
  readonly source: string | undefined;
  readonly runId: string | undefined;
  /** And what is worse. */
  readonly level: Level | undefined;
  readonly text: string | undefined;
  /** As typed: a date and a time of the machine. */
  readonly from: string | undefined;
  readonly to: string | undefined;
  /** The place of this page; undefined on the newest. */
  readonly before: string | undefined;
  /** False keeps a page without script from loading itself again. */
  readonly follows: boolean;
}

export function ofService({ id, service, at, stream, line }: ServiceLogLine): AnyLogLine {
  const level = levelOf(line, stream);
  return { id: `log-${id}`, at, level, service, runId: undefined, step: undefined, text: line };
}

export function ofEvent({ runId, seq, at, event }: StoredEvent): AnyLogLine {
  const { level, message } = describeEvent(event, at);
  return {
    id: `log-${idPart(runId)}-${seq}`,
    at,
    level,
    service: undefined,
    runId,
    step: "step" in event ? event.step : undefined,
    text: message,
  };
}

/** Where the level of a line stands, if it has one. */
const HEAD_CHARS = 60;
const WORDS: readonly (readonly [Level, RegExp])[] = [
  ["error", /\b(?:error|fatal|critical|exception|traceback|panic)\b|^\[failed\]/i],
  ["warn", /\bwarn(?:ing)?\b|^\[backing_off\]/i],
  ["debug", /\b(?:debug|trace)\b/i],
  ["info", /\binfo\b/i],
];

/** Programs say the level in their own words; what says none is bad when it went to standard error. */
function levelOf(line: string, stream: ServiceLogLine["stream"]): Level {
  const head = line.slice(0, HEAD_CHARS);
  const found = WORDS.find(([, word]) => word.test(head));
  return found?.[0] ?? (stream === "stderr" ? "warn" : "info");
}

/** The address of these lines, or of others beside them. */
export function logsAddress(filter: Partial<LogsFilter>, path = "/logs"): string {
  const query = new URLSearchParams();
  const put = (name: string, value: string | undefined) => {
    if (value !== undefined && value !== "") query.set(name, value);
  };
  put("source", filter.source);
  put("run", filter.runId);
  put("level", filter.level);
  put("search", filter.text);
  put("from", filter.from);
  put("to", filter.to);
  put("before", filter.before);
  put("follow", filter.follows === false ? "off" : undefined);
  const text = query.toString();
  return text === "" ? path : `${path}?${text}`;
}

/** Only the newest lines, without an end, can grow. */
export function isLive({ before, to }: LogsFilter): boolean {
  return before === undefined && to === undefined;
}
