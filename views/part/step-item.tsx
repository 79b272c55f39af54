/** One step of a run with all that it did; the items of a map folded under the map's step. */
import type { Child } from "hono/jsx";
import { mapKeyOf } from "../../src/domain/event.ts";
import type { Run, StepAttempt, StepCall, Totals, Wait } from "../../src/domain/run.ts";
import type { ItemCounts } from "../../src/domain/run-reader.ts";
import { isJsonObject } from "../../src/lib/json.ts";
import type { WorkflowNode } from "../../src/domain/workflow.ts";
import { StateBadge, StateIcon, STATE_LABEL } from "./badge.tsx";
import { CopyButton, Value } from "./code.tsx";
import { formatDuration } from "./duration.ts";
import { ErrorBox } from "./error-box.tsx";
import { Icon } from "./icon.tsx";
import { idPart, shortId } from "./id.ts";
import { formatCost } from "./money.ts";
import { formatBytes, formatCount, plural } from "./number.ts";
import { omittedBytes } from "./run-pieces.ts";
import { momentText } from "./time.tsx";

/** The form of the page that "Do again from here" belongs to. */
export const RETRY_FORM = "retry-form";
/** Items of a map that are listed. */
export const ITEM_COUNT_MAX = 50;
/** A value of an item is cut here: a page holds many of them. */
const ITEM_VALUE_CHARS_MAX = 1_000;

export interface StepItemProps {
  /** Address of the run's page: what is left out here has pages below it. */
  readonly path: string;
  readonly step: StepAttempt;
  readonly node: WorkflowNode | undefined;
  /** Of all attempts, by `attemptId`. */
  readonly calls: ReadonlyMap<string, readonly StepCall[]>;
  /** Attempts of the items, when it is a map. */
  readonly items: readonly StepAttempt[];
  /** How far the map is, when `items` are not all of its items. */
  readonly counts: ItemCounts | undefined;
  /** Attempts and rounds of its node that have no card of their own. */
  readonly earlier: readonly StepAttempt[];
  /** Runs that this step has started. */
  readonly startedRuns: readonly Run[];
  /** A person may go back to it. */
  readonly canRetry: boolean;
  readonly now: number;
}

export function attemptId(step: Pick<StepAttempt, "key" | "attempt">): string {
  return `step-${idPart(step.key)}-${step.attempt}`;
}

/** The calls of each attempt, by `attemptId`. */
export function groupCalls(calls: readonly StepCall[]): ReadonlyMap<string, readonly StepCall[]> {
  return Map.groupBy(calls, attemptId);
}

/** The attempts of each map's items, by the key of the map; the steps that are no items under undefined. */
export function groupItems(
  steps: readonly StepAttempt[],
): ReadonlyMap<string | undefined, readonly StepAttempt[]> {
  return Map.groupBy(steps, ({ key }) => mapKeyOf(key));
}

/** How far a map has come: items, not attempts; those that have not begun are known from what it was given. */
export function itemCounts(
  map: StepAttempt,
  items: readonly StepAttempt[],
  counts: ItemCounts | undefined,
): { readonly all: number; readonly ended: number; readonly failed: number } {
  if (counts !== undefined) {
    const { succeeded = 0, failed = 0, skipped = 0, cancelled = 0 } = counts.states;
    return { all: counts.count, ended: succeeded + failed + skipped + cancelled, failed };
  }
  const newest = new Map(items.map((item) => [item.key, item]));
  const states = [...newest.values()];
  const given = isJsonObject(map.input) ? map.input["items"] : undefined;
  return {
    all: Math.max(states.length, Array.isArray(given) ? given.length : 0),
    ended: states.filter((item) => item.next !== null).length,
    failed: states.filter((item) => item.state === "failed" && item.retryAt === null).length,
  };
}

/** Where all of a step is shown, whatever its size. */
export function stepPath(path: string, key: string): string {
  return `${path}/steps/${encodeURIComponent(key)}`;
}

