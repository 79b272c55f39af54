import { STREAM_END } from "../../views/layout.tsx";
import { type RunDetail, RunUpdate } from "../../views/run.tsx";
import { mapKeyOf, type StoredEvent } from "../domain/event.ts";
import type { RunGlance } from "../domain/run-reader.ts";
import type { RunPieces } from "../../views/part/run-pieces.ts";
import { RUN_STATES_FINAL, type RunSummary, type StepAttempt } from "../domain/run.ts";
import type { WebDeps } from "./deps.ts";
import { bannersOf } from "./kit.ts";
import { renderText } from "./render.ts";
import { EVENT_PAGE_COUNT } from "./run-events.ts";
import { readPieces } from "./run-pieces.ts";
import { notFound } from "./require.ts";
import { encodeMessage, type LogSource, type StreamMessage } from "./sse.ts";

/** What happens in a run within this time goes out as one message. */
export const RUN_INTERVAL_MS = 120;
/** Changes that the signal lost show up after this long, and the durations of a running step grow. */
export const RUN_REFRESH_MS = 2_000;

/** The same for a run of so many steps that a message about it is large. */
const LARGE_INTERVAL_MS = 1_000;
const LARGE_STEP_COUNT = 60;

/** What all attempts of a large run come to is read anew after this long. */
const OVERVIEW_MS = 10_000;

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
  const { runId } = options;
  const encoder = createEncoder(deps, options);
  let seq: number | undefined;
  let shown = "";
  let ended = false;
  let stepsShownAt = 0;

  async function requireGlance(): Promise<RunGlance> {
    const run = await deps.runReader.glance(runId);
    if (run === undefined) throw notFound("run", runId);
    return run;
  }

  /* oxlint-disable no-await-in-loop -- a page of events begins where the one before it ends */
  return {
    kind: "log",
    get intervalMs() {
      return encoder.stepCount() > LARGE_STEP_COUNT ? LARGE_INTERVAL_MS : RUN_INTERVAL_MS;
    },
    refreshMs: RUN_REFRESH_MS,
    get ended() {
      return ended;
    },
    async produce() {
      // The run first: when it is final, the events that are read after it are all there will be.
      const run = await requireGlance();
      const face = JSON.stringify([run, bannersOf(deps)]);
      const isFirst = seq === undefined;
      const now = deps.clock.now();
      const isStale = run.state === "running" && now - stepsShownAt >= RUN_REFRESH_MS;
      if (isStale) stepsShownAt = now;
      // Readers fetch what was before; the topic begins at the newest event.
      let after = seq ?? (await deps.runReader.lastSeq(runId));
      const messages: StreamMessage[] = [];
      for (let isShort = false; !isShort;) {
        const events = await deps.runs.events(runId, after, EVENT_PAGE_COUNT);
        isShort = events.length < EVENT_PAGE_COUNT;
        const isNews = events.length > 0 || (messages.length === 0 && (face !== shown || isStale));
        after = events.at(-1)?.seq ?? after;
        if (isNews || isFirst)
          messages.push(
            await encoder.encode(run, {
              events,
              position: after,
              withSteps: isStale,
              changed: isFirst
                ? undefined
                : encoder.cardsFor(events, { isStale, isSame: face === shown }),
            }),
          );
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
      const run = await requireGlance();
      return last === undefined
        ? undefined
        : encoder.encode(run, { events, position: last.seq, withSteps: true });
    },
  };
}

interface News {
  readonly events: readonly StoredEvent[];
  readonly position: number;
  readonly withSteps: boolean;
  /** As in `RunUpdate`. */
  readonly changed?: ReadonlySet<string> | undefined;
}

