/** Two runs side by side: what differs in their files, inputs, steps and results. */
import type { Run, StepAttempt } from "../src/domain/run.ts";
import type { TextDiff } from "../src/lib/diff.ts";
import { Layout } from "./layout.tsx";
import { compareAddress } from "./part/ask-chat.tsx";
import { RunBadge, StateBadge } from "./part/badge.tsx";
import { Diff, diffNote } from "./part/diff.tsx";
import { formatDuration } from "./part/duration.ts";
import { EmptyState } from "./part/empty-state.tsx";
import { ErrorBox } from "./part/error-box.tsx";
import { Icon } from "./part/icon.tsx";
import { shortId } from "./part/id.ts";
import { formatCost } from "./part/money.ts";
import { formatCount, plural } from "./part/number.ts";
import { PageHead, Panel } from "./part/panel.tsx";
import { runDurationMs } from "./part/run-progress.ts";
import { DateTime } from "./part/time.tsx";
import { canAsk, type Shell } from "./shell.ts";

/** A step without what may be large. */
export type StepFigures = Pick<
  StepAttempt,
  | "key"
  | "nodeId"
  | "attempt"
  | "state"
  | "startedAt"
  | "finishedAt"
  | "usage"
  | "costNanoUsd"
  | "unpricedCount"
  | "patch"
>;

/** The last attempts of one step in both runs. */
export interface StepPair {
  readonly key: string;
  readonly a: StepFigures | undefined;
  readonly b: StepFigures | undefined;
}

export interface ComparedSide {
  readonly run: Run;
  /** Number of its workflow's version; undefined when it cannot be read any more. */
  readonly version: number | undefined;
  readonly stepCount: number;
}

export interface Comparison {
  readonly a: ComparedSide;
  readonly b: ComparedSide;
  /** Of the workflow's text; undefined when the version is the same or one cannot be read. */
  readonly source: TextDiff | undefined;
  readonly inputs: TextDiff;
  readonly outputs: TextDiff;
  readonly pairs: readonly StepPair[];
  /** More steps than these are not compared. */
  readonly stepCountMax: number;
  /** The first step that went another way, and how. */
  readonly divergence: { readonly key: string; readonly how: string } | undefined;
}

export interface ComparePageProps {
  readonly shell: Shell;
  /** As they stand in the fields. */
  readonly ids: { readonly a: string; readonly b: string };
  readonly comparison: Comparison | undefined;
  /** Why there is none. */
  readonly problem: string | undefined;
  readonly recent: readonly { readonly id: string; readonly label: string }[];
}

export function ComparePage(props: ComparePageProps) {
  const { shell, comparison } = props;
  return (
    <Layout shell={shell}>
      <PageHead crumb={<a href="/runs">Runs</a>} title="Compare two runs" />
      <Choice {...props} />
      {comparison === undefined ? (
        props.problem === undefined ? (
          <EmptyState
            icon="runs"
            title="Choose two runs"
            text="Write or choose the ids of two runs: their files, inputs, steps, costs and results are set side by side."
          />
        ) : null
      ) : (
        <div class="column">
          <Verdict comparison={comparison} shell={shell} />
          <Summary comparison={comparison} />
          <Steps comparison={comparison} />
          <Differences comparison={comparison} />
        </div>
      )}
    </Layout>
  );
}

