/** The run that was begun in a conversation: how far each of its steps is, what it needs, what came out. */
import { AskHere } from "./ask-chat.tsx";
import { RunBadge, StateIcon } from "./badge.tsx";
import { formatDuration } from "./duration.ts";
import { Graph } from "./graph.tsx";
import { Icon } from "./icon.tsx";
import { shortId } from "./id.ts";
import { formatCost } from "./money.ts";
import { formatCount } from "./number.ts";
import type { PanelRun, ResultPanelProps } from "./result-panel.tsx";
import { Approvals } from "./run-needs.tsx";
import { isCancellable, isFinal, progressOf, runDurationMs, takenEdges } from "./run-progress.ts";
import { RunResult } from "./run-result.tsx";
import { ahead, graphNodes } from "./run-steps.tsx";

/** The form outside of the live parts that its button belongs to: it has the CSRF token. */
export const RUN_CANCEL_FORM = "result-cancel-form";

export function ResultRun(props: ResultPanelProps) {
  const { run } = props;
  return (
    <div id="result-run" class="view-run" data-run={run?.run.id}>
      {run === undefined ? null : <Run {...props} detail={run} />}
    </div>
  );
}

function Run(props: ResultPanelProps & { detail: PanelRun }) {
  const { detail, now, writable } = props;
  const { run, workflow, drawing, steps, nodes } = detail;
  const path = `/runs/${encodeURIComponent(run.id)}`;
  // What a step did is on the page of the run.
  const places = graphNodes({ ...detail, now }).map((node) =>
    Object.assign({}, node, { href: path + node.href }),
  );
  return (
    <>
      <RunLine {...props} path={path} />
      {writable ? <Approvals approvals={detail.approvals} now={now} /> : null}
      {drawing === undefined ? null : (
        <Graph
          drawing={drawing}
          id="result-run-drawing"
          label={`Progress of ${run.workflowName}`}
          nodes={places}
          taken={takenEdges(nodes ?? steps, workflow)}
        />
      )}
      <ol class="run-nodes">
        {places.map(({ id, href, state, note }) => (
          <li>
            <StateIcon state={state ?? "queued"} />
            <a href={href}>{id}</a>
            <span class="sub num">{note}</span>
          </li>
        ))}
      </ol>
      <RunResult
        run={run}
        steps={steps}
        {...(detail.omitted === undefined ? {} : { omitted: detail.omitted })}
        ask={writable ? <AskHere conversationId={props.conversationId} runId={run.id} /> : ""}
      />
    </>
  );
}

function RunLine(props: ResultPanelProps & { detail: PanelRun; path: string }) {
  const { detail, now, path } = props;
  const { run, workflow } = detail;
  const durationMs = runDurationMs(run, now);
  const { note } = progressOf(run, { ahead: ahead({ run, workflow }) });
  const tokens = run.usage.input + run.usage.output;
  const told = [
    isFinal(run) ? undefined : `${note} steps`,
    tokens === 0 ? undefined : `${formatCount(tokens)} tokens`,
    formatCost(run.costNanoUsd, run.unpricedCount),
  ].filter((part) => part !== undefined);
  return (
    <div class="run-line">
      <span role="status">
        <RunBadge run={run} />
      </span>
      <span class="sub num">
        {durationMs === null ? null : (
          <>
            <span data-since={isFinal(run) ? undefined : run.startedAt}>
              {formatDuration(durationMs)}
            </span>
            {" · "}
          </>
        )}
        {told.join(" · ")}
      </span>
      <span class="spacer"></span>
      {props.writable && isCancellable(run) ? (
        <button type="submit" class="btn danger small" form={RUN_CANCEL_FORM}>
          <Icon name="stop" size={12} />
          Cancel<span class="sr"> the run</span>
        </button>
      ) : null}
      <a class="btn ghost small" href={path}>
        <Icon name="runs" size={14} />
        Run {shortId(run.id)}
      </a>
    </div>
  );
}