export function StepItem(props: StepItemProps) {
  const { step, node, items } = props;
  const id = attemptId(step);
  return (
    <li class="node-item" id={id}>
      <div class="card-head">
        <h3>
          {step.key}
          {step.attempt > 1 ? <span class="tag">attempt {step.attempt}</span> : null}
        </h3>
        {props.canRetry ? (
          <button
            type="submit"
            class="btn ghost small"
            form={RETRY_FORM}
            name="from"
            value={step.key}
          >
            <Icon name="refresh" size={12} />
            Do again from here<span class="sr">: {step.key}</span>
          </button>
        ) : null}
        <a class="more" href={stepPath(props.path, step.key)}>
          Details<span class="sr"> of {step.key}</span>
        </a>
        <StateBadge state={step.state} />
      </div>
      {node?.description === undefined ? null : <p class="node-text">{node.description}</p>}
      <Facts {...props} />
      {step.error === null ? null : <ErrorBox error={step.error} id={`${id}-error`} />}
      <Values {...props} id={id} />
      {(props.calls.get(id) ?? []).map((call) => (
        <Call
          call={call}
          id={`${id}-call-${call.ordinal}`}
          whole={stepPath(props.path, step.key)}
        />
      ))}
      {items.length === 0 ? null : (
        <Attempts
          {...props}
          id={`${id}-items`}
          title="Items"
          attempts={items}
          facts={itemFacts(step, items, props.counts)}
          count={props.counts?.count ?? items.length}
          all={`${props.path}/items?map=${encodeURIComponent(step.key)}`}
        />
      )}
      {props.earlier.length === 0 ? null : (
        <Attempts
          {...props}
          id={`${id}-earlier`}
          title="Earlier"
          attempts={props.earlier.toReversed()}
          facts={plural(props.earlier.length, "attempt")}
          count={props.earlier.length}
          all={`${props.path}/steps`}
        />
      )}
    </li>
  );
}

function Facts(props: StepItemProps) {
  const { step, startedRuns, now } = props;
  const isLinked = step.wait?.for === "run" && startedRuns.length > 0;
  return (
    <ul class="facts num">
      {step.state === "skipped" ? <li>its condition is false</li> : <Took {...props} />}
      {hasCost(step) ? <Cost totals={step} /> : null}
      {step.recoveryCount === 0 ? null : <li>taken up again {step.recoveryCount}×</li>}
      {step.retryAt === null ? null : <li>next attempt at {momentText(step.retryAt, now)}</li>}
      {step.wait === null || isLinked ? null : <li>{waitText(step.wait, now)}</li>}
      {startedRuns.map((run) => (
        <li>
          <StateIcon state={run.state} />
          <a href={`/runs/${encodeURIComponent(run.id)}`}>
            {run.workflowName} {shortId(run.id)}
          </a>
        </li>
      ))}
    </ul>
  );
}

function Took(props: { step: StepAttempt; now: number }) {
  const { startedAt, finishedAt } = props.step;
  return <li>{formatDuration((finishedAt ?? props.now) - startedAt)}</li>;
}

/** Most steps that are no model call cost nothing, and say nothing. */
function hasCost({ usage, costNanoUsd, unpricedCount }: Totals): boolean {
  return usage.input + usage.output + costNanoUsd + unpricedCount > 0;
}

function Cost(props: { totals: Totals }) {
  const { usage, costNanoUsd, unpricedCount } = props.totals;
  return (
    <>
      <li>
        {formatCount(usage.input)} in, {formatCount(usage.output)} out
        <span class="sr"> tokens</span>
      </li>
      <li>{formatCost(costNanoUsd, unpricedCount)}</li>
    </>
  );
}

function waitText(wait: Wait, now: number): Child {
  const limit = "untilMs" in wait ? wait.untilMs : null;
  const until = limit === null ? "" : ` until ${momentText(limit, now)}`;
  switch (wait.for) {
    case "run":
      return (
        <>
          waits for run{" "}
          <a href={`/runs/${encodeURIComponent(wait.runId)}`}>{shortId(wait.runId)}</a>
        </>
      );
    case "signal":
      return (
        <>
          waits{until} for the signal <code>{wait.name}</code>
        </>
      );
    case "approval":
      return `waits${until} for an approval`;
    case "rate_limit":
      return `waits${until} for the provider`;
    case "budget":
      return "waits for a larger budget";
    case "timer":
      return `waits${until}`;
  }
}

