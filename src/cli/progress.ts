/** The progress of a run: a state that is a pure function of its events. */
import { isItemKey, mapKeyOf, nodeIdOf, type RunEvent, type StoredEvent } from "../domain/event.ts";
import { type Run, type Totals, WAITING_WORDS } from "../domain/run.ts";
import { addCall, NO_TOTALS } from "./totals.ts";
import { callWords } from "./event-text.ts";

/** How much of a streaming answer is kept. */
const TEXT_CHARS_MAX = 2_000;
const NAME_COLUMNS_MAX = 24;

export type CallEvent = Extract<RunEvent, { readonly call: number }>;
export type StepEvent = Exclude<Extract<RunEvent, { readonly step: string }>, CallEvent>;

export interface ActiveStep extends Totals {
  readonly key: string;
  readonly attempt: number;
  readonly startedAt: number;
  /** What it is doing: the model or tool. */
  readonly doing: string;
  readonly text: string;
  /** Of a map: how many items it has, and how many have ended. */
  readonly items: { readonly count: number; readonly ended: number } | undefined;
}

export interface Progress extends Totals {
  readonly runId: string;
  readonly workflowName: string;
  readonly stepCount: number;
  readonly nameColumns: number;
  readonly createdAt: number;
  readonly phase: "queued" | "running" | "waiting" | "cancelling" | "ended";
  readonly waitingFor: string;
  /** null: until somebody or something wakes it. */
  readonly waitingUntil: number | null;
  /** Nodes that a step has succeeded of. */
  readonly doneNodeIds: readonly string[];
  readonly active: readonly ActiveStep[];
  /** Keys of the steps that wait. */
  readonly waiting: readonly string[];
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
    doneNodeIds: [],
    active: [],
    waiting: [],
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
        waitingFor: WAITING_WORDS[event.for],
        waitingUntil: event.untilMs,
      };
    case "run.cancelling":
      return { ...progress, phase: "cancelling" };
    case "run.succeeded":
      return { ...progress, phase: "ended", active: [], outputs: event.outputs };
    case "run.failed":
    case "run.cancelled":
      return { ...progress, phase: "ended", active: [] };
    case "run.resumed":
      return goBack(progress, event.from);
    case "run.queued":
    case "run.forked":
    case "signal.received":
    default:
      return progress;
  }
}

/** What is done anew from a step is told as it comes; what was done before it, nobody says here. */
function goBack(progress: Progress, from: string | undefined): Progress {
  const doneNodeIds =
    from === undefined
      ? progress.doneNodeIds
      : progress.doneNodeIds.slice(0, Math.max(0, progress.doneNodeIds.indexOf(nodeIdOf(from))));
  return { ...progress, phase: "queued", active: [], waiting: [], doneNodeIds };
}

function advanceStep(progress: Progress, event: StepEvent, at: number): Progress {
  const { step } = event;
  switch (event.type) {
    case "step.started":
      return startStep(progress, event, at);
    case "approval.decided":
    case "loop.exhausted":
      return progress;
    case "step.waiting":
      return { ...endStep(progress, step), waiting: [...without(progress.waiting, step), step] };
    case "step.failed":
      return countItem(endStep(progress, step), event.retryAtMs === undefined ? step : undefined);
    case "step.skipped":
      return countItem(endStep(progress, step), step);
    case "step.succeeded":
    default:
      return countItem(addDone(endStep(progress, step), step), step);
  }
}

function endStep(progress: Progress, key: string): Progress {
  return {
    ...progress,
    active: progress.active.filter((step) => step.key !== key),
    waiting: without(progress.waiting, key),
  };
}

function addDone(progress: Progress, key: string): Progress {
  if (isItemKey(key)) return progress;
  const nodeId = nodeIdOf(key);
  return { ...progress, doneNodeIds: [...without(progress.doneNodeIds, nodeId), nodeId] };
}

/** One more item of its map has ended. */
function countItem(progress: Progress, key: string | undefined): Progress {
  const map = key === undefined ? undefined : mapKeyOf(key);
  return changeStep(progress, map, ({ items }) =>
    items === undefined ? {} : { items: { ...items, ended: items.ended + 1 } },
  );
}

function without(keys: readonly string[], key: string): readonly string[] {
  return keys.includes(key) ? keys.filter((other) => other !== key) : keys;
}

function changeStep(
  progress: Progress,
  key: string | undefined,
  next: (step: ActiveStep) => Partial<ActiveStep>,
): Progress {
  if (key === undefined) return progress;
  const active = progress.active.map((step) =>
    step.key === key ? Object.assign({}, step, next(step)) : step,
  );
  return { ...progress, active };
}

function advanceCall(progress: Progress, event: CallEvent): Progress {
  const change = (next: (step: ActiveStep) => Partial<ActiveStep>) =>
    changeStep(progress, event.step, next);
  switch (event.type) {
    case "model.started":
      return {
        ...change(() => ({ doing: `${event.provider}/${event.model}`, text: "" })),
        demo: progress.demo || event.provider === "demo",
      };
    case "model.finished": {
      const counted = change((step) => addCall(step, event));
      const ofMap = changeStep(counted, mapKeyOf(event.step), (map) => addCall(map, event));
      return { ...ofMap, ...addCall(progress, event) };
    }
    case "model.fallback":
      return change(() => ({ doing: `${event.model} cannot be used` }));
    case "model.delta":
    case "output.delta":
      return change((step) => ({ text: (step.text + event.text).slice(-TEXT_CHARS_MAX) }));
    case "tool.started":
      return change(() => ({ doing: callWords(event.tool), text: "" }));
    case "tool.finished":
    default:
      return change(({ doing }) => ({ doing: `${doing}: ${event.ok ? "done" : "failed"}` }));
  }
}

function startStep(
  progress: Progress,
  event: Extract<RunEvent, { type: "step.started" }>,
  at: number,
): Progress {
  const { step: key, attempt, itemCount } = event;
  const step: ActiveStep = {
    key,
    attempt,
    startedAt: at,
    doing: "",
    text: "",
    items: itemCount === undefined ? undefined : { count: itemCount, ended: 0 },
    ...NO_TOTALS,
  };
  const { active, nameColumns } = endStep(progress, key);
  return {
    ...progress,
    phase: progress.phase === "cancelling" ? "cancelling" : "running",
    nameColumns: Math.max(nameColumns, Math.min(NAME_COLUMNS_MAX, key.length)),
    active: [...active, step],
    waiting: without(progress.waiting, key),
  };
}