/** Makes messages; remembers of the last one what the next need not read again. */
function createEncoder(deps: WebDeps, options: Pick<RunDetail, "workflow" | "drawing">) {
  const { workflow, drawing } = options;
  let stepCount = 0;
  let nodes: RunPieces["nodes"];
  let nodesReadAt = 0;
  /** Steps under way: their durations grow. */
  let open: ReadonlySet<string> = new Set();

  return {
    stepCount: () => stepCount,
    /** As `changedSteps`, with the steps under way when it is time to show their durations. */
    cardsFor(
      events: readonly StoredEvent[],
      { isStale, isSame }: { isStale: boolean; isSame: boolean },
    ): ReadonlySet<string> | undefined {
      if (events.length === 0) return isStale && isSame ? open : undefined;
      const changed = changedSteps(events);
      return changed === undefined || !isStale ? changed : changed.union(open);
    },
    async encode(run: RunGlance, news: News): Promise<StreamMessage> {
      const { events, position, withSteps, changed } = news;
      // Text that a model writes changes nothing else, and comes most often.
      const isText = !withSteps && events.length > 0 && events.every(isPieceOfText);
      const now = deps.clock.now();
      const isKnown = changed !== undefined && now - nodesReadAt < OVERVIEW_MS;
      const known = { workflow, nodes: isKnown ? nodes : undefined };
      const parts = isText ? NOTHING : await readParts(deps, run, known);
      if (!isText) {
        stepCount = parts.steps.length;
        nodes = parts.nodes;
        if (!isKnown) nodesReadAt = now;
        open = new Set(parts.steps.filter(isOpen).map((step) => mapKeyOf(step.key) ?? step.key));
      }
      const detail = { ...parts, run, omitted: run.omitted, events, workflow, drawing };
      const more = {
        banners: bannersOf(deps),
        now,
        withSteps,
        ...(changed === undefined ? {} : { changed }),
      };
      const data = await renderText(RunUpdate({ ...detail, ...more }));
      return { position, bytes: encodeMessage({ id: String(position), data }) };
    },
  };
}

type Parts = RunPieces & Pick<RunDetail, "approvals" | "descendants">;

const NOTHING: Parts = { steps: [], calls: [], approvals: [], descendants: [] };

/** What a message shows beside the run and its log. */
async function readParts(
  deps: Pick<WebDeps, "runs" | "runReader">,
  run: RunGlance,
  known: Pick<RunDetail, "workflow" | "nodes">,
): Promise<Parts> {
  const [pieces, relatives] = await Promise.all([
    readPieces(deps.runReader, run, known),
    readRelatives(deps, run.id),
  ]);
  return { ...pieces, ...relatives };
}

/** The people and runs that a run waits for or has made. */
export async function readRelatives(
  { runs }: Pick<WebDeps, "runs">,
  runId: string,
): Promise<Pick<RunDetail, "approvals" | "descendants">> {
  const [approvals, descendants] = await Promise.all([
    runs.pendingApprovals({ runId, limit: APPROVAL_COUNT_MAX }),
    runs.descendants(runId, DESCENDANT_COUNT_MAX),
  ]);
  return { approvals, descendants };
}

function isOpen({ finishedAt, state }: Pick<StepAttempt, "finishedAt" | "state">): boolean {
  return finishedAt === null && state !== "superseded";
}

function isPieceOfText({ event }: StoredEvent): boolean {
  return event.type === "model.delta" || event.type === "output.delta";
}

/**
 * The steps whose cards these events change, a map for its items; undefined when more than cards has changed: a
 * step has begun, or something has come to the run itself.
 */
function changedSteps(events: readonly StoredEvent[]): ReadonlySet<string> | undefined {
  const changed = new Set<string>();
  for (const { event } of events) {
    if (!("step" in event)) return undefined;
    const map = mapKeyOf(event.step);
    const begins = event.type === "step.started" || event.type === "step.skipped";
    const asks = event.type === "step.waiting" || event.type === "approval.decided";
    if ((begins || asks) && map === undefined) return undefined;
    changed.add(map ?? event.step);
  }
  return changed.size === 0 ? undefined : changed;
}

/** The browser closes the stream when it sees this: an open one keeps one of its few connections. */
function endMessage(run: Pick<RunSummary, "state">, position: number): StreamMessage {
  const message = { id: String(position), data: run.state, event: STREAM_END };
  return { position, bytes: encodeMessage(message) };
}