/** What it was given and what it gave. A map's own result is what its items gave. */
function Values(props: { step: StepAttempt; id: string; path: string; charsMax?: number }) {
  const { step, id, path } = props;
  const whole = stepPath(path, step.key);
  const [patchBytes, inputBytes] = [omittedBytes(step, "patch"), omittedBytes(step, "input")];
  const more = props.charsMax === undefined ? {} : { charsMax: props.charsMax };
  return (
    <>
      {patchBytes === undefined ? null : (
        <Omitted bytes={patchBytes} title="Result" label={step.key} whole={whole} />
      )}
      {step.patch === null || patchBytes !== undefined ? null : (
        <ValueFold
          id={`${id}-patch`}
          title="Result"
          value={step.patch}
          label={step.key}
          {...more}
        />
      )}
      {inputBytes === undefined ? null : (
        <Omitted bytes={inputBytes} title="Input" label={step.key} whole={whole} />
      )}
      {step.state === "skipped" || inputBytes !== undefined ? null : (
        <ValueFold id={`${id}-input`} title="Input" value={step.input} label={step.key} {...more} />
      )}
    </>
  );
}

/** In the place of a value that is too large for this page. */
function Omitted(props: { bytes: number; title: string; label: string; whole: string }) {
  return (
    <p class="omitted">
      <a class="more" href={props.whole}>
        {props.title}
        <span class="sr"> of {props.label}</span>
      </a>
      <span class="sub num">{formatBytes(props.bytes)}</span>
    </p>
  );
}

/** @param props.label What the value belongs to, for readers who do not see where it stands. */
function ValueFold(props: {
  id: string;
  title: string;
  value: unknown;
  label: string;
  charsMax?: number;
}) {
  const { id, title, value, label, charsMax } = props;
  return (
    <details class="fold" id={`${id}-fold`}>
      <summary>
        <Icon name="chevron" size={12} />
        {title}
        <span class="sr"> of {label}</span>
      </summary>
      <div class="value-box">
        <Value value={value} id={id} {...(charsMax === undefined ? {} : { charsMax })} />
        <CopyButton target={id} label={`${title} of ${label}`} />
      </div>
    </details>
  );
}

/** Those that need a look have a place before all others; all of them stand in their order. */
function chooseItems(items: readonly StepAttempt[]): readonly StepAttempt[] {
  if (items.length <= ITEM_COUNT_MAX) return items;
  const notable = items.filter(({ state }) => state === "failed" || state === "waiting");
  const chosen = new Set(notable.slice(0, ITEM_COUNT_MAX));
  for (const item of items) {
    if (chosen.size >= ITEM_COUNT_MAX) break;
    chosen.add(item);
  }
  return items.filter((item) => chosen.has(item));
}

function itemFacts(
  map: StepAttempt,
  items: readonly StepAttempt[],
  counts: ItemCounts | undefined,
): string {
  const { all, ended, failed } = itemCounts(map, items, counts);
  const done =
    ended === all ? plural(all, "item") : `${formatCount(ended)} of ${plural(all, "item")}`;
  return failed === 0 ? done : `${done}, ${formatCount(failed)} failed`;
}

/** Attempts that stand folded below a step: the items of a map, the rounds of a loop. */
function Attempts(
  props: Pick<StepItemProps, "step" | "calls" | "now" | "path"> & {
    id: string;
    /** All there are. */
    count: number;
    /** Where they are listed. */
    all: string;
    title: string;
    attempts: readonly StepAttempt[];
    facts: string;
  },
) {
  const { step, attempts, calls, now } = props;
  const shown = chooseItems(attempts);
  return (
    <details class="fold" id={`${props.id}-fold`}>
      <summary>
        <Icon name="chevron" size={12} />
        {props.title}
        <span class="sr"> of {step.key}</span>
        <span class="sub num">{props.facts}</span>
      </summary>
      <ol class="item-list">
        {shown.map((item) => (
          <Item item={item} calls={calls.get(attemptId(item)) ?? []} now={now} path={props.path} />
        ))}
      </ol>
      {shown.length === props.count ? null : (
        <p class="sub cut">
          {formatCount(shown.length)} of {formatCount(props.count)} are shown, those that failed
          before others.{" "}
          <a class="inline-link" href={props.all}>
            Show all<span class="sr"> of {step.key}</span>
          </a>
        </p>
      )}
    </details>
  );
}

