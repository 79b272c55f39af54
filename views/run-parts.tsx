/** Pages below a run's page, for what is too much or too large for it. */
import type { PropsWithChildren } from "hono/jsx";
import type { StoredEvent } from "../src/domain/event.ts";
import {
  type RunSummary,
  STEP_STATES,
  type StepAttempt,
  type StepCall,
} from "../src/domain/run.ts";
import type { ItemCounts, StepPiece } from "../src/domain/run-reader.ts";
import type { TextDiff } from "../src/lib/diff.ts";
import { Layout } from "./layout.tsx";
import { StateBadge, STATE_LABEL } from "./part/badge.tsx";
import { CopyButton, Value } from "./part/code.tsx";
import { Diff, diffNote } from "./part/diff.tsx";
import { formatDuration } from "./part/duration.ts";
import { EmptyState } from "./part/empty-state.tsx";
import { ErrorBox } from "./part/error-box.tsx";
import { PostForm } from "./part/form.tsx";
import { Icon } from "./part/icon.tsx";
import { shortId } from "./part/id.ts";
import { joinEvents, LogItems } from "./part/log.tsx";
import { formatCost } from "./part/money.ts";
import { formatCount, plural } from "./part/number.ts";
import { PageHead, Panel } from "./part/panel.tsx";
import { isFinal } from "./part/run-progress.ts";
import { InputField, type RunFormField } from "./part/run-form.tsx";
import {
  RETRY_FORM,
  attemptId,
  Call,
  Item,
  StepItem,
  stepPath,
  type StepItemProps,
} from "./part/step-item.tsx";
import { DateTime, momentText } from "./part/time.tsx";
import { SignalForm, type SignalFormState } from "./part/signal-form.tsx";
import { isWritable, type Shell } from "./shell.ts";

interface PartProps {
  readonly shell: Shell;
  readonly run: RunSummary;
}

function pathOf(run: RunSummary): string {
  return `/runs/${encodeURIComponent(run.id)}`;
}

function Head(props: PropsWithChildren<PartProps & { title: string }>) {
  const { run, title } = props;
  return (
    <PageHead
      crumb={
        <>
          <a href="/runs">Runs</a> /{" "}
          <a href={pathOf(run)}>
            {run.workflowName} {shortId(run.id)}
          </a>
        </>
      }
      title={title}
    >
      {props.children}
    </PageHead>
  );
}

export interface StepsPageProps extends PartProps {
  readonly cards: readonly StepItemProps[];
  /** `startedSeq` of the first that is shown, when there are attempts before it. */
  readonly earlier: number | undefined;
}

/** Attempts that the run's page does not show, in order. */
export function StepsPage(props: StepsPageProps) {
  const { shell, run, cards, earlier } = props;
  return (
    <Layout shell={shell}>
      <Head {...props} title="Steps" />
      {isWritable(shell) ? (
        <PostForm action={`${pathOf(run)}/retries`} csrf={shell.csrf} id={RETRY_FORM} />
      ) : null}
      <section class="panel" aria-label="Attempts">
        {cards.length === 0 ? (
          <EmptyState
            icon="runs"
            title="No steps here"
            text="The run has begun no step before this place."
          >
            <a class="btn ghost" href={pathOf(run)}>
              Back to the run
            </a>
          </EmptyState>
        ) : (
          <>
            <h2 class="sr">Attempts</h2>
            <ol class="node-list">
              {cards.map((card) => (
                <StepItem {...card} />
              ))}
            </ol>
          </>
        )}
        <nav class="pager" aria-label="Pages">
          <a class="btn ghost" href={`${pathOf(run)}/steps`}>
            Newest
          </a>
          <span class="spacer"></span>
          {earlier === undefined ? null : (
            <a class="btn ghost" href={`${pathOf(run)}/steps?before=${earlier}`} rel="next">
              Earlier
              <Icon name="chevron" size={12} />
            </a>
          )}
        </nav>
      </section>
    </Layout>
  );
}

