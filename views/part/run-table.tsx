import type { RunSummary } from "../../src/domain/run.ts";
import { RunBadge, runStateLabel, StateIcon } from "./badge.tsx";
import { Segments } from "./chart.tsx";
import { formatDuration } from "./duration.ts";
import { PostForm } from "./form.tsx";
import { Icon } from "./icon.tsx";
import { idPart, shortId } from "./id.ts";
import { formatCost } from "./money.ts";
import { formatShort } from "./number.ts";
import { isCancellable, type Progress, progressOf, runDurationMs } from "./run-progress.ts";
import { TimeAgo } from "./time.tsx";

/**
 * Runs as a table; in a narrow place each run is a card. With `csrf` each has a Cancel button.
 *
 * @param props.choiceForm Each run can be ticked, for this form of the page.
 * @param props.progress Of runs that go on, how far they are; for the others the run itself says it.
 */
export function RunList(props: {
  runs: readonly RunSummary[];
  now: number;
  caption: string;
  csrf?: string;
  choiceForm?: string;
  progress?: ReadonlyMap<string, Progress>;
}) {
  const { csrf, choiceForm } = props;
  return (
    <table class="runs">
      <caption class="sr">{props.caption}</caption>
      <thead>
        <tr>
          {choiceForm === undefined ? null : (
            <th scope="col" class="c-choice">
              <label for="choose-all" class="sr">
                All on this page
              </label>
              <input type="checkbox" id="choose-all" class="js-only" data-choose-all />
            </th>
          )}
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
          <Row
            run={run}
            now={props.now}
            csrf={csrf}
            choiceForm={choiceForm}
            progress={props.progress?.get(run.id) ?? progressOf(run)}
          />
        ))}
      </tbody>
    </table>
  );
}

function Row(props: {
  run: RunSummary;
  now: number;
  csrf: string | undefined;
  choiceForm: string | undefined;
  progress: Progress;
}) {
  const { run, now, csrf, choiceForm } = props;
  const durationMs = runDurationMs(run, now);
  const tokens = run.usage.input + run.usage.output;
  return (
    <tr id={`run-${idPart(run.id)}`}>
      {choiceForm === undefined ? null : (
        <td class="c-choice">
          <label for={`choose-${idPart(run.id)}`} class="sr">
            Choose {run.workflowName} {shortId(run.id)}
          </label>
          <input
            type="checkbox"
            id={`choose-${idPart(run.id)}`}
            name="run"
            value={run.id}
            form={choiceForm}
          />
        </td>
      )}
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
        <ProgressBar progress={props.progress} />
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

function ProgressBar(props: { progress: Progress }) {
  const { states, note, label } = props.progress;
  return (
    <>
      <Segments states={states} label={label} />
      <span class="sub num" aria-hidden="true">
        {note}
      </span>
    </>
  );
}

function Actions(props: { run: RunSummary; csrf: string }) {
  const { run } = props;
  return (
    <td class="c-actions">
      {isCancellable(run) ? (
        <PostForm
          action={`/runs/${encodeURIComponent(run.id)}/cancellation`}
          csrf={props.csrf}
          stays
        >
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
