/** One run, live: state, graph, trace, log, result. */
import type { StoredEvent } from "../src/domain/event.ts";
import { BUDGET_FORM, DECISION_FORM, RunNeeds } from "./part/run-needs.tsx";
import { type PendingApproval, type Run, WAITING_WORDS } from "../src/domain/run.ts";
import type { RunGlance } from "../src/domain/run-reader.ts";
import type { Workflow } from "../src/domain/workflow.ts";
import type { Drawing } from "../src/graph/drawing.ts";
import { Layout } from "./layout.tsx";
import { RunBadge } from "./part/badge.tsx";
import { AskChat } from "./part/ask-chat.tsx";
import { BannersPart, type BannerProps } from "./part/banner.tsx";
import { CopyButton, Value } from "./part/code.tsx";
import { formatDuration } from "./part/duration.ts";
import { PostForm } from "./part/form.tsx";
import { RunMore } from "./part/run-more.tsx";
import { Icon } from "./part/icon.tsx";
import { shortId } from "./part/id.ts";
import { LivePart } from "./part/live-part.tsx";
import { joinEvents, LOG_LINE_COUNT_MAX, LogItems } from "./part/log.tsx";
import { formatCost } from "./part/money.ts";
import { formatCount } from "./part/number.ts";
import { PageHead, Panel, PauseButton } from "./part/panel.tsx";
import { isFinal, isResumable, runDurationMs } from "./part/run-progress.ts";
import type { RunPieces } from "./part/run-pieces.ts";
import { RunSteps, RunGraph, RunTrace, stepCards } from "./part/run-steps.tsx";
import { LargeValue, RunResult, ValueList } from "./part/run-result.tsx";
import { attemptId, RETRY_FORM, StepItem } from "./part/step-item.tsx";
import { DateTime, momentText } from "./part/time.tsx";
import { canAsk, isWritable, type Shell } from "./shell.ts";

/** Without script an unfinished run's page asks for itself this often. */
const REFRESH_SECONDS = 5;

export interface RunDetail extends RunPieces {
  readonly run: Run;
  /** Of the run's inputs and values: what is too large for this page, in bytes. */
  readonly omitted?: RunGlance["omitted"];
  readonly events: readonly StoredEvent[];
  /** Undefined when the version that ran cannot be read any more. */
  readonly workflow: Workflow | undefined;
  readonly drawing: Drawing | undefined;
  /** Of the version that it runs. */
  readonly versionNumber?: number;
  readonly approvals: readonly PendingApproval[];
  /** Runs that were started or made from this one. */
  readonly descendants: readonly Run[];
}

export function RunPage(props: RunDetail & { shell: Shell }) {
  const { shell, run, events } = props;
  const path = `/runs/${encodeURIComponent(run.id)}`;
  const seen = events.at(-1)?.seq ?? 0;
  const live = { stream: `${path}/stream?after=${seen}`, poll: path };
  // What is being typed must not be thrown away.
  const refresh = isAsking(props) ? {} : { refreshSeconds: REFRESH_SECONDS };
  return (
    <Layout shell={shell} {...(isFinal(run) ? {} : { ...live, ...refresh })}>
      <PageHead
        crumb={
          <>
            <a href="/runs">Runs</a> / {shortId(run.id)}
            <VersionLink {...props} />
          </>
        }
        title={
          <a class="title-link" href={`/workflows/${encodeURIComponent(run.workflowId)}`}>
            {run.workflowName}
          </a>
        }
      >
        {isFinal(run) ? null : (
          <span class="when-active">
            <PauseButton />
          </span>
        )}
        {isAsking(props) ? (
          <noscript>
            <a class="btn ghost" href={path}>
              Refresh
            </a>
          </noscript>
        ) : null}
        <Buttons run={run} shell={shell} path={path} />
      </PageHead>
      {isWritable(shell) ? <Forms path={path} csrf={shell.csrf} /> : null}
      <RunHead run={run} now={shell.now} />
      <div class="grid">
        <div class="p-main">
          <RunNeeds {...props} now={shell.now} />
          <RunResult {...props} ask={askOf(run, shell)} />
          <RunSteps {...props} now={shell.now} />
        </div>
        <div class="p-side">
          <Panel
            id="log"
            title="Log"
            class="p-log"
            {...(isFinal(run)
              ? {}
              : {
                  action: (
                    <span class="live-tag js-only when-active">
                      <span class="live-dot" aria-hidden="true"></span>Live
                    </span>
                  ),
                })}
          >
            <RunLog events={events} path={path} />
          </Panel>
          <Inputs {...props} />
          <Relatives {...props} />
          <State {...props} />
          {isWritable(shell) ? <RunMore run={run} csrf={shell.csrf} path={path} /> : null}
        </div>
      </div>
    </Layout>
  );
}