export interface ItemsPageProps extends PartProps {
  readonly map: string;
  readonly counts: ItemCounts;
  readonly items: readonly StepPiece[];
  readonly calls: ReadonlyMap<string, readonly StepCall[]>;
  readonly from: number;
  readonly pageCount: number;
}

/** The items of a map, by number. */
export function ItemsPage(props: ItemsPageProps) {
  const { shell, run, map, counts, items, from, pageCount } = props;
  const address = (place: number) =>
    `${pathOf(run)}/items?${new URLSearchParams({ map, from: String(place) }).toString()}`;
  return (
    <Layout shell={shell}>
      <Head {...props} title={`Items of ${map}`} />
      <section class="panel" aria-label="Items">
        <ul class="facts num pad item-states">
          {STEP_STATES.map((state) => {
            const count = counts.states[state];
            return count === undefined ? null : (
              <li>
                <StateBadge state={state} label={`${STATE_LABEL[state]} ${formatCount(count)}`} />
              </li>
            );
          })}
          <li>{plural(counts.count, "item")}</li>
        </ul>
        {items.length === 0 ? (
          <EmptyState
            icon="runs"
            title="No items here"
            text="No item has begun from this number on."
          >
            <a class="btn ghost" href={address(0)}>
              From the first
            </a>
          </EmptyState>
        ) : (
          <ol class="item-list pad" start={from}>
            {items.map((item) => (
              <Item
                item={item}
                calls={props.calls.get(attemptId(item)) ?? []}
                now={shell.now}
                path={pathOf(run)}
              />
            ))}
          </ol>
        )}
        <nav class="pager" aria-label="Pages">
          {from === 0 ? null : (
            <a class="btn ghost" href={address(Math.max(0, from - pageCount))} rel="prev">
              Before
            </a>
          )}
          <span class="spacer"></span>
          {from + pageCount < counts.count ? (
            <a class="btn ghost" href={address(from + pageCount)} rel="next">
              After
              <Icon name="chevron" size={12} />
            </a>
          ) : null}
        </nav>
      </section>
    </Layout>
  );
}

export interface StepPageProps extends PartProps {
  readonly stepKey: string;
  readonly attempts: readonly StepAttempt[];
  readonly calls: readonly StepCall[];
  /** The run's values after it, and how they differ from those before; undefined when they cannot be worked out. */
  readonly state: { readonly json: string; readonly diff: TextDiff } | undefined;
  readonly canFork: boolean;
}

/** All of a step, whatever its size, and what it has done to the values of the run. */
export function StepPage(props: StepPageProps) {
  const { shell, run, stepKey, attempts, state } = props;
  return (
    <Layout shell={shell}>
      <Head {...props} title={stepKey}>
        {isWritable(shell) && props.canFork ? (
          <div class="actions">
            {isFinal(run) ? (
              <PostForm action={`${pathOf(run)}/retries`} csrf={shell.csrf}>
                <button type="submit" class="btn ghost" name="from" value={stepKey}>
                  <Icon name="refresh" size={14} />
                  Do again from here
                </button>
              </PostForm>
            ) : null}
            <a
              class="btn primary"
              href={`${pathOf(run)}/forks?from=${encodeURIComponent(stepKey)}`}
            >
              <Icon name="workflows" size={14} />
              Fork from here
            </a>
          </div>
        ) : null}
      </Head>
      <div class="column">
        {attempts.map((attempt) => (
          <Attempt {...props} attempt={attempt} />
        ))}
        {state === undefined ? null : (
          <Panel id="state-after" title="State after this step" note={diffNote(state.diff)}>
            <Diff
              diff={state.diff}
              label="What the step has changed"
              same="The step has changed nothing."
            />
            <details class="fold pad" id="state-after-fold">
              <summary>
                <Icon name="chevron" size={12} />
                All values as JSON
              </summary>
              <div class="value-box">
                <Value value={state.json} id="state-after-json" />
                <CopyButton target="state-after-json" label="all values" />
              </div>
            </details>
          </Panel>
        )}
      </div>
    </Layout>
  );
}

