import { RUN_STATES_FINAL } from "../domain/run.ts";
import type { StoredEvent } from "../domain/event.ts";
import type { WebDeps } from "./deps.ts";
import { EVENT_PAGE_COUNT } from "./run-events.ts";
import { RUN_INTERVAL_MS, RUN_REFRESH_MS } from "./run-source.ts";
import { notFound } from "./require.ts";
import { encodeMessage, type LogSource, type StreamMessage } from "./sse.ts";
import { STREAM_END } from "../../views/layout.tsx";

/** The log of one run as JSON, one message an event: its `seq` is the id of the message. */
export function createEventSource(
  deps: Pick<WebDeps, "runs" | "runReader">,
  options: { readonly runId: string; readonly present: (event: StoredEvent) => object },
): LogSource {
  const { runs, runReader } = deps;
  const { runId, present } = options;
  let seq: number | undefined;
  let ended = false;

  function encode(stored: StoredEvent): StreamMessage {
    const data = JSON.stringify(present(stored));
    const message = { id: String(stored.seq), event: stored.event.type, data };
    return { position: stored.seq, bytes: encodeMessage(message) };
  }

  /* oxlint-disable no-await-in-loop -- a page of events begins where the one before it ends */
  return {
    kind: "log",
    intervalMs: RUN_INTERVAL_MS,
    refreshMs: RUN_REFRESH_MS,
    get ended() {
      return ended;
    },
    async produce() {
      // The run first: when it is final, the events that are read after it are all there will be.
      const run = await runs.get(runId);
      if (run === undefined) throw notFound("run", runId);
      let after = seq ?? (await runReader.lastSeq(runId));
      const messages: StreamMessage[] = [];
      for (let isShort = false; !isShort;) {
        const events = await runs.events(runId, after, EVENT_PAGE_COUNT);
        isShort = events.length < EVENT_PAGE_COUNT;
        after = events.at(-1)?.seq ?? after;
        messages.push(...events.map(encode));
      }
      seq = after;
      ended = RUN_STATES_FINAL.includes(run.state);
      // A topic begins with a position; readers fetch what was before.
      if (messages.length === 0 || ended) messages.push(stateMessage(run.state, after, ended));
      return messages;
    },
    async missed(after) {
      const events = await runs.events(runId, after, EVENT_PAGE_COUNT);
      const last = events.at(-1);
      if (last === undefined) return undefined;
      const bytes = Buffer.concat(events.map((event) => encode(event).bytes));
      return { position: last.seq, bytes };
    },
  };
}

/** `end` when nothing will come any more: whoever reads may hang up. */
function stateMessage(state: string, position: number, isEnd: boolean): StreamMessage {
  const event = isEnd ? STREAM_END : "state";
  const data = JSON.stringify({ state });
  return { position, bytes: encodeMessage({ id: String(position), event, data }) };
}