function Choice(props: ComparePageProps) {
  const { ids, problem, recent } = props;
  const swapped = new URLSearchParams({ a: ids.b, b: ids.a }).toString();
  return (
    <section class="panel compare-choice" aria-label="Runs to compare">
      <form method="get" action="/runs/compare" class="filters">
        {(["a", "b"] as const).map((name) => (
          <label class="compare-id" for={`compare-${name}`}>
            <span>{name === "a" ? "First run" : "Second run"}</span>
            <input
              class="input mono"
              name={name}
              id={`compare-${name}`}
              value={ids[name]}
              list="recent-runs"
              autocomplete="off"
              spellcheck={false}
              required
            />
          </label>
        ))}
        <datalist id="recent-runs">
          {recent.map(({ id, label }) => (
            <option value={id}>{label}</option>
          ))}
        </datalist>
        <button type="submit" class="btn primary">
          Compare
        </button>
        {ids.a === "" || ids.b === "" ? null : (
          <a class="btn ghost" href={`/runs/compare?${swapped}`}>
            <Icon name="refresh" size={14} />
            Swap
          </a>
        )}
      </form>
      {problem === undefined ? null : (
        <p class="field-error pad-x" role="alert">
          {problem}
        </p>
      )}
    </section>
  );
}

/** The answer first: where the two part. */
function Verdict(props: { comparison: Comparison; shell: Shell }) {
  const { divergence, a, b } = props.comparison;
  const haveEnded = a.run.finishedAt !== null && b.run.finishedAt !== null && a.run.id !== b.run.id;
  return (
    <div class={`banner ${divergence === undefined ? "info" : "warning"}`} id="divergence">
      <Icon name={divergence === undefined ? "check" : "warning"} />
      <p>
        {divergence === undefined ? (
          `Both took the same steps to the same ends: ${a.run.state === b.run.state ? `both have ${STATE_WORDS[a.run.state]}` : `the first has ${STATE_WORDS[a.run.state]}, the second has ${STATE_WORDS[b.run.state]}`}.`
        ) : (
          <>
            They part at step <b>{divergence.key}</b>: {divergence.how}.
          </>
        )}{" "}
        {haveEnded && canAsk(props.shell) ? (
          <a class="plain-link" href={compareAddress(a.run.id, b.run.id)}>
            Ask the chat which is better
          </a>
        ) : null}
      </p>
    </div>
  );
}

const STATE_WORDS: Readonly<Record<Run["state"], string>> = {
  queued: "not started",
  running: "not ended",
  waiting: "not ended",
  succeeded: "succeeded",
  failed: "failed",
  cancelled: "been cancelled",
};