function VersionLink({ run, versionNumber }: RunDetail) {
  if (versionNumber === undefined) return null;
  const path = `/workflows/${encodeURIComponent(run.workflowId)}/versions/${versionNumber}`;
  return (
    <>
      {" · "}
      <a href={path}>Version {versionNumber}</a>
    </>
  );
}

/** There is a field on the page to fill in. */
function isAsking({ run, approvals }: RunDetail): boolean {
  return approvals.length > 0 || (run.state === "waiting" && run.waitingFor === "budget");
}

/**
 * What can be done with the run. The forms carry the CSRF token, so they are outside of the live
 * parts; the style sheet shows those that fit the state in `#run-head`.
 */
function Buttons(props: { run: Run; shell: Shell; path: string }) {
  const { run, shell, path } = props;
  return (
    <div class="actions">
      <a class="btn ghost" href={`${path}.json`} download={`${run.id}.json`}>
        <Icon name="download" size={14} />
        Download
      </a>
      {isWritable(shell) ? (
        <>
          <PostForm
            action={`${path}/cancellation`}
            csrf={shell.csrf}
            class="when-cancellable"
            stays
          >
            <button type="submit" class="btn danger">
              <Icon name="stop" size={14} />
              Cancel
            </button>
          </PostForm>
          <PostForm action={`${path}/resumptions`} csrf={shell.csrf} class="when-resumable" stays>
            <button type="submit" class="btn">
              <Icon name="play" size={14} />
              Go on
            </button>
          </PostForm>
          <PostForm action={`${path}/reruns`} csrf={shell.csrf} class="when-final">
            <button type="submit" class="btn primary">
              <Icon name="refresh" size={14} />
              Run again
            </button>
          </PostForm>
        </>
      ) : null}
    </div>
  );
}

/**
 * Forms for buttons inside of the live parts: those are drawn without the CSRF token of this page, so they
 * only name the form that they belong to.
 */
function Forms(props: { path: string; csrf: string }) {
  const { path, csrf } = props;
  return (
    <>
      <PostForm action={`${path}/decisions`} csrf={csrf} id={DECISION_FORM} stays />
      <PostForm action={`${path}/retries`} csrf={csrf} id={RETRY_FORM} stays />
      <PostForm action={`${path}/resumptions`} csrf={csrf} id={BUDGET_FORM} stays />
    </>
  );
}

/** Where this run comes from, and the runs that came from it. */
function Relatives(props: Pick<RunDetail, "run" | "descendants">) {
  const { run, descendants } = props;
  if (run.origin === null && descendants.length === 0)
    return <div id="run-relatives" class="column"></div>;
  return (
    <div id="run-relatives" class="column">
      <Panel id="relatives" title="Related runs">
        <ul class="relatives pad-x">
          {run.origin === null ? null : (
            <li>
              <span class="fact-name">{ORIGIN[run.origin.kind]}</span>
              <RunLink id={run.origin.runId} />
              {run.origin.step === undefined ? null : <code>{run.origin.step}</code>}
            </li>
          )}
          {descendants.map((other) => (
            <li>
              <RunBadge run={other} />
              <RunLink id={other.id} name={other.workflowName} />
              {other.origin === null ? null : (
                <span class="sub">
                  {MADE[other.origin.kind]} {other.origin.step ?? ""}
                </span>
              )}
            </li>
          ))}
        </ul>
      </Panel>
    </div>
  );
}

function RunLink(props: { id: string; name?: string }) {
  return (
    <a href={`/runs/${encodeURIComponent(props.id)}`}>
      {props.name === undefined ? "run" : props.name} {shortId(props.id)}
    </a>
  );
}

