/**
 * Server-sent events: one producer per topic, any number of readers.
 *
 * A topic lives while it has readers: with none, nothing is read, rendered or timed. Its producer
 * renders a message once; the bytes are shared by all readers through a ring. A reader is a place in
 * that ring and pulls at the speed of its connection, so a slow one holds no memory and stalls nobody:
 * when it lags too far it is closed and comes back with `Last-Event-ID`.
 *
 * Delivery: a log topic (a run) loses nothing and repeats nothing, also over a restart of this process,
 * because missed messages are read from the database. A snapshot topic (the status page) replays from
 * the ring, or sends everything when the place is unknown. Nothing here answers 204 or ends a
 * stream that is up to date: hx-sse would reconnect for ever.
 */
import { AppError } from "../domain/error.ts";
import type { ChangeSignal } from "../domain/run.ts";
import type { Clock } from "../lib/clock.ts";
import { createSeries, type Series } from "../lib/series.ts";

/* oxlint-disable no-await-in-loop -- producers and readers live in loops that wait */

/** Messages that a topic keeps for readers that come back. */
export const STREAM_REPLAY_COUNT_MAX = 500;
/** A reader this many messages behind is closed. */
export const STREAM_LAG_COUNT_MAX = 100;
export const STREAM_CONNECTION_COUNT_MAX = 6_000;
/** A comment after this long without a message keeps proxies and browsers from giving up. */
export const STREAM_HEARTBEAT_MS = 15_000;
/** First delay of a browser that lost its stream. */
export const STREAM_RETRY_MS = 1_000;

export interface StreamLimits {
  readonly replayCountMax: number;
  readonly lagCountMax: number;
  readonly connectionCountMax: number;
  readonly heartbeatMs: number;
}

export const STREAM_LIMITS: StreamLimits = {
  replayCountMax: STREAM_REPLAY_COUNT_MAX,
  lagCountMax: STREAM_LAG_COUNT_MAX,
  connectionCountMax: STREAM_CONNECTION_COUNT_MAX,
  heartbeatMs: STREAM_HEARTBEAT_MS,
};

export interface StreamMessage {
  /** Never falls within a topic; several messages may share one. */
  readonly position: number;
  readonly bytes: Uint8Array;
}

/** What a topic's producer does. Its methods may throw: the topic reports it and tries again. */
export type StreamSource = LogSource | SnapshotSource;

interface BaseSource {
  /** Least time between two productions: what comes in between is joined. */
  readonly intervalMs: number;
  /** Produces at least this often, since the change signal may lose changes. */
  readonly refreshMs: number;
  /** The next messages, none when nothing has changed. Never called twice at a time. */
  produce(): Promise<readonly StreamMessage[]>;
  /**
   * True when nothing will ever change again. The newest message then tells the browser to hang up; it
   * is sent to late readers too, and one that does not stays connected.
   */
  readonly ended: boolean;
}

export interface LogSource extends BaseSource {
  readonly kind: "log";
  /** What follows `after`; undefined when nothing does. */
  missed(after: number): Promise<StreamMessage | undefined>;
  /** How things are that are no part of the log, for every reader that joins. */
  present?(): Promise<Uint8Array | undefined>;
}

export interface SnapshotSource extends BaseSource {
  readonly kind: "snapshot";
  /** All that a reader without a known place needs, as of the newest production or later. */
  snapshot(): Promise<Uint8Array>;
}

export interface StreamPlace {
  /** The position of the last message the reader has; undefined for a new one. */
  readonly after: number | undefined;
  /** Aborts when the reader has gone. A reader that went before its answer began is noticed only so. */
  readonly signal: AbortSignal;
}

export interface StreamHub {
  /**
   * Joins the topic `key`, which `createSource` makes when it is not alive.
   * @throws AppError `unavailable` at the connection limit or during shutdown.
   */
  open(key: string, createSource: () => StreamSource, place: StreamPlace): Response;
  readonly connectionCount: number;
  readonly topicCount: number;
  close(): void;
}

interface Topic {
  readonly source: StreamSource;
  readonly ring: Series<StreamMessage>;
  readonly readers: Set<Reader>;
  /** Position of the newest message; undefined before the first production. */
  position: number | undefined;
  /** Productions begun; `succeeded` is the number of the newest that did not fail. */
  startedCount: number;
  succeeded: number;
  readonly stop: AbortController;
  /** Ends the wait for the next production. */
  wake: AbortController;
  dirty: boolean;
}

interface Reader {
  /** Number of the next message in the ring; undefined until the reader has joined it. */
  cursor: number | undefined;
  after: number | undefined;
  closed: boolean;
  heartbeatDue: boolean;
  /** Goes on with a pull that waits. */
  wake: (() => void) | undefined;
  controller: ReadableStreamDefaultController<Uint8Array> | undefined;
}

