import { STREAM_END } from "../../views/layout.tsx";
import { type RunDetail, RunUpdate } from "../../views/run.tsx";
import { AppError } from "../domain/error.ts";
import type { StoredEvent } from "../domain/event.ts";
import { RUN_STATES_FINAL, type Run } from "../domain/run.ts";
import type { WebDeps } from "./deps.ts";
import { bannersOf } from "./kit.ts";
import { renderText } from "./render.ts";
import { EVENT_PAGE_COUNT, lastSeq } from "./run-events.ts";
import { encodeMessage, type LogSource, type StreamMessage } from "./sse.ts";

/** What happens in a run within this time goes out as one message. */
export const RUN_INTERVAL_MS = 120;
/** Changes that the signal lost show up after this long, and the durations of a running step grow. */
export const RUN_REFRESH_MS = 2_000;

/** The same for a run of so many steps that a message about it is large. */
const LARGE_INTERVAL_MS = 1_000;
const LARGE_STEP_COUNT = 60;

const APPROVAL_COUNT_MAX = 20;
const DESCENDANT_COUNT_MAX = 20;

/**
 * The stream of one run. The place of a message is the `seq` of its last event, so that a reader who
 * comes back is served from the database, also by another process.
 */
export function createRunSource(
  deps: WebDeps,
  options: { runId: string } & Pick<RunDetail, "workflow" | "drawing">,
): LogSource {
  const { runId, workflow, drawing } = options;
  let seq: number | undefined;
  let shown = "";
  let ended = false;
  let stepsShownAt = 0;
  let stepCount = 0;

  async function encode(
    run: Run,
    news: { events: readonly StoredEvent[]; position: number; withSteps: boolean },
  ): Promise<StreamMessage> {
    const { events, position, withSteps } = news;
    const parts = await readParts(deps, runId);
    stepCount = parts.steps.length;
    const now = deps.clock.now();
    const banners = bannersOf(deps);
    const detail = { ...parts, run, events, workflow, drawing };
    const data = await renderText(RunUpdate({ ...detail, banners, now, withSteps }));
    return { position, bytes: encodeMessage({ id: String(position), data }) };
  }

  async function requireRun(): Promise<Run> {
    const run = await deps.runs.get(runId);
    if (run === undefined) throw new AppError("not_found", `There is no run ${runId}.`);
    return run;
  }

  /* oxlint-disable no-await-in-loop -- a page of events begins where the one before it ends */
  return {
    kind: "log",
    get intervalMs() {
      return stepCount > LARGE_STEP_COUNT ? LARGE_INTERVAL_MS : RUN_INTERVAL_MS;
    },
    refreshMs: RUN_REFRESH_MS,
    get ended() {
      return ended;
    },
    async produce() {
      // The run first: when it is final, the events that are read after it are all there will be.
      const run = await requireRun();
      const face = JSON.stringify([run, bannersOf(deps)]);
      const isFirst = seq === undefined;
      const now = deps.clock.now();
      const isStale = run.state === "running" && now - stepsShownAt >= RUN_REFRESH_MS;
      if (isStale) stepsShownAt = now;
      // Readers fetch what was before; the topic begins at the newest event.
      let after = seq ?? (await lastSeq(deps.runs, runId));
      const messages: StreamMessage[] = [];
      for (let isShort = false; !isShort;) {
        const events = await deps.runs.events(runId, after, EVENT_PAGE_COUNT);
        isShort = events.length < EVENT_PAGE_COUNT;
        const isNews = events.length > 0 || (messages.length === 0 && (face !== shown || isStale));
        after = events.at(-1)?.seq ?? after;
        if (isNews || isFirst)
          messages.push(await encode(run, { events, position: after, withSteps: isStale }));
      }
      seq = after;
      shown = face;
      ended = RUN_STATES_FINAL.includes(run.state);
      if (ended) messages.push(endMessage(run, after));
      return messages;
    },
    async missed(after) {
      const events = await deps.runs.events(runId, after, EVENT_PAGE_COUNT);
      const last = events.at(-1);
      // After its events: nothing behind them tells what they have done to the run.
      const run = await requireRun();
      return last === undefined
        ? undefined
        : encode(run, { events, position: last.seq, withSteps: true });
    },
  };
}

/** What a message shows beside the run and its log. */
async function readParts(
  { runs }: Pick<WebDeps, "runs">,
  runId: string,
): Promise<Pick<RunDetail, "steps" | "calls" | "approvals" | "descendants">> {
  const [{ steps, calls }, approvals, descendants] = await Promise.all([
    runs.journal(runId),
    runs.pendingApprovals({ runId, limit: APPROVAL_COUNT_MAX }),
    runs.descendants(runId, DESCENDANT_COUNT_MAX),
  ]);
  return { steps, calls, approvals, descendants };
}

/** The browser closes the stream when it sees this: an open one keeps one of its few connections. */
function endMessage(run: Run, position: number): StreamMessage {
  const message = { id: String(position), data: run.state, event: STREAM_END };
  return { position, bytes: encodeMessage(message) };
}