const ORIGIN = { child: "inside of", rerun: "again after", fork: "forked from" } as const;
const MADE = { child: "by", rerun: "run again", fork: "forked at" } as const;

export function RunHead(props: { run: Run; now: number }) {
  const { run, now } = props;
  const durationMs = runDurationMs(run, now);
  const cancelling = run.cancelRequestedAt !== null && !isFinal(run);
  return (
    <section
      id="run-head"
      class="panel run-head"
      aria-label="Summary"
      data-phase={isFinal(run) ? "final" : cancelling ? "cancelling" : "active"}
      data-resumable={isResumable(run) && run.waitingFor !== "budget" ? "" : undefined}
    >
      <dl class="figures">
        <Figure label="State">
          <RunBadge run={run} />
        </Figure>
        <Figure label="Steps">
          {run.doneNodeIds.length}
          {isFinal(run) ? <small> done</small> : <small> of {run.nodeIds.length}</small>}
        </Figure>
        <Figure label="Time">
          {durationMs === null ? "–" : <Elapsed run={run} durationMs={durationMs} />}
        </Figure>
        <Figure label="Tokens">
          {formatCount(run.usage.input + run.usage.output)}
          <small>
            {formatCount(run.usage.input)} in, {formatCount(run.usage.output)} out
          </small>
        </Figure>
        <Figure label="Cost">{formatCost(run.costNanoUsd, run.unpricedCount)}</Figure>
        <Figure label="Started">
          {run.startedAt === null ? "not yet" : <DateTime at={run.startedAt} />}
        </Figure>
      </dl>
      <Notes run={run} now={now} />
    </section>
  );
}

/** While the run goes on, `client.js` counts on from here. */
function Elapsed(props: { run: Run; durationMs: number }) {
  const text = formatDuration(props.durationMs);
  return isFinal(props.run) ? text : <span data-since={props.run.startedAt}>{text}</span>;
}

function Figure(props: { label: string; children?: unknown }) {
  return (
    <div>
      <dt>{props.label}</dt>
      <dd class="num">{props.children}</dd>
    </div>
  );
}

function Notes(props: { run: Run; now: number }) {
  const { run, now } = props;
  const notes = [
    run.state === "waiting" && run.waitingFor !== null
      ? `Waiting for ${WAITING_WORDS[run.waitingFor]}${run.dueAt === null ? "" : ` until ${momentText(run.dueAt, now)}`}; no worker is held up.`
      : "",
    run.state === "queued" ? "Waiting for a free worker." : "",
    run.cancelRequestedAt !== null && !isFinal(run)
      ? "Cancellation asked for: the step that is on is being stopped."
      : "",
    run.overrides.provider === undefined ? "" : `Provider set to ${run.overrides.provider}.`,
    run.overrides.model === undefined ? "" : `Model set to ${run.overrides.model}.`,
    run.unpricedCount === 0
      ? ""
      : "The cost is a lower bound: some calls went to models without a known price.",
  ].filter((note) => note !== "");
  if (notes.length === 0) return null;
  return <p class="run-notes">{notes.join(" ")}</p>;
}

/** The log, with the text of each model call in its line. */
export function RunLog(props: { events: readonly StoredEvent[]; path: string }) {
  const { entries } = joinEvents(props.events);
  const shown = entries.slice(-LOG_LINE_COUNT_MAX);
  const first = shown[0]?.stored.seq ?? props.events[0]?.seq ?? 1;
  return (
    <>
      <p class="log-links">
        {first > 1 ? <a href={`${props.path}/log?before=${first}`}>Earlier lines</a> : null}
        <a href={`${props.path}/log`}>Filter the log</a>
      </p>
      <div class="log tall" tabindex={0} role="region" aria-label="Log lines">
        <ol id="run-log-lines" data-log>
          <LogItems entries={entries} runs={false} />
        </ol>
      </div>
    </>
  );
}

function Inputs(props: { run: Run; omitted?: RunGlance["omitted"] }) {
  const bytes = props.omitted?.inputs;
  const values = Object.entries(props.run.inputs);
  return (
    <Panel id="inputs" title="Inputs" note={`from the ${SOURCE[props.run.source]}`}>
      {bytes !== undefined ? (
        <LargeValue bytes={bytes} run={props.run} />
      ) : values.length === 0 ? (
        <p class="quiet">This run was started without inputs.</p>
      ) : (
        <ValueList values={values} prefix="given" />
      )}
    </Panel>
  );
}