function Attempt(props: StepPageProps & { attempt: StepAttempt }) {
  const { run, attempt, shell } = props;
  const id = attemptId(attempt);
  const { usage } = attempt;
  return (
    <Panel
      id={id}
      title={`Attempt ${attempt.attempt}`}
      action={<StateBadge state={attempt.state} />}
    >
      <div class="stack pad-x">
        <ul class="facts num">
          <li>
            <DateTime at={attempt.startedAt} />
          </li>
          <li>{formatDuration((attempt.finishedAt ?? shell.now) - attempt.startedAt)}</li>
          {usage.input + usage.output === 0 ? null : (
            <li>
              {formatCount(usage.input)} in, {formatCount(usage.output)} out
              <span class="sr"> tokens</span>
            </li>
          )}
          {attempt.costNanoUsd + attempt.unpricedCount === 0 ? null : (
            <li>{formatCost(attempt.costNanoUsd, attempt.unpricedCount)}</li>
          )}
          {attempt.retryAt === null ? null : (
            <li>next attempt at {momentText(attempt.retryAt, shell.now)}</li>
          )}
        </ul>
        {attempt.error === null ? null : <ErrorBox error={attempt.error} id={`${id}-error`} />}
        <Whole id={`${id}-input`} title="Input" value={attempt.input} />
        {attempt.patch === null ? null : (
          <Whole id={`${id}-patch`} title="Result" value={attempt.patch} />
        )}
        {props.calls
          .filter((call) => call.attempt === attempt.attempt)
          .map((call) => (
            <Call
              call={call}
              id={`${id}-call-${call.ordinal}`}
              whole={stepPath(pathOf(run), attempt.key)}
            />
          ))}
      </div>
    </Panel>
  );
}

function Whole(props: { id: string; title: string; value: unknown }) {
  return (
    <div>
      <p class="value-title">{props.title}</p>
      <div class="value-box">
        <Value value={props.value} id={props.id} />
        <CopyButton target={props.id} label={props.title} />
      </div>
    </div>
  );
}

export interface LogQuery {
  readonly level: "" | "warn" | "error";
  /** A step's key. */
  readonly step: string;
}

export interface LogPageProps extends PartProps {
  readonly query: LogQuery;
  readonly events: readonly StoredEvent[];
  /** Places to go on from: the `seq` before which, and after which, more is to be looked at. */
  readonly earlier: number | undefined;
  readonly later: number | undefined;
}

/** The log in windows, newest first, and what of it is wanted. */
export function LogPage(props: LogPageProps) {
  const { shell, run, query, events, earlier, later } = props;
  const { entries } = joinEvents(events);
  const address = (place: Record<string, string>) => {
    const params = new URLSearchParams(place);
    if (query.level !== "") params.set("level", query.level);
    if (query.step !== "") params.set("step", query.step);
    const text = params.toString();
    return `${pathOf(run)}/log${text === "" ? "" : `?${text}`}`;
  };
  return (
    <Layout shell={shell}>
      <Head {...props} title="Log" />
      <section class="panel" aria-label="Log">
        <LogFilter run={run} query={query} />
        {entries.length === 0 ? (
          <EmptyState
            icon="search"
            title="No line here"
            text={
              earlier === undefined
                ? "Nothing in the log matches."
                : "Nothing matches in the part that was looked at."
            }
          >
            {earlier === undefined ? (
              <a class="btn ghost" href={`${pathOf(run)}/log`}>
                Show all lines
              </a>
            ) : (
              <a class="btn ghost" href={address({ before: String(earlier) })}>
                Look further back
              </a>
            )}
          </EmptyState>
        ) : (
          <div class="log whole" tabindex={0} role="region" aria-label="Log lines">
            <ol>
              <LogItems entries={entries} runs={false} />
            </ol>
          </div>
        )}
        <nav class="pager" aria-label="Pages">
          {earlier === undefined ? null : (
            <a class="btn ghost" href={address({ before: String(earlier) })} rel="prev">
              Earlier
            </a>
          )}
          <span class="spacer"></span>
          {later === undefined ? null : (
            <a class="btn ghost" href={address({ after: String(later) })} rel="next">
              Later
              <Icon name="chevron" size={12} />
            </a>
          )}
        </nav>
      </section>
    </Layout>
  );
}

