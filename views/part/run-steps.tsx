/** The steps of a run: as a graph, over time, and one by one with all that they did. */
import type { Run, StepAttempt } from "../../src/domain/run.ts";
import type { ItemCounts } from "../../src/domain/run-reader.ts";
import { aheadOf } from "../../src/language/ahead.ts";
import type { Drawing } from "../../src/graph/drawing.ts";
import type { Workflow } from "../../src/domain/workflow.ts";
import { type NodeState, STATE_LABEL } from "./badge.tsx";
import { formatDuration } from "./duration.ts";
import { Graph, type GraphNode } from "./graph.tsx";
import { formatCount, plural } from "./number.ts";
import { MoreLink, Panel } from "./panel.tsx";
import { isFinal, newestSteps, progressOf, stateOfNode, takenEdges } from "./run-progress.ts";
import type { RunPieces } from "./run-pieces.ts";
import { spansOf } from "./run-spans.ts";
import {
  attemptId,
  groupCalls,
  groupItems,
  itemCounts,
  StepItem,
  type StepItemProps,
} from "./step-item.tsx";
import { SPAN_COUNT_MAX, Waterfall } from "./waterfall.tsx";

/** With more attempts than this only the newest of each node has a card; those before it are folded below. */
export const CARD_COUNT_MAX = 30;

export interface RunStepsProps extends RunPieces {
  readonly run: Run;
  readonly workflow: Workflow | undefined;
  readonly drawing: Drawing | undefined;
  /** Runs that were started or made from this one. */
  readonly descendants: readonly Run[];
  readonly now: number;
}

export function RunSteps(props: RunStepsProps) {
  return (
    <div id="run-steps" class="column">
      <RunGraph {...props} />
      <RunTrace {...props} />
      <StepList {...props} />
    </div>
  );
}

export function RunGraph(props: RunStepsProps) {
  const { run, steps, nodes } = props;
  const { note } = progressOf(run, { ahead: ahead(props) });
  return (
    <div id="run-graph" class="column">
      <Panel
        id="graph"
        title="Progress"
        note={isFinal(run) ? `${plural(run.doneNodeIds.length, "step")} done` : `${note} steps`}
      >
        {props.drawing === undefined ? (
          <p class="quiet">There is no drawing of this workflow; its steps are listed below.</p>
        ) : (
          <Graph
            drawing={props.drawing}
            label={`Steps of ${run.workflowName}`}
            nodes={graphNodes(props)}
            taken={takenEdges(nodes ?? steps, props.workflow)}
          />
        )}
      </Panel>
    </div>
  );
}

export function ahead({
  run,
  workflow,
}: Pick<RunStepsProps, "run" | "workflow">): readonly string[] | undefined {
  return workflow === undefined ? undefined : aheadOf(workflow, run.doneNodeIds);
}

export function RunTrace(props: RunStepsProps) {
  const { steps, earlier } = props;
  if (steps.length === 0) return <div id="run-trace" class="column"></div>;
  const path = `/runs/${encodeURIComponent(props.run.id)}/trace`;
  const spans = spansOf(props);
  return (
    <div id="run-trace" class="column">
      <Panel
        id="trace"
        title="Trace"
        note={
          earlier === undefined
            ? "steps and calls over time"
            : "the newest steps and calls over time"
        }
        {...(isWhole(props) && spans.length <= SPAN_COUNT_MAX
          ? {}
          : { action: <MoreLink href={path} label="Whole trace" /> })}
      >
        {earlier === undefined ? null : (
          <p class="quiet">
            <a class="inline-link" href={`${path}?before=${earlier}`}>
              Earlier in the trace
            </a>
          </p>
        )}
        <Waterfall spans={spans} />
      </Panel>
    </div>
  );
}

/** Nothing that has begun is missing in the trace. */
function isWhole({ steps, earlier, itemCounts: counts }: RunStepsProps): boolean {
  if (earlier !== undefined) return false;
  const items = groupItems(steps);
  const isShort = [...(counts ?? [])].some(
    ([map, { count }]) => count > (items.get(map)?.length ?? 0),
  );
  return !isShort;
}