const SOURCE: Record<Run["source"], string> = {
  cli: "command line",
  dashboard: "dashboard",
  api: "API",
  workflow: "step of another run",
  schedule: "schedule",
};

function State(props: { run: Run; omitted?: RunGlance["omitted"] }) {
  if (props.omitted?.values !== undefined) return <div id="run-state"></div>;
  return (
    <div id="run-state">
      <Panel id="state" title="State values">
        <details class="fold pad" id="state-fold">
          <summary>
            <Icon name="chevron" size={12} />
            All values as JSON
          </summary>
          <div class="value-box">
            <Value value={props.run.values} id="state-json" />
            <CopyButton target="state-json" label="all values" />
          </div>
        </details>
      </Panel>
    </div>
  );
}

/**
 * A message of a run's stream; `events` are only the new ones. While nothing but text arrives the steps are left
 * out: they are large, and only their durations have changed.
 *
 * @param props.withSteps Not left out now, for the durations.
 * @param props.changed Keys of the steps that have changed, when all of them had begun before: only their cards go out.
 */
export function RunUpdate(
  props: RunDetail & {
    now: number;
    banners?: BannerProps;
    withSteps?: boolean;
    changed?: ReadonlySet<string>;
  },
) {
  const { run, now, events, banners, changed } = props;
  const { entries, texts } = joinEvents(events);
  const onlyText = events.length > 0 && entries.length === 0 && props.withSteps !== true;
  return (
    <>
      {banners === undefined ? null : <BannersPart {...banners} />}
      <LivePart target="run-head" swap="outerMorph">
        <RunHead run={run} now={now} />
      </LivePart>
      {onlyText ? null : changed === undefined ? (
        <Details {...props} />
      ) : (
        <Changes {...props} changed={changed} />
      )}
      {texts.map(({ target, text }) => (
        <LivePart target={target} swap="beforeend">
          {text}
        </LivePart>
      ))}
      {entries.length === 0 ? null : (
        <LivePart target="run-log-lines" swap="beforeend">
          <LogItems entries={entries} runs={false} />
        </LivePart>
      )}
    </>
  );
}

/** What of the details has changed while some steps went on. */
function Changes(
  props: RunDetail & { now: number; banners?: BannerProps; changed: ReadonlySet<string> },
) {
  const { run, changed } = props;
  const cards = stepCards(props).filter(({ step }) => changed.has(step.key));
  return (
    <>
      <LivePart target="run-graph" swap="outerMorph">
        <RunGraph {...props} />
      </LivePart>
      <LivePart target="run-trace" swap="outerMorph">
        <RunTrace {...props} />
      </LivePart>
      {cards.map((card) => (
        <LivePart target={attemptId(card.step)} swap="outerMorph">
          <StepItem {...card} />
        </LivePart>
      ))}
      <LivePart target="run-result" swap="outerMorph">
        <RunResult {...props} ask={askOf(props.run, props.banners)} />
      </LivePart>
      <LivePart target="run-state" swap="outerMorph">
        <State {...props} run={run} />
      </LivePart>
    </>
  );
}

/** Without a model there is nobody to ask. */
function askOf(run: Run, page: Pick<Shell, "health" | "demo"> | undefined) {
  return page !== undefined && canAsk(page) ? <AskChat runId={run.id} /> : null;
}

function Details(props: RunDetail & { now: number; banners?: BannerProps }) {
  return (
    <>
      <LivePart target="run-needs" swap="outerMorph">
        <RunNeeds {...props} />
      </LivePart>
      <LivePart target="run-result" swap="outerMorph">
        <RunResult {...props} ask={askOf(props.run, props.banners)} />
      </LivePart>
      <LivePart target="run-steps" swap="outerMorph">
        <RunSteps {...props} />
      </LivePart>
      <LivePart target="run-relatives" swap="outerMorph">
        <Relatives {...props} />
      </LivePart>
      <LivePart target="run-state" swap="outerMorph">
        <State {...props} />
      </LivePart>
    </>
  );
}