function LogFilter(props: { run: RunSummary; query: LogQuery }) {
  const { run, query } = props;
  return (
    <form
      method="get"
      action={`${pathOf(run)}/log`}
      class="filters"
      role="search"
      aria-label="This log"
    >
      <label for="log-level" class="sr">
        Level
      </label>
      <select id="log-level" name="level" class="input">
        <option value="">All lines</option>
        <option value="warn" selected={query.level === "warn"}>
          Warnings and errors
        </option>
        <option value="error" selected={query.level === "error"}>
          Errors
        </option>
      </select>
      <div class="search inline">
        <Icon name="search" size={14} />
        <label for="log-step" class="sr">
          Step
        </label>
        <input id="log-step" name="step" type="search" value={query.step} placeholder="Step" />
      </div>
      <button type="submit" class="btn ghost">
        Filter
      </button>
    </form>
  );
}

export interface ForkPageProps extends PartProps {
  readonly from: string;
  readonly fields: readonly RunFormField[];
  /** What is wrong with the whole. */
  readonly error: string | undefined;
}

/** A new run from the middle of this one, with other values. */
export function ForkPage(props: ForkPageProps) {
  const { shell, run, from } = props;
  return (
    <Layout shell={shell}>
      <Head {...props} title={`Fork at ${from}`} />
      <p class="lead">
        A new run that begins with step <code>{from}</code>. What did not follow from it is taken
        over and costs nothing again. Change what it is to begin with.
      </p>
      {isWritable(shell) ? (
        <ForkForm {...props} />
      ) : (
        <EmptyState
          icon="lock"
          title="No fork can be started now"
          text="The database cannot be written. What is to be done about it stands above."
        >
          <a class="btn ghost" href={pathOf(run)}>
            Back to the run
          </a>
        </EmptyState>
      )}
    </Layout>
  );
}

function ForkForm(props: ForkPageProps) {
  const { shell, run, from, fields, error } = props;
  const invalid = fields.find((field) => field.error !== undefined);
  return (
    <section class="panel" aria-label="Values to begin with">
      <PostForm action={`${pathOf(run)}/forks`} csrf={shell.csrf} class="stack pad" id="fork">
        <input type="hidden" name="from" value={from} />
        {error === undefined && invalid === undefined ? null : (
          <p class="form-error" role="alert">
            {error ?? "The fork was not started: some values need another look."}
          </p>
        )}
        {fields.map((item) => (
          <InputField item={item} autofocus={item === invalid} />
        ))}
        <div class="actions">
          <button type="submit" class="btn primary">
            <Icon name="play" size={14} />
            Start the fork
          </button>
          <a class="btn ghost" href={pathOf(run)}>
            Back to the run
          </a>
        </div>
      </PostForm>
    </section>
  );
}

/** A signal that could not be sent, with what was typed. */
export function SignalPage(
  props: PartProps & { form: SignalFormState; error: string | undefined },
) {
  const { shell, run, form, error } = props;
  return (
    <Layout shell={shell}>
      <Head {...props} title="Send a signal" />
      <section class="panel" aria-label="Signal">
        <div class="stack pad">
          {error === undefined ? null : (
            <p class="form-error" role="alert">
              {error}
            </p>
          )}
          <SignalForm action={`${pathOf(run)}/signals`} csrf={shell.csrf} form={form} />
        </div>
      </section>
    </Layout>
  );
}
