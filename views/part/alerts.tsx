/**
 * What needs attention, in tiers: critical always open, warnings open until closed, the rest on demand. An alert
 * says a state. It can be put away, and comes back when that state is another one.
 */
import type { Child } from "hono/jsx";
import type { Run } from "../../src/domain/run.ts";
import type { ServiceStatus } from "../../src/domain/service.ts";
import { Icon } from "./icon.tsx";
import { shortId } from "./id.ts";
import { InlineText } from "./inline-text.tsx";
import { FAILURES_ADDRESS, runAddress } from "./ask-chat.tsx";
import { formatCount, plural } from "./number.ts";
import type { Status } from "./status.ts";
import type { Tier } from "./tile.tsx";
import { ClockTime } from "./time.tsx";

/** Runs and approvals that are named; of more there is a link to the list. */
const NAMED_COUNT_MAX = 5;
/** Stands outside of what changes: a message is the same for all readers, and knows no token. */
export const ACKNOWLEDGE_FORM = "acknowledge";

interface Alert {
  readonly tier: Tier;
  /** Its name, the same as long as it is about the same thing. */
  readonly key: string;
  /** The state that it tells of. */
  readonly state: string;
  readonly text: Child;
}

/** What tells one picture of the alerts from another. */
export function alertsFace(status: Status): string {
  return JSON.stringify(openAlerts(status).map(({ tier, key, state }) => [tier, key, state]));
}

export function Alerts(props: { status: Status }) {
  const alerts = openAlerts(props.status);
  const of = (tier: Tier) => alerts.filter((alert) => alert.tier === tier);
  const critical = of("critical");
  return (
    <div id="alerts">
      {critical.length === 0 ? null : (
        <div class="alert critical" id="alerts-critical">
          <p class="alert-head">
            <Icon name="critical" />
            {plural(critical.length, "critical problem")}
          </p>
          <Items alerts={critical} />
        </div>
      )}
      {(["warning", "info"] as const).map((tier) => (
        <Collapsible tier={tier} alerts={of(tier)} />
      ))}
    </div>
  );
}

function Collapsible(props: { tier: "warning" | "info"; alerts: readonly Alert[] }) {
  const { tier, alerts } = props;
  const [first, second] = alerts;
  if (first === undefined) return null;
  if (second === undefined)
    return (
      <div class={`alert single ${tier}`} id={`alerts-${tier}`}>
        <Icon name={tier} />
        <p>
          <span class="sr">{tier === "warning" ? "Warning: " : "Notice: "}</span>
          {first.text}
        </p>
        <PutAway alert={first} />
      </div>
    );
  return (
    <details class={`alert ${tier}`} id={`alerts-${tier}`} open={tier === "warning"}>
      <summary class="alert-head">
        <Icon name={tier} />
        {plural(alerts.length, tier === "warning" ? "warning" : "notice")}
        <Icon name="chevron" size={12} />
      </summary>
      <Items alerts={alerts} />
    </details>
  );
}

function Items(props: { alerts: readonly Alert[] }) {
  return (
    <ul class="alert-list">
      {props.alerts.map((alert) => (
        <li>
          <p>{alert.text}</p>
          <PutAway alert={alert} />
        </li>
      ))}
    </ul>
  );
}

/** Nothing critical can be put away. */
function PutAway(props: { alert: Alert }) {
  const { tier, key, state } = props.alert;
  if (tier === "critical") return null;
  return (
    <button
      type="submit"
      form={ACKNOWLEDGE_FORM}
      name="alert"
      value={JSON.stringify([key, state])}
      class="icon-btn small put-away"
      title="Put away until it changes"
    >
      <Icon name="close" size={12} />
      <span class="sr">Put away until it changes: {key.replaceAll(/[:-]/g, " ")}</span>
    </button>
  );
}

function openAlerts(status: Status): Alert[] {
  const { acknowledged } = status;
  return allAlerts(status).filter(
    ({ tier, key, state }) => tier === "critical" || acknowledged[key] !== state,
  );
}

const SERVICE_TIER: Partial<Record<ServiceStatus["state"], Tier>> = {
  failed: "critical",
  backing_off: "warning",
  stopped: "info",
  disabled: "info",
};

function allAlerts(status: Status): Alert[] {
  return [
    ...status.services.flatMap(serviceAlert),
    ...pauseAlerts(status),
    ...heldAlerts(status),
    ...failedAlert(status),
    ...approvalAlert(status),
    ...interruptedAlert(status),
  ];
}

function serviceAlert(service: ServiceStatus): Alert[] {
  const { name, state, message } = service;
  const tier = SERVICE_TIER[state];
  // A service that is off on purpose and has nothing to say is no news.
  if (tier === undefined || (tier === "info" && message === null)) return [];
  const seen = `${state} ${message ?? ""}`;
  const text = <ServiceItem service={service} />;
  return [{ tier: tierOf(service, tier), key: `service:${name}`, state: seen, text }];
}

