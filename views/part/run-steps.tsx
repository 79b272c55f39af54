/** The steps of a run: as a graph, over time, and one by one with all that they did. */
import type { Run, RunState, StepAttempt, StepCall } from "../../src/domain/run.ts";
import type { Workflow } from "../../src/domain/workflow.ts";
import { StateBadge, STATE_LABEL } from "./badge.tsx";
import { CopyButton, Value } from "./code.tsx";
import { formatDuration } from "./duration.ts";
import { ErrorBox } from "./error-box.tsx";
import { Graph, GRAPH_NODE_COUNT_MAX, type GraphNode } from "./graph.tsx";
import { Icon } from "./icon.tsx";
import { idPart } from "./id.ts";
import { formatCost } from "./money.ts";
import { formatCount, plural } from "./number.ts";
import { Panel } from "./panel.tsx";
import { nodeStates } from "./run-progress.ts";
import { clockText } from "./time.tsx";
import { Waterfall, type Span } from "./waterfall.tsx";

export interface RunStepsProps {
  readonly run: Run;
  readonly steps: readonly StepAttempt[];
  readonly calls: readonly StepCall[];
  readonly workflow: Workflow | undefined;
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
        {run.nodeIds.length > GRAPH_NODE_COUNT_MAX ? (
          <p class="quiet">Too many steps to draw; they are listed below.</p>
        ) : (
          <Graph label={`Steps of ${run.workflowName}`} nodes={graphNodes(props)} />
        )}
      </Panel>
      {steps.length === 0 ? null : (
        <Panel id="trace" title="Trace" note="steps and calls over time">
          <Waterfall spans={spans(props)} />
        </Panel>
      )}
      <Panel id="steps" title="Steps" note={attemptNote(props)}>
        {steps.length === 0 ? (
          <p class="quiet">No step has started yet.</p>
        ) : (
          <ol class="node-list">
            {steps.map((step) => (
              <Attempt step={step} {...props} />
            ))}
          </ol>
        )}
      </Panel>
    </div>
  );
}

function attemptNote(props: RunStepsProps): string {
  const failed = props.steps.filter((step) => step.state === "failed").length;
  const attempts = plural(props.steps.length, "attempt");
  return failed === 0 ? attempts : `${attempts}, ${failed} failed`;
}

function graphNodes(props: RunStepsProps): GraphNode[] {
  const { run, steps, now } = props;
  const states = nodeStates(run);
  return run.nodeIds.map((id, index) => {
    const state = states[index] ?? "queued";
    const last = steps.findLast((step) => step.nodeId === id);
    return {
      id,
      state,
      href: last === undefined ? "#steps-h" : `#${attemptId(last)}`,
      note: graphNote(state, last, now),
    };
  });
}

function graphNote(state: RunState, last: StepAttempt | undefined, now: number): string {
  if (last === undefined) return STATE_LABEL[state];
  const attempt = last.attempt > 1 ? `, attempt ${last.attempt}` : "";
  const duration = formatDuration((last.finishedAt ?? now) - last.startedAt);
  return state === "waiting"
    ? `Waiting${attempt}`
    : `${STATE_LABEL[state]}, ${duration}${attempt === "" ? "" : `, #${last.attempt}`}`;
}

function spans(props: RunStepsProps): Span[] {
  const { run, steps, calls, now } = props;
  const origin = run.startedAt ?? run.createdAt;
  const at = (time: number) => Math.max(0, time - origin);
  return steps.flatMap((step) => {
    const retried = step.attempt > 1 ? ` #${step.attempt}` : "";
    const own: Span = {
      name: step.key + retried,
      kind: "step",
      startMs: at(step.startedAt),
      endMs: at(step.finishedAt ?? now),
      depth: 0,
      failed: step.state === "failed",
      open: step.finishedAt === null,
    };
    const inner = callsOf(step, calls).map((call): Span => ({
      name: call.name,
      kind: call.kind,
      startMs: at(call.startedAt),
      endMs: at(call.finishedAt),
      depth: 1,
      failed: false,
      open: false,
    }));
    return [own].concat(inner, waitAfter(step, props));
  });
}