export function Item(props: {
  item: StepAttempt;
  calls: readonly StepCall[];
  now: number;
  path: string;
}) {
  const { item, calls, now, path } = props;
  const id = attemptId(item);
  const facts = [
    ...(item.state === "skipped"
      ? []
      : [formatDuration((item.finishedAt ?? now) - item.startedAt)]),
    ...(item.attempt > 1 ? [`attempt ${item.attempt}`] : []),
    ...(hasCost(item)
      ? [
          `${formatCount(item.usage.input)} in, ${formatCount(item.usage.output)} out`,
          formatCost(item.costNanoUsd, item.unpricedCount),
        ]
      : []),
    ...(item.wait === null || item.wait.for === "run" ? [] : ["waits"]),
  ];
  return (
    <li id={id}>
      <details class="fold" id={`${id}-fold`}>
        <summary>
          <Icon name="chevron" size={12} />
          <StateIcon state={item.state} />
          <span class="sr">{STATE_LABEL[item.state]}: </span>
          <b>{item.key}</b>
          <span class="sub num">{facts.join(" · ")}</span>
        </summary>
        <div class="stack">
          {item.error === null ? null : <ErrorBox error={item.error} id={`${id}-error`} />}
          <Values step={item} id={id} path={path} charsMax={ITEM_VALUE_CHARS_MAX} />
          {calls.map((call) => (
            <Call
              call={call}
              id={`${id}-call-${call.ordinal}`}
              whole={stepPath(path, item.key)}
              charsMax={ITEM_VALUE_CHARS_MAX}
            />
          ))}
        </div>
      </details>
    </li>
  );
}

export function Call(props: { call: StepCall; id: string; whole: string; charsMax?: number }) {
  const { call, id, whole } = props;
  const more = props.charsMax === undefined ? {} : { charsMax: props.charsMax };
  const facts = [
    formatDuration(call.finishedAt - call.startedAt),
    ...(call.kind === "model"
      ? [
          `${formatCount(call.usage.input)} in, ${formatCount(call.usage.output)} out`,
          formatCost(call.costNanoUsd ?? 0, call.costNanoUsd === null ? 1 : 0),
        ]
      : []),
  ];
  return (
    <details class="fold call" id={`${id}-fold`}>
      <summary>
        <Icon name="chevron" size={12} />
        <span class={`dot k-${call.kind}`}></span>
        <span>
          {call.kind === "model" ? "Model" : "Tool"} <b>{call.name}</b>
        </span>
        <span class="sub num">{facts.join(" · ")}</span>
      </summary>
      <div class="stack">
        <CallValue
          call={call}
          part="request"
          title={call.kind === "model" ? "Request" : "Arguments"}
          id={`${id}-request`}
          label={`request to ${call.name}`}
          whole={whole}
          more={more}
        />
        <CallValue
          call={call}
          part="result"
          title="Answer"
          id={`${id}-result`}
          label={`answer of ${call.name}`}
          whole={whole}
          more={more}
        />
      </div>
    </details>
  );
}

function CallValue(props: {
  call: StepCall;
  part: "request" | "result";
  title: string;
  id: string;
  label: string;
  whole: string;
  more: { charsMax?: number };
}) {
  const { call, part, title, id, label } = props;
  const bytes = omittedBytes(call, part);
  if (bytes !== undefined)
    return <Omitted bytes={bytes} title={title} label={label} whole={props.whole} />;
  return (
    <>
      <p class="value-title">{title}</p>
      <div class="value-box">
        <Value value={call[part]} id={id} {...props.more} />
        <CopyButton target={id} label={label} />
      </div>
    </>
  );
}