function Summary(props: { comparison: Comparison }) {
  const { a, b } = props.comparison;
  const sides = [a, b];
  return (
    <Panel id="summary" title="Summary">
      <div class="compare-wrap">
        <table class="compare">
          <caption class="sr">Both runs side by side</caption>
          <thead>
            <tr>
              <td></td>
              {sides.map(({ run }, index) => (
                <th scope="col">
                  <span class="sub">{index === 0 ? "First" : "Second"}</span>
                  <a href={`/runs/${encodeURIComponent(run.id)}`}>
                    {run.workflowName} {shortId(run.id)}
                  </a>
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            <Line name="State" sides={sides} cell={({ run }) => <RunBadge run={run} />} />
            <Line
              name="Version"
              sides={sides}
              cell={({ run, version }) =>
                version === undefined ? run.versionHash.slice(0, 8) : `Version ${version}`
              }
            />
            <Line
              name="Created"
              sides={sides}
              cell={({ run }) => <DateTime at={run.createdAt} />}
            />
            <Line name="Time" sides={sides} cell={({ run }) => durationText(run)} />
            <Line name="Steps" sides={sides} cell={({ stepCount }) => formatCount(stepCount)} />
            <Line
              name="Tokens"
              sides={sides}
              cell={({ run }) => formatCount(run.usage.input + run.usage.output)}
            />
            <Line
              name="Cost"
              sides={sides}
              cell={({ run }) => formatCost(run.costNanoUsd, run.unpricedCount)}
            />
            {a.run.error === null && b.run.error === null ? null : (
              <Line
                name="Error"
                sides={sides}
                cell={({ run }) => (run.error === null ? "none" : <ErrorBox error={run.error} />)}
              />
            )}
          </tbody>
        </table>
      </div>
    </Panel>
  );
}

function durationText(run: Run): string {
  const ms = runDurationMs(run, run.finishedAt ?? run.startedAt ?? 0);
  return ms === null ? "not started" : run.finishedAt === null ? "not ended" : formatDuration(ms);
}

function Line(props: {
  name: string;
  sides: readonly ComparedSide[];
  cell: (side: ComparedSide) => unknown;
}) {
  return (
    <tr>
      <th scope="row">{props.name}</th>
      {props.sides.map((side) => (
        <td class="num">{props.cell(side)}</td>
      ))}
    </tr>
  );
}

function Steps(props: { comparison: Comparison }) {
  const { pairs, divergence, a, b, stepCountMax } = props.comparison;
  const longest = Math.max(1, ...pairs.flatMap((pair) => [tookMs(pair.a), tookMs(pair.b)]));
  return (
    <Panel id="compared-steps" title="Steps" note="the last attempt of each, side by side">
      {pairs.length === 0 ? <p class="quiet">Neither has begun a step.</p> : null}
      <ol class="pairs">
        {pairs.map((pair) => (
          <li class={pair.key === divergence?.key ? "parts" : undefined}>
            <h3>
              {pair.key}
              {pair.key === divergence?.key ? <span class="tag">first difference</span> : null}
            </h3>
            <Side step={pair.a} name="First" longest={longest} />
            <Side step={pair.b} name="Second" longest={longest} />
          </li>
        ))}
      </ol>
      {Math.max(a.stepCount, b.stepCount) > stepCountMax ? (
        <p class="sub cut">The first {plural(stepCountMax, "step")} of each run are compared.</p>
      ) : null}
    </Panel>
  );
}

const BAR_WIDTH = 100;

function Side(props: { step: StepFigures | undefined; name: string; longest: number }) {
  const { step, name, longest } = props;
  if (step === undefined)
    return (
      <p class="pair-side none">
        <span class="sub">{name}</span> not reached
      </p>
    );
  const ms = tookMs(step);
  const tokens = step.usage.input + step.usage.output;
  return (
    <div class="pair-side">
      <span class="sub">{name}</span>
      <StateBadge state={step.state} />
      <svg
        class="pair-bar"
        viewBox={`0 0 ${BAR_WIDTH} 6`}
        preserveAspectRatio="none"
        aria-hidden="true"
        focusable="false"
      >
        <rect
          class={`bar-fill s-${step.state}`}
          width={Math.max(1, (ms / longest) * BAR_WIDTH)}
          height="6"
          rx="2"
        />
      </svg>
      <span class="sub num">
        {[
          step.state === "skipped" ? "" : formatDuration(ms),
          tokens === 0 ? "" : `${formatCount(tokens)} tokens`,
          step.costNanoUsd === 0 && step.unpricedCount === 0
            ? ""
            : formatCost(step.costNanoUsd, step.unpricedCount),
          step.attempt > 1 ? `attempt ${step.attempt}` : "",
        ]
          .filter((text) => text !== "")
          .join(" · ")}
      </span>
    </div>
  );
}

function tookMs(step: StepFigures | undefined): number {
  if (step === undefined || step.finishedAt === null) return 0;
  return step.finishedAt - step.startedAt;
}

function Differences(props: { comparison: Comparison }) {
  const { source, inputs, outputs } = props.comparison;
  return (
    <>
      {source === undefined ? null : (
        <Panel id="source-diff" title="Workflow" note={diffNote(source)}>
          <Diff diff={source} label="Differences of the workflow's text" />
        </Panel>
      )}
      <Panel id="inputs-diff" title="Inputs" note={diffNote(inputs)}>
        <Diff diff={inputs} label="Differences of the inputs" same="Both were given the same." />
      </Panel>
      <Panel id="outputs-diff" title="Values at the end" note={diffNote(outputs)}>
        <Diff diff={outputs} label="Differences of the values" same="Both have the same values." />
      </Panel>
    </>
  );
}