const encoder = new TextEncoder();
/** Sent at once, so that the headers reach the browser. */
const HELLO = encoder.encode(": connected\n\n");
const HEARTBEAT = encoder.encode(": still here\n\n");
/** htmx reads `retry` only from a message with data, so it is put before the first one. */
const RETRY = encoder.encode(`retry: ${STREAM_RETRY_MS}\n`);

/** One message in the wire format. Without `event` htmx swaps the data into the page. */
export function encodeMessage(message: { id: string; data: string; event?: string }): Uint8Array {
  const event = message.event === undefined ? "" : `event: ${message.event}\n`;
  const data = message.data.split(/\r\n|\r|\n/).join("\ndata: ");
  return encoder.encode(`${event}id: ${message.id}\ndata: ${data}\n\n`);
}

interface HubDeps {
  readonly clock: Clock;
  readonly changes: ChangeSignal;
  readonly limits: StreamLimits;
  readonly reportError: (error: unknown) => void;
}

/** Makes the hub of one web app. */
export function createStreamHub(deps: HubDeps): StreamHub {
  const topics = new Map<string, Topic>();
  let connectionCount = 0;
  let closed = false;
  let stopPulse: (() => void) | undefined;

  function leave(key: string, topic: Topic, reader: Reader): void {
    if (!topic.readers.delete(reader)) return;
    endReader(reader);
    connectionCount -= 1;
    if (topic.readers.size > 0) return;
    topic.stop.abort();
    topic.wake.abort();
    topics.delete(key);
    if (topics.size === 0) stopPulse?.();
  }

  function addTopic(key: string, source: StreamSource): Topic {
    const topic = createTopic(source, deps.limits);
    if (topics.size === 0) stopPulse = startPulse(deps, topics);
    topics.set(key, topic);
    void runTopic(topic, deps, (reader) => leave(key, topic, reader));
    return topic;
  }

  return {
    open(key, createSource, { after, signal }) {
      if (closed || connectionCount >= deps.limits.connectionCountMax) {
        throw new AppError("unavailable", "Too many live connections are open.", {
          fix: "Close other tabs of the dashboard, or reload later.",
          retryAfterMs: deps.limits.heartbeatMs,
        });
      }
      const topic = topics.get(key) ?? addTopic(key, createSource());
      const reader = createReader(after);
      topic.readers.add(reader);
      connectionCount += 1;
      const leaveTopic = () => leave(key, topic, reader);
      if (signal.aborted) leaveTopic();
      else signal.addEventListener("abort", leaveTopic, { once: true });
      return openReader(topic, reader, { leave: leaveTopic, reportError: deps.reportError });
    },
    get connectionCount() {
      return connectionCount;
    },
    get topicCount() {
      return topics.size;
    },
    close() {
      closed = true;
      for (const [key, topic] of topics) {
        for (const reader of topic.readers) leave(key, topic, reader);
      }
    },
  };
}

/** Listens for changes and beats the heart while there are topics. @returns the way to stop. */
function startPulse(deps: HubDeps, topics: ReadonlyMap<string, Topic>): () => void {
  const stopListening = deps.changes.onChange(() => {
    for (const topic of topics.values()) nudge(topic);
  });
  const stop = new AbortController();
  const beat = async () => {
    while (!stop.signal.aborted) {
      await deps.clock.sleep(deps.limits.heartbeatMs, stop.signal);
      for (const topic of topics.values()) beatReaders(topic);
    }
  };
  void beat();
  return () => {
    stopListening();
    stop.abort();
  };
}

function createTopic(source: StreamSource, limits: StreamLimits): Topic {
  return {
    source,
    ring: createSeries(limits.replayCountMax),
    readers: new Set(),
    position: undefined,
    startedCount: 0,
    succeeded: 0,
    stop: new AbortController(),
    wake: new AbortController(),
    dirty: false,
  };
}

function nudge(topic: Topic): void {
  topic.dirty = true;
  topic.wake.abort();
}

/** The producer: one production, at least `intervalMs` of rest, then the next change or refresh. */
async function runTopic(
  topic: Topic,
  deps: HubDeps,
  drop: (reader: Reader) => void,
): Promise<void> {
  const { source, stop } = topic;
  let failing = false;
  while (!stop.signal.aborted) {
    topic.dirty = false;
    topic.wake = new AbortController();
    topic.startedCount += 1;
    const number = topic.startedCount;
    try {
      const messages = await source.produce();
      for (const message of messages) publish(topic, message);
      topic.succeeded = number;
      failing = false;
    } catch (error) {
      // The database may be away for a while: said once, and tried again until it is back.
      if (!failing) deps.reportError(error);
      failing = true;
    }
    for (const reader of topic.readers) {
      if (isTooSlow(topic, reader, deps.limits)) drop(reader);
      else wakeReader(reader);
    }
    if (source.ended && !failing) return;
    await deps.clock.sleep(source.intervalMs, stop.signal);
    if (!topic.dirty) await deps.clock.sleep(source.refreshMs, topic.wake.signal);
  }
}