/** Only a worker that is down stops runs; the product works without every other service. */
function tierOf(service: ServiceStatus, tier: Tier): Tier {
  return tier === "critical" && !service.name.startsWith("worker") ? "warning" : tier;
}

function ServiceItem(props: { service: ServiceStatus }) {
  const { service } = props;
  const state = service.state === "backing_off" ? "is being restarted" : "is not running";
  return (
    <>
      <b>
        {service.name} {state}.
      </b>{" "}
      <InlineText text={service.message ?? ""} />{" "}
      {service.fix === null ? null : (
        <>
          <b>Fix:</b> <InlineText text={service.fix} links />
        </>
      )}
    </>
  );
}

function pauseAlerts({ pauses }: Status): Alert[] {
  return pauses.map(({ account, untilAt }) => ({
    tier: "warning",
    key: `pause:${account}`,
    state: String(untilAt),
    text: (
      <>
        <b>{account.split(":")[0]} is rate limited.</b> It has asked to be left alone until{" "}
        <ClockTime at={untilAt} />; runs that need it wait and go on by themselves. <b>Fix:</b>{" "}
        Lower the limits under <a href="/settings">Settings</a>, or use another model.
      </>
    ),
  }));
}

function heldAlerts({ held }: Status): Alert[] {
  const budget = held.filter((run) => run.waitingFor === "budget");
  if (budget.length === 0) return [];
  return [
    {
      tier: "warning",
      key: "budget",
      state: idsOf(budget),
      text: (
        <>
          <b>
            {plural(budget.length, "run")} {budget.length === 1 ? "has" : "have"} reached the
            budget:
          </b>{" "}
          <RunLinks runs={budget} more="/runs?state=waiting" />. <b>Fix:</b> Open the run and raise
          its limit, or cancel it.
        </>
      ),
    },
  ];
}

function failedAlert({ failed, range, canAsk }: Status): Alert[] {
  const [newest] = failed;
  if (newest === undefined) return [];
  return [
    {
      tier: "warning",
      key: "failed",
      state: newest.id,
      text: (
        <>
          <b>Runs have failed in {range}:</b> <RunLinks runs={failed} more="/runs?state=failed" />.{" "}
          {canAsk ? (
            <a href={failed.length === 1 ? runAddress(newest.id) : FAILURES_ADDRESS}>
              Ask the chat why
            </a>
          ) : null}
        </>
      ),
    },
  ];
}

function RunLinks(props: { runs: readonly Run[]; more: string }) {
  const shown = props.runs.slice(0, NAMED_COUNT_MAX);
  return (
    <>
      {shown.map((run, index) => (
        <>
          {index === 0 ? "" : ", "}
          <a href={`/runs/${encodeURIComponent(run.id)}`}>
            {run.workflowName} {shortId(run.id)}
          </a>
        </>
      ))}
      {props.runs.length === shown.length ? null : (
        <>
          {" "}
          and <a href={props.more}>more</a>
        </>
      )}
    </>
  );
}

function approvalAlert({ approvals }: Status): Alert[] {
  if (approvals.length === 0) return [];
  const state = approvals.map(({ runId, key }) => `${runId} ${key}`).join();
  const text = <Approvals approvals={approvals} />;
  return [{ tier: "warning", key: "approvals", state: shortState(state), text }];
}

function Approvals(props: { approvals: Status["approvals"] }) {
  const { approvals } = props;
  const shown = approvals.slice(0, NAMED_COUNT_MAX);
  const more = approvals.length - shown.length;
  return (
    <>
      <b>
        {plural(approvals.length, "step")} {approvals.length === 1 ? "waits" : "wait"} for your
        approval:
      </b>{" "}
      {shown.map(({ runId, workflowName, key }, index) => (
        <>
          {index === 0 ? "" : ", "}
          <a href={`/runs/${encodeURIComponent(runId)}`}>
            {key} of {workflowName} {shortId(runId)}
          </a>
        </>
      ))}
      {more === 0 ? null : (
        <>
          {" "}
          and <a href="/runs?state=waiting">{formatCount(more)} more</a>
        </>
      )}
      .
    </>
  );
}

function interruptedAlert({ interrupted }: Status): Alert[] {
  if (interrupted.length === 0) return [];
  const text = <Interrupted runs={interrupted} />;
  return [{ tier: "warning", key: "interrupted", state: idsOf(interrupted), text }];
}

function Interrupted(props: { runs: readonly Run[] }) {
  const { runs } = props;
  return (
    <>
      <b>The last session ended without a clean shutdown.</b> {plural(runs.length, "run")}{" "}
      {runs.length === 1 ? "was" : "were"} taken up again where the last finished step left off:{" "}
      <RunLinks runs={runs} more="/runs" />.
    </>
  );
}

function idsOf(runs: readonly Run[]): string {
  return shortState(runs.map((run) => run.id).join());
}

/** A state goes into a form and is kept: of a long one its digest will do. */
function shortState(text: string): string {
  return text.length <= 40 ? text : Bun.hash(text).toString(36);
}
