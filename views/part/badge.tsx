/** States as shape, word and colour; colour is never the only cue. */
import type { RunState, RunSummary, StepState, WaitingFor } from "../../src/domain/run.ts";
import type { ServiceState } from "../../src/domain/service.ts";

/** What a node of a run, a step or a run can be in. */
export type NodeState = RunState | StepState;

export const STATE_LABEL: Record<NodeState, string> = {
  queued: "Queued",
  running: "Running",
  waiting: "Waiting",
  succeeded: "Succeeded",
  failed: "Failed",
  cancelled: "Cancelled",
  skipped: "Skipped",
  superseded: "Superseded",
};

const MARK: Record<NodeState, string> = {
  queued: "",
  running: "",
  waiting: "M6.5 6v4M9.5 6v4",
  succeeded: "M5 8.25l2.1 2.1L11 6",
  failed: "M5.9 5.9l4.2 4.2M10.1 5.9l-4.2 4.2",
  cancelled: "M5.25 8h5.5",
  skipped: "M5 5.5l3 2.5-3 2.5M8.5 5.5l3 2.5-3 2.5",
  superseded: "M5.25 8h5.5",
};

/** A `<g>`, so that it also works inside a larger drawing. */
export function StateGlyph(props: { state: NodeState }) {
  return (
    <g class={`glyph s-${props.state}`}>
      <circle class="glyph-ring" cx="8" cy="8" r="6" />
      {props.state === "running" ? <path class="glyph-arc" d="M8 2a6 6 0 0 1 6 6" /> : null}
      {MARK[props.state] === "" ? null : <path class="glyph-mark" d={MARK[props.state]} />}
    </g>
  );
}

export function StateIcon(props: { state: NodeState }) {
  return (
    <svg
      class="state-icon"
      width="16"
      height="16"
      viewBox="0 0 16 16"
      aria-hidden="true"
      focusable="false"
    >
      <StateGlyph state={props.state} />
    </svg>
  );
}

export function StateBadge(props: { state: NodeState; label?: string }) {
  return (
    <span class={`badge s-${props.state}`}>
      <StateIcon state={props.state} />
      {props.label ?? STATE_LABEL[props.state]}
    </span>
  );
}

/** The state of a run in words, with what it waits for or that it is about to end. */
export function runStateLabel(run: RunSummary): string {
  if (run.cancelRequestedAt !== null && !run.finishedAt) return "Cancelling";
  if (run.state !== "waiting") return STATE_LABEL[run.state];
  return run.waitingFor === null ? STATE_LABEL.waiting : WAITING_LABEL[run.waitingFor];
}

const WAITING_LABEL: Record<WaitingFor, string> = {
  timer: "Waiting",
  rate_limit: "Rate limited",
  budget: "Out of budget",
  approval: "Needs approval",
  signal: "Waiting for a signal",
  run: "Waiting for a run",
};

export function RunBadge(props: { run: RunSummary }) {
  return <StateBadge state={props.run.state} label={runStateLabel(props.run)} />;
}

const SERVICE: Record<ServiceState, { state: RunState; label: string }> = {
  starting: { state: "running", label: "Starting" },
  running: { state: "succeeded", label: "Running" },
  backing_off: { state: "waiting", label: "Restarting" },
  stopping: { state: "waiting", label: "Stopping" },
  stopped: { state: "cancelled", label: "Stopped" },
  failed: { state: "failed", label: "Failed" },
  disabled: { state: "cancelled", label: "Off" },
};

export function ServiceBadge(props: { state: ServiceState }) {
  const { state, label } = SERVICE[props.state];
  return <StateBadge state={state} label={label} />;
}