function publish(topic: Topic, message: StreamMessage): void {
  topic.ring.push(message);
  topic.position = message.position;
}

function isTooSlow(topic: Topic, reader: Reader, limits: StreamLimits): boolean {
  return reader.cursor !== undefined && topic.ring.next - reader.cursor > limits.lagCountMax;
}

function createReader(after: number | undefined): Reader {
  return {
    cursor: undefined,
    after,
    closed: false,
    heartbeatDue: false,
    wake: undefined,
    controller: undefined,
  };
}

function wakeReader(reader: Reader): void {
  const wake = reader.wake;
  reader.wake = undefined;
  wake?.();
}

function endReader(reader: Reader): void {
  if (reader.closed) return;
  reader.closed = true;
  reader.controller?.close();
  wakeReader(reader);
}

/** Only a reader that waits needs a heartbeat: one that does not has bytes on the way. */
function beatReaders(topic: Topic): void {
  for (const reader of topic.readers) {
    if (reader.wake === undefined) continue;
    reader.heartbeatDue = true;
    wakeReader(reader);
  }
}

function openReader(
  topic: Topic,
  reader: Reader,
  deps: { leave: () => void; reportError: (error: unknown) => void },
): Response {
  let greeted = false;
  const stream = new ReadableStream<Uint8Array>(
    {
      start(controller) {
        reader.controller = controller;
        controller.enqueue(HELLO);
      },
      async pull(controller) {
        try {
          const bytes = await nextBytes(topic, reader);
          if (bytes === undefined || reader.closed) return deps.leave();
          if (!greeted && bytes !== HEARTBEAT) {
            greeted = true;
            controller.enqueue(RETRY);
          }
          controller.enqueue(bytes);
        } catch (error) {
          // A failed read of the missed messages: the browser comes back with its Last-Event-ID.
          deps.reportError(error);
          deps.leave();
        }
      },
      cancel: () => {
        // The other side has gone: the controller is closed already.
        reader.controller = undefined;
        deps.leave();
      },
    },
    { highWaterMark: 0 },
  );
  return new Response(stream, {
    headers: {
      "Content-Type": "text/event-stream; charset=utf-8",
      "Cache-Control": "no-store",
      "X-Accel-Buffering": "no",
    },
  });
}

/** What the reader gets next; undefined when it has to be closed. */
async function nextBytes(topic: Topic, reader: Reader): Promise<Uint8Array | undefined> {
  while (!reader.closed) {
    if (reader.cursor === undefined) {
      const missed = await join(topic, reader);
      if (missed !== undefined) return missed;
    }
    if (reader.cursor !== undefined) {
      if (reader.cursor < topic.ring.first) return undefined;
      const message = topic.ring.get(reader.cursor);
      if (message !== undefined) {
        reader.cursor += 1;
        return message.bytes;
      }
    }
    if (reader.heartbeatDue) {
      reader.heartbeatDue = false;
      return HEARTBEAT;
    }
    if (reader.cursor === undefined && topic.position !== undefined) continue;
    await new Promise<void>((resolve) => {
      reader.wake = resolve;
    });
  }
  return undefined;
}

/**
 * Finds the reader's place in the ring. @returns bytes that come before it, or undefined: then either
 * the cursor is set, or the topic has to produce first.
 */
async function join(topic: Topic, reader: Reader): Promise<Uint8Array | undefined> {
  if (topic.position === undefined) return undefined;
  const { ring, source } = topic;
  if (source.kind === "snapshot") {
    reader.cursor = placeAfter(ring, reader.after);
    if (reader.cursor !== undefined) return undefined;
    // The place is taken first: what is published while the snapshot is made comes twice, not never.
    reader.cursor = ring.next;
    return source.snapshot();
  }
  const after = reader.after ?? 0;
  const level = topic.position;
  if (after > level) {
    await produced(topic, reader);
    // A position from the future is that of another database: go on from here.
    if (topic.position < after) reader.after = topic.position;
    return undefined;
  }
  if (after < level) {
    const message = await source.missed(after);
    reader.after = message?.position ?? level;
    return message?.bytes;
  }
  // The place is taken first, as above.
  reader.cursor = source.ended ? ring.next - 1 : ring.next;
  return source.ended ? undefined : source.present?.();
}

/** Waits for a production that begins after this call and succeeds. */
async function produced(topic: Topic, reader: Reader): Promise<void> {
  const target = topic.startedCount + 1;
  while (topic.succeeded < target && !topic.source.ended && !reader.closed) {
    nudge(topic);
    await new Promise<void>((resolve) => {
      reader.wake = resolve;
    });
  }
}

function placeAfter(ring: Series<StreamMessage>, after: number | undefined): number | undefined {
  if (after === undefined) return undefined;
  for (let number = ring.first; number < ring.next; number += 1) {
    if (ring.get(number)?.position === after) return number + 1;
  }
  return undefined;
}
