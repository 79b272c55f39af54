/** What a run needs of people before it goes on: answers, and a larger budget. */
import type { PendingApproval, Run } from "../../src/domain/run.ts";
import type { Workflow } from "../../src/domain/workflow.ts";
import { formatDuration } from "./duration.ts";
import { Icon } from "./icon.tsx";
import { idPart } from "./id.ts";
import { formatCost } from "./money.ts";
import { formatCount } from "./number.ts";
import { Panel } from "./panel.tsx";
import { momentText } from "./time.tsx";

/** Forms of the page that these controls belong to: a live part is drawn without the CSRF token. */
export const DECISION_FORM = "decision-form";
export const BUDGET_FORM = "budget-form";
const COMMENT_CHARS_MAX = 2_000;

interface NeedsProps {
  readonly run: Run;
  readonly workflow: Workflow | undefined;
  readonly approvals: readonly PendingApproval[];
  readonly now: number;
}

export function RunNeeds(props: NeedsProps) {
  const { run } = props;
  return (
    <div id="run-needs" class="column">
      <Approvals {...props} />
      {run.state === "waiting" && run.waitingFor === "budget" ? <BudgetPanel {...props} /> : null}
    </div>
  );
}

export function Approvals(props: Pick<NeedsProps, "approvals" | "now">) {
  return (
    <>
      {props.approvals.map((approval) => (
        <Approval approval={approval} now={props.now} />
      ))}
    </>
  );
}

/** The first answer counts. The comment is a text area: Enter in it must not answer. */
function Approval(props: { approval: PendingApproval; now: number }) {
  const { approval, now } = props;
  const id = `approval-${idPart(approval.key)}`;
  return (
    <Panel
      id={id}
      title="Needs your approval"
      class="caution"
      note={`step ${approval.key}, asked ${formatDuration(Math.max(0, now - approval.askedAt))} ago`}
    >
      <div class="stack pad-x">
        <p class="asked">{approval.message}</p>
        {approval.untilMs === null ? null : (
          <p class="sub">Open until {momentText(approval.untilMs, now)}.</p>
        )}
        <div class="field">
          <div class="field-head">
            <label for={`${id}-comment`}>Comment</label>
            <span class="sub">kept with the run</span>
          </div>
          <textarea
            id={`${id}-comment`}
            class="input"
            name={`comment:${approval.key}`}
            form={DECISION_FORM}
            maxlength={COMMENT_CHARS_MAX}
            rows={2}
          ></textarea>
        </div>
        <div class="actions">
          <Decision name="approve" approval={approval} />
          <Decision name="reject" approval={approval} />
        </div>
      </div>
    </Panel>
  );
}

function Decision(props: { name: "approve" | "reject"; approval: PendingApproval }) {
  const { name, approval } = props;
  const approves = name === "approve";
  return (
    <button
      type="submit"
      class={approves ? "btn primary" : "btn danger"}
      form={DECISION_FORM}
      name={name}
      value={approval.key}
    >
      <Icon name={approves ? "check" : "stop"} size={14} />
      {approves ? "Approve" : "Reject"}
      <span class="sr"> {approval.key}</span>
    </button>
  );
}

const NANO_USD = 1_000_000_000;

function BudgetPanel(props: NeedsProps) {
  const { run, workflow } = props;
  const budget = { ...workflow?.budget, ...run.overrides.budget };
  const { maxCostNanoUsd, maxTokens } = budget;
  const tokens = run.usage.input + run.usage.output;
  return (
    <Panel id="budget" title="The budget is used up" class="caution">
      <div class="stack pad-x">
        <p>
          {formatCost(run.costNanoUsd, run.unpricedCount)} and {formatCount(tokens)} tokens so far.
          With a larger limit the run goes on where it stopped.
        </p>
        <div class="budget-fields">
          <LimitField
            name="max_cost_usd"
            label="Cost in USD, at most"
            value={maxCostNanoUsd === undefined ? "" : String(maxCostNanoUsd / NANO_USD)}
            step="any"
          />
          <LimitField
            name="max_tokens"
            label="Tokens, at most"
            value={maxTokens === undefined ? "" : String(maxTokens)}
            step="1"
          />
        </div>
        <div class="actions">
          <button type="submit" class="btn primary" form={BUDGET_FORM}>
            <Icon name="play" size={14} />
            Go on with these limits
          </button>
        </div>
      </div>
    </Panel>
  );
}

function LimitField(props: { name: string; label: string; value: string; step: string }) {
  const { name, label, value, step } = props;
  const id = `budget-${name}`;
  return (
    <div class="field">
      <div class="field-head">
        <label for={id}>{label}</label>
      </div>
      <input
        type="number"
        id={id}
        class="input"
        name={name}
        form={BUDGET_FORM}
        value={value}
        min="0"
        step={step}
        inputmode="decimal"
      />
    </div>
  );
}