function StepList(props: RunStepsProps) {
  const { run } = props;
  const cards = stepCards(props);
  const path = `/runs/${encodeURIComponent(run.id)}`;
  return (
    <Panel id="steps" title="Steps" note={attemptNote(props)}>
      {cards.length === 0 ? <p class="quiet">No step has started yet.</p> : null}
      {props.earlier === undefined ? null : (
        <p class="quiet">
          Only the newest attempts are shown.{" "}
          <a class="inline-link" href={`${path}/steps?before=${props.earlier}`}>
            Show earlier ones
          </a>
        </p>
      )}
      <ol class="node-list">
        {cards.map((card) => (
          <StepItem {...card} />
        ))}
      </ol>
    </Panel>
  );
}

/** A card for each attempt; of many only the newest of each node has one, with those before it folded below. */
export function stepCards(props: RunStepsProps): StepItemProps[] {
  const { run, steps, workflow, descendants, now } = props;
  const items = groupItems(steps);
  const own = items.get(undefined) ?? [];
  const calls = groupCalls(props.calls);
  const newest = newestSteps(own);
  const isNewest = (step: StepAttempt) => newest.get(step.nodeId) === step;
  const isFolded = own.length > CARD_COUNT_MAX;
  const earlier = isFolded
    ? Map.groupBy(
        own.filter((step) => !isNewest(step)),
        ({ nodeId }) => nodeId,
      )
    : NONE;
  const startedRuns = Map.groupBy(
    descendants.filter(({ origin }) => origin?.kind === "child"),
    ({ origin }) => origin?.step,
  );
  return (isFolded ? own.filter(isNewest) : own).map((step) => ({
    path: `/runs/${encodeURIComponent(run.id)}`,
    step,
    node: workflow?.nodes.find((candidate) => candidate.id === step.nodeId),
    calls,
    items: items.get(step.key) ?? [],
    counts: props.itemCounts?.get(step.key),
    earlier: earlier.get(step.nodeId) ?? [],
    startedRuns: startedRuns.get(step.key) ?? [],
    canRetry: isFinal(run) && isNewest(step),
    now,
  }));
}

const NONE: ReadonlyMap<string, readonly StepAttempt[]> = new Map();

function attemptNote({ steps, nodes }: RunStepsProps): string {
  const own = groupItems(steps).get(undefined) ?? [];
  const sum = (name: "attemptCount" | "failedCount") =>
    nodes?.reduce((total, node) => total + node[name], 0);
  const failed = sum("failedCount") ?? own.filter((step) => step.state === "failed").length;
  const attempts = plural(sum("attemptCount") ?? own.length, "attempt");
  return failed === 0 ? attempts : `${attempts}, ${formatCount(failed)} failed`;
}

/** The nodes of a run with their states, in the order of the file. */
export function graphNodes(props: Omit<RunStepsProps, "drawing" | "descendants">): GraphNode[] {
  const { run, steps, now } = props;
  const items = groupItems(steps);
  const own = items.get(undefined) ?? [];
  const newest = newestSteps(props.nodes?.map((node) => node.newest) ?? own);
  const known = props.nodes?.map((node) => [node.nodeId, node.roundCount] as const);
  const rounds = new Map(
    known ??
      [...Map.groupBy(own, (step) => step.nodeId)].map(([id, all]) => [
        id,
        new Set(all.map(({ key }) => key)).size,
      ]),
  );
  return run.nodeIds.map((id) => {
    const last = newest.get(id);
    const state = stateOfNode(last);
    return {
      id,
      state,
      href: last === undefined ? "#steps-h" : `#${attemptId(last)}`,
      note:
        last === undefined
          ? STATE_LABEL[state]
          : (itemNote(last, items.get(last.key) ?? [], props.itemCounts?.get(last.key)) ??
            graphNote(state, last, { rounds: rounds.get(id) ?? 1, now })),
    };
  });
}

/** How far a map has come. */
function itemNote(
  map: StepAttempt,
  items: readonly StepAttempt[],
  counts: ItemCounts | undefined,
): string | undefined {
  if (items.length === 0) return undefined;
  const { all, ended, failed } = itemCounts(map, items, counts);
  const done = ended === all ? plural(all, "item") : `${formatCount(ended)}/${formatCount(all)}`;
  return failed === 0 ? done : `${done}, ${formatCount(failed)} failed`;
}

function graphNote(
  state: NodeState,
  last: StepAttempt,
  { rounds, now }: { rounds: number; now: number },
): string {
  const label = STATE_LABEL[state];
  if (rounds > 1) return `${label}, round ${rounds}`;
  if (last.attempt > 1) return `${label}, attempt ${last.attempt}`;
  if (state === "waiting" || state === "skipped") return label;
  return `${label}, ${formatDuration((last.finishedAt ?? now) - last.startedAt)}`;
}
