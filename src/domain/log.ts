/** Everything that was said: by the services in their log files, and by runs in their logs. Newest first. */
import type { StoredEvent } from "./event.ts";

/** A line that a service has written. */
export interface ServiceLogLine {
  /** The same as long as the line is kept. */
  readonly id: string;
  readonly service: string;
  readonly at: number;
  readonly stream: "stdout" | "stderr";
  readonly line: string;
}

export interface ServiceLogs {
  /** The services that have a log, by name. */
  services(): Promise<string[]>;
  /** From `untilMs` (included) back in time, read piece by piece. An unknown service has none. */
  backwards(service: string, untilMs: number): AsyncGenerator<ServiceLogLine>;
}

export interface EventPlace {
  readonly at: number;
  readonly runId: string;
  readonly seq: number;
}

export interface EventLog {
  /** Newest first, without streamed text. @throws AppError as `RunStore`. */
  eventsBefore(page: {
    /** Included. */
    readonly untilMs: number;
    /** Those that come before it in the log. */
    readonly before?: EventPlace;
    readonly runId?: string;
    readonly limit: number;
  }): Promise<StoredEvent[]>;
}
