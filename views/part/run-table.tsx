import type { Run } from "../../src/domain/run.ts";
import { RunBadge, runStateLabel, StateIcon } from "./badge.tsx";
import { Segments } from "./chart.tsx";
import { formatDuration } from "./duration.ts";
import { PostForm } from "./form.tsx";
import { Icon } from "./icon.tsx";
import { idPart, shortId } from "./id.ts";
import { formatCost } from "./money.ts";
import { formatShort, plural } from "./number.ts";
import { isCancellable, nodeStates, runDurationMs } from "./run-progress.ts";
import { TimeAgo } from "./time.tsx";

/** Runs as a table; in a narrow place each run is a card. With `csrf` each has a Cancel button. */
export function RunList(props: {
  runs: readonly Run[];
  now: number;
  caption: string;
  csrf?: string | undefined;
}) {
  const { csrf } = props;
  return (
    <table class="runs">
      <caption class="sr">{props.caption}</caption>
      <thead>
        <tr>
          <th scope="col">Workflow</th>
          <th scope="col">State</th>
          <th scope="col">Progress</th>
          <th scope="col" class="num">
            Time
          </th>
          <th scope="col" class="num c-tokens">
            Tokens
          </th>
          <th scope="col" class="num c-cost">
            Cost
          </th>
          <th scope="col" class="num c-at">
            Created
          </th>
          {csrf === undefined ? null : (
            <th scope="col">
              <span class="sr">Actions</span>
            </th>
          )}
        </tr>
      </thead>
      <tbody>
        {props.runs.map((run) => (
          <Row run={run} now={props.now} csrf={csrf} />
        ))}
      </tbody>
    </table>
  );
}

function Row(props: { run: Run; now: number; csrf: string | undefined }) {
  const { run, now, csrf } = props;
  const durationMs = runDurationMs(run, now);
  const tokens = run.usage.input + run.usage.output;
  const done = run.doneNodeIds.length;
  return (
    <tr id={`run-${idPart(run.id)}`}>
      <th scope="row" class="c-flow">
        <a href={`/runs/${encodeURIComponent(run.id)}`}>
          <StateIcon state={run.state} />
          <span class="sr">{runStateLabel(run)}: </span>
          <span class="flow-name">{run.workflowName}</span>
        </a>
        <span class="sub">
          {shortId(run.id)} · {run.source}
          <span class="c-when">
            {" "}
            · <TimeAgo at={run.createdAt} now={now} />
          </span>
        </span>
      </th>
      <td class="c-state">
        <RunBadge run={run} />
      </td>
      <td class="c-steps">
        <Segments
          states={nodeStates(run)}
          label={`${done} of ${plural(run.nodeIds.length, "step")} done`}
        />
        <span class="sub num" aria-hidden="true">
          {done}/{run.nodeIds.length}
        </span>
      </td>
      <td class="num c-took">{durationMs === null ? "–" : formatDuration(durationMs)}</td>
      <td class="num c-tokens">{tokens === 0 ? "–" : formatShort(tokens)}</td>
      <td class="num c-cost">
        {tokens === 0 ? "–" : formatCost(run.costNanoUsd, run.unpricedCount)}
      </td>
      <td class="num c-at">
        <TimeAgo at={run.createdAt} now={now} />
      </td>
      {csrf === undefined ? null : <Actions run={run} csrf={csrf} />}
    </tr>
  );
}

function Actions(props: { run: Run; csrf: string }) {
  const { run } = props;
  return (
    <td class="c-actions">
      {isCancellable(run) ? (
        <PostForm action={`/runs/${encodeURIComponent(run.id)}/cancellation`} csrf={props.csrf}>
          <button type="submit" class="btn ghost small" id={`cancel-${idPart(run.id)}`}>
            <Icon name="stop" size={12} />
            Cancel
            <span class="sr">
              {" "}
              {run.workflowName} {shortId(run.id)}
            </span>
          </button>
        </PostForm>
      ) : null}
    </td>
  );
}
