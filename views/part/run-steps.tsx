/** The steps of a run: as a graph, over time, and one by one with all that they did. */
import type { Run, StepAttempt, StepCall } from "../../src/domain/run.ts";
import type { Drawing } from "../../src/graph/drawing.ts";
import type { Workflow } from "../../src/domain/workflow.ts";
import { type NodeState, STATE_LABEL } from "./badge.tsx";
import { formatDuration } from "./duration.ts";
import { Graph, type GraphNode } from "./graph.tsx";
import { formatCount, plural } from "./number.ts";
import { Panel } from "./panel.tsx";
import { isFinal, newestSteps, stateOfNode, takenEdges } from "./run-progress.ts";
import { spansOf } from "./run-spans.ts";
import { attemptId, groupCalls, groupItems, itemCounts, StepItem } from "./step-item.tsx";
import { Waterfall } from "./waterfall.tsx";

/** With more attempts than this only the newest of each node has a card; those before it are folded below. */
export const CARD_COUNT_MAX = 30;

export interface RunStepsProps {
  readonly run: Run;
  readonly steps: readonly StepAttempt[];
  readonly calls: readonly StepCall[];
  readonly workflow: Workflow | undefined;
  readonly drawing: Drawing | undefined;
  /** Runs that were started or made from this one. */
  readonly descendants: readonly Run[];
  readonly now: number;
}

export function RunSteps(props: RunStepsProps) {
  const { run, steps } = props;
  return (
    <div id="run-steps" class="column">
      <Panel
        id="graph"
        title="Progress"
        note={`${run.doneNodeIds.length} of ${plural(run.nodeIds.length, "step")} done`}
      >
        {props.drawing === undefined ? (
          <p class="quiet">There is no drawing of this workflow; its steps are listed below.</p>
        ) : (
          <Graph
            drawing={props.drawing}
            label={`Steps of ${run.workflowName}`}
            nodes={graphNodes(props)}
            taken={takenEdges(steps, props.workflow)}
          />
        )}
      </Panel>
      {steps.length === 0 ? null : (
        <Panel id="trace" title="Trace" note="steps and calls over time">
          <Waterfall spans={spansOf(props)} />
        </Panel>
      )}
      <StepList {...props} />
    </div>
  );
}

function StepList(props: RunStepsProps) {
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
  return (
    <Panel id="steps" title="Steps" note={attemptNote(own)}>
      {own.length === 0 ? <p class="quiet">No step has started yet.</p> : null}
      <ol class="node-list">
        {(isFolded ? own.filter(isNewest) : own).map((step) => (
          <StepItem
            step={step}
            node={workflow?.nodes.find((candidate) => candidate.id === step.nodeId)}
            calls={calls}
            items={items.get(step.key) ?? []}
            earlier={earlier.get(step.nodeId) ?? []}
            startedRuns={startedRuns.get(step.key) ?? []}
            canRetry={isFinal(run) && isNewest(step)}
            now={now}
          />
        ))}
      </ol>
    </Panel>
  );
}

const NONE: ReadonlyMap<string, readonly StepAttempt[]> = new Map();

function attemptNote(steps: readonly StepAttempt[]): string {
  const failed = steps.filter((step) => step.state === "failed").length;
  const attempts = plural(steps.length, "attempt");
  return failed === 0 ? attempts : `${attempts}, ${failed} failed`;
}

function graphNodes(props: RunStepsProps): GraphNode[] {
  const { run, steps, now } = props;
  const items = groupItems(steps);
  const own = items.get(undefined) ?? [];
  const newest = newestSteps(own);
  const rounds = new Map(
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
          : (itemNote(last, items.get(last.key) ?? []) ??
            graphNote(state, last, { rounds: rounds.get(id) ?? 1, now })),
    };
  });
}

/** How far a map has come. */
function itemNote(map: StepAttempt, items: readonly StepAttempt[]): string | undefined {
  if (items.length === 0) return undefined;
  const { all, ended, failed } = itemCounts(map, items);
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