/** The pause between a failed attempt and the next one. */
function waitAfter(step: StepAttempt, props: RunStepsProps): Span[] {
  const { retryAt, finishedAt } = step;
  if (retryAt === null || finishedAt === null || retryAt - finishedAt < 100) return [];
  const origin = props.run.startedAt ?? props.run.createdAt;
  const end = Math.max(finishedAt, Math.min(retryAt, props.now));
  return [
    {
      name: "wait",
      kind: "wait",
      startMs: finishedAt - origin,
      endMs: end - origin,
      depth: 1,
      failed: false,
      open: retryAt > props.now && props.run.finishedAt === null,
    },
  ];
}

function callsOf(step: StepAttempt, calls: readonly StepCall[]): readonly StepCall[] {
  return calls.filter((call) => call.key === step.key && call.attempt === step.attempt);
}

function attemptId(step: StepAttempt): string {
  return `step-${idPart(step.key)}-${step.attempt}`;
}

function Attempt(props: RunStepsProps & { step: StepAttempt }) {
  const { step, now, workflow } = props;
  const id = attemptId(step);
  const node = workflow?.nodes.find((candidate) => candidate.id === step.nodeId);
  return (
    <li class="node-item" id={id}>
      <div class="card-head">
        <h3>
          {step.key}
          {step.attempt > 1 ? <span class="tag">attempt {step.attempt}</span> : null}
        </h3>
        <StateBadge state={step.state} />
      </div>
      {node?.description === undefined ? null : <p class="node-text">{node.description}</p>}
      <ul class="facts num">
        <li>{formatDuration((step.finishedAt ?? now) - step.startedAt)}</li>
        <li>
          {formatCount(step.usage.input)} in, {formatCount(step.usage.output)} out
          <span class="sr"> tokens</span>
        </li>
        <li>{formatCost(step.costNanoUsd, step.unpricedCount)}</li>
        {step.recoveryCount === 0 ? null : <li>taken up again {step.recoveryCount}×</li>}
        {step.retryAt === null ? null : <li>next attempt at {clockText(step.retryAt)}</li>}
      </ul>
      {step.error === null ? null : <ErrorBox error={step.error} id={`${id}-error`} />}
      {step.patch === null ? null : (
        <ValueFold id={`${id}-patch`} title="Result" value={step.patch} label={step.key} />
      )}
      <ValueFold id={`${id}-input`} title="Input" value={step.input} label={step.key} />
      {callsOf(step, props.calls).map((call) => (
        <Call call={call} id={`${id}-call-${call.ordinal}`} />
      ))}
    </li>
  );
}

/** @param props.label What the value belongs to, for readers who do not see where it stands. */
function ValueFold(props: { id: string; title: string; value: unknown; label: string }) {
  return (
    <details class="fold" id={`${props.id}-fold`}>
      <summary>
        <Icon name="chevron" size={12} />
        {props.title}
        <span class="sr"> of {props.label}</span>
      </summary>
      <div class="value-box">
        <Value value={props.value} id={props.id} />
        <CopyButton target={props.id} label={`${props.title} of ${props.label}`} />
      </div>
    </details>
  );
}

function Call(props: { call: StepCall; id: string }) {
  const { call, id } = props;
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
        <p class="value-title">{call.kind === "model" ? "Request" : "Arguments"}</p>
        <div class="value-box">
          <Value value={call.request} id={`${id}-request`} />
          <CopyButton target={`${id}-request`} label={`request to ${call.name}`} />
        </div>
        <p class="value-title">Answer</p>
        <div class="value-box">
          <Value value={call.result} id={`${id}-result`} />
          <CopyButton target={`${id}-result`} label={`answer of ${call.name}`} />
        </div>
      </div>
    </details>
  );
}
