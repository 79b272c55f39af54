/** What the model of a chat has done, or asks to do: a quiet line where it only looked, a card where it asks. */
import { type ChatCall, type ChatCallState, NOTHING_SEEN } from "../../src/domain/conversation.ts";
import type { Workflow } from "../../src/domain/workflow.ts";
import type { Drawing } from "../../src/graph/drawing.ts";
import { clip } from "../../src/lib/clip.ts";
import type { TextDiff } from "../../src/lib/diff.ts";
import { isJsonObject, type Json } from "../../src/lib/json.ts";
import { CopyButton, keepNewline, VALUE_CHARS_MAX } from "./code.tsx";
import { type CostEstimate, CostEstimateText } from "./cost-estimate.tsx";
import { Diff, diffNote } from "./diff.tsx";
import { Graph, nodesInOrder, planNodes } from "./graph.tsx";
import { Icon, type IconName } from "./icon.tsx";
import { idPart, shortId } from "./id.ts";
import { nodeNote } from "./node.tsx";
import { formatCount, plural } from "./number.ts";

/** What is to be saved. */
export interface SavePlan {
  readonly kind: "save";
  readonly source: string;
  readonly workflow: Workflow;
  /** Undefined also for a workflow that is too large to be drawn. */
  readonly drawing: Drawing | undefined;
  /** The newest version of the workflow of this name; undefined for a new one. */
  readonly before:
    | { readonly versionNumber: number; readonly hash: string; readonly diff: TextDiff }
    | undefined;
}

/** What is to be run. */
export interface RunPlan {
  readonly kind: "run";
  readonly workflow: {
    readonly id: string;
    readonly name: string;
    readonly versionNumber: number;
    readonly hash: string;
  };
  readonly inputs: readonly { readonly name: string; readonly value: Json }[];
  /** Values that are not given and begin as the file says. */
  readonly defaultCount: number;
  readonly estimate: CostEstimate;
}

export interface CallView {
  readonly call: ChatCall;
  /** Of the answer that makes it. */
  readonly ordinal: number;
  /** It writes or spends. */
  readonly asks: boolean;
  /** What it would do; undefined when that is decided, for calls that only look, and with a problem. */
  readonly plan?: SavePlan | RunPlan;
  /** Why it can no longer be done. */
  readonly problem?: string;
}

/** The form outside of the live parts that the buttons belong to: it has the CSRF token. */
export const CALL_FORM_ID = "call-form";
/** Of the buttons; their value is what `readDecision` of the chat reads. */
export const DECISION_NAME = "decision";

/** More is in the fold below. */
const RESULT_CHARS_MAX = 600;
const INPUT_CHARS_MAX = 2_000;
const NAME_CHARS_MAX = 60;

export function CallCard(props: CallView & { writable: boolean }) {
  return props.asks ? <AskingCall {...props} /> : <ReadCall {...props} />;
}

function callId({ ordinal, call }: Pick<CallView, "ordinal" | "call">): string {
  return `call-${ordinal}-${call.number}`;
}

function ReadCall(props: CallView) {
  const { call } = props;
  const isFailed = call.state === "failed";
  return (
    <details class={isFailed ? "fold call-line failed" : "fold call-line"} id={callId(props)}>
      <summary>
        <Icon name={isFailed ? "warning" : (ICONS[call.tool] ?? "tool")} size={14} />
        <span>
          {readText(call)}
          {isFailed ? ": it failed" : null}
          {call.state === "begun" ? " …" : null}
        </span>
        <Icon name="chevron" size={12} />
      </summary>
      <CallDetails {...props} />
    </details>
  );
}

const ICONS: Readonly<Record<string, IconName>> = {
  list_workflows: "workflows",
  read_workflow: "workflows",
  list_runs: "runs",
  read_run: "runs",
  list_models: "spark",
  validate_workflow: "check",
  save_workflow: "workflows",
  run_workflow: "play",
};

function readText({ tool, arguments: given }: ChatCall): string {
  const named = (name: string) => {
    const value = isJsonObject(given) ? given[name] : undefined;
    return typeof value === "string" && value !== "" ? clip(value, NAME_CHARS_MAX) : undefined;
  };
  const workflow = named("workflow");
  switch (tool) {
    case "list_workflows":
      return "Looked through the workflows";
    case "read_workflow":
      return `Read the workflow ${workflow ?? ""}`.trim();
    case "list_runs":
      return workflow === undefined
        ? "Looked through the runs"
        : `Looked through the runs of ${workflow}`;
    case "read_run":
      return `Looked at the run ${shortId(named("run") ?? "")}`.trim();
    case "list_models":
      return "Looked up the models";
    case "list_tools":
      return "Looked up the tools";
    case "validate_workflow":
      return "Checked a workflow";
    case "save_workflow":
      return "Save a workflow";
    case "run_workflow":
      return `Run ${workflow ?? "a workflow"}`;
    default:
      return `Called ${clip(tool, NAME_CHARS_MAX)}`;
  }
}

/** What it was given, what it gave, where that can be seen. */
function CallDetails(props: CallView) {
  const { call } = props;
  const given = argumentsText(call.arguments);
  const id = callId(props);
  return (
    <div class="call-details">
      {given === "" ? null : <Text text={given} id={`${id}-given`} label="Given" />}
      {call.result === null ? null : <Text text={call.result} id={`${id}-result`} label="Result" />}
      <CallLink call={call} />
    </div>
  );
}

/** A text alone as it is: a YAML file is read with its line breaks. */
function argumentsText(given: Json): string {
  if (!isJsonObject(given)) return given === null ? "" : JSON.stringify(given, null, 2);
  const entries = Object.entries(given);
  const [[, only] = []] = entries;
  if (entries.length === 0) return "";
  if (entries.length === 1 && typeof only === "string") return only;
  return JSON.stringify(given, null, 2);
}

function Text(props: { text: string; id: string; label: string }) {
  const { text, id, label } = props;
  const isCut = text.length > VALUE_CHARS_MAX;
  const place = id.replace(/^call-(\d+)-(\d+)-.*/, "of call $2 in message $1");
  return (
    <div>
      <p class="value-title">{label}</p>
      <div class="value-box">
        <pre class="value" id={id} tabindex={0} role="region" aria-label={`${label} ${place}`}>
          {keepNewline(isCut ? text.slice(0, VALUE_CHARS_MAX) : text)}
        </pre>
        <CopyButton target={id} label={`${label.toLowerCase()} ${place}`} />
      </div>
      {isCut ? (
        <p class="sub cut">Cut here. The whole text has {formatCount(text.length)} characters.</p>
      ) : null}
    </div>
  );
}

function CallLink(props: { call: ChatCall }) {
  const { call } = props;
  if (call.link === null || !/^\/(?!\/)/.test(call.link)) return null;
  const isRun = call.link.startsWith("/runs/");
  return (
    <a class="btn ghost small" href={call.link}>
      <Icon name={isRun ? "runs" : "workflows"} size={14} />
      {isRun ? "Open the run" : "Open the workflow"}
    </a>
  );
}

const STATE_TEXT: Readonly<Record<ChatCallState, string>> = {
  asked: "needs your decision",
  begun: "approved, under way …",
  done: "approved and done",
  declined: "declined",
  failed: "not done",
};

/** Which look it has. */
const STATE_CLASS: Readonly<Record<ChatCallState, string>> = {
  asked: "open",
  begun: "open",
  done: "done",
  declined: "declined",
  failed: "failed",
};

function AskingCall(props: CallView & { writable: boolean }) {
  const { call, plan, problem } = props;
  const id = callId(props);
  return (
    <article class={`call ${STATE_CLASS[call.state]}`} id={id} aria-labelledby={`${id}-h`}>
      <header class="call-head">
        <Icon name={ICONS[call.tool] ?? "tool"} />
        <h3 id={`${id}-h`}>{titleOf(props)}</h3>
        <span class="panel-note">{STATE_TEXT[call.state]}</span>
      </header>
      {plan === undefined ? null : <Plan {...props} plan={plan} />}
      {problem === undefined ? null : (
        <p class="call-text warning">
          <Icon name="warning" size={14} />
          {problem}
        </p>
      )}
      {call.result === null ? null : <p class="call-text">{clip(call.result, RESULT_CHARS_MAX)}</p>}
      {call.state === "asked" ? <Decision {...props} /> : null}
      {call.link === null ? null : (
        <div class="actions pad">
          <CallLink call={call} />
        </div>
      )}
      {call.state === "asked" ? null : (
        <details class="fold pad call-fold">
          <summary>
            <Icon name="chevron" size={12} />
            What was asked for
          </summary>
          <CallDetails {...props} call={{ ...call, link: null, result: resultBelow(call) }} />
        </details>
      )}
    </article>
  );
}

/** What is said above already is not said again. */
function resultBelow({ result }: ChatCall): string | null {
  return result !== null && result.length > RESULT_CHARS_MAX ? result : null;
}

function titleOf({ call, plan }: CallView): string {
  if (plan?.kind === "run") return `Run ${plan.workflow.name}`;
  if (plan?.kind !== "save") return readText(call);
  const { before, workflow } = plan;
  return before === undefined
    ? `Save the new workflow ${workflow.name}`
    : `Save ${workflow.name} as version ${before.versionNumber + 1}`;
}

function Plan(props: CallView & { plan: SavePlan | RunPlan }) {
  const { plan } = props;
  const id = callId(props);
  return plan.kind === "run" ? (
    <PlannedRun plan={plan} id={id} />
  ) : (
    <PlannedSave plan={plan} id={id} />
  );
}

function PlannedSave(props: { plan: SavePlan; id: string }) {
  const { plan, id } = props;
  const { before, source, workflow } = plan;
  return (
    <>
      {before === undefined ? (
        <NewWorkflow plan={plan} id={id} />
      ) : (
        <>
          <p class="call-text sub">
            Against version {before.versionNumber}, the newest: {diffNote(before.diff)}
          </p>
          <Diff
            diff={before.diff}
            label={`Changes of ${workflow.name}, ${id}`}
            same="The newest version has this very text: nothing would be saved."
          />
        </>
      )}
      <details class="fold pad call-fold">
        <summary>
          <Icon name="chevron" size={12} />
          YAML, {plural(source.trimEnd().split("\n").length, "line")}
        </summary>
        <Text text={source} id={`${id}-yaml`} label="YAML" />
      </details>
    </>
  );
}

function NewWorkflow(props: { plan: SavePlan; id: string }) {
  const { workflow, drawing } = props.plan;
  const nodeId = (name: string) => `${props.id}-node-${idPart(name)}`;
  return (
    <>
      {workflow.description === undefined ? null : <p class="call-text">{workflow.description}</p>}
      {drawing === undefined ? null : (
        <Graph
          drawing={drawing}
          id={props.id}
          label={`Steps of ${workflow.name}, ${props.id}`}
          nodes={planNodes(workflow, (id) => `#${nodeId(id)}`)}
        />
      )}
      <ol class="result-steps">
        {nodesInOrder(workflow).map((node) => (
          <li id={nodeId(node.id)}>
            <b>{node.id}</b> {node.description} <span class="sub">{nodeNote(node)}</span>
          </li>
        ))}
      </ol>
    </>
  );
}

function PlannedRun(props: { plan: RunPlan; id: string }) {
  const { workflow, inputs, defaultCount, estimate } = props.plan;
  return (
    <>
      <p class="call-text sub">
        <a class="inline-link" href={`/workflows/${encodeURIComponent(workflow.id)}`}>
          {workflow.name}
        </a>
        , version {workflow.versionNumber}, the newest
      </p>
      {inputs.length === 0 ? (
        <p class="call-text">No inputs are given.</p>
      ) : (
        <table class="call-inputs">
          <caption class="sr">Inputs of the run, {props.id}</caption>
          <thead class="sr">
            <tr>
              <th scope="col">Input</th>
              <th scope="col">Value</th>
            </tr>
          </thead>
          <tbody>
            {inputs.map(({ name, value }) => (
              <tr>
                <th scope="row">{name}</th>
                <td>{inputText(value)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {defaultCount === 0 ? null : (
        <p class="call-text sub">
          {plural(defaultCount, "other value")} {defaultCount === 1 ? "begins" : "begin"} as the
          file says.
        </p>
      )}
      <div class="call-text">
        <CostEstimateText estimate={estimate} />
      </div>
    </>
  );
}

function inputText(value: Json): string {
  return clip(typeof value === "string" ? value : JSON.stringify(value, null, 1), INPUT_CHARS_MAX);
}

/** With what was there already when the person looked. */
function approvalOf({ plan }: CallView): string {
  if (plan === undefined) return "approve";
  const known = plan.kind === "run" ? plan.workflow : plan.before;
  return `approve-${known?.hash ?? NOTHING_SEEN}`;
}

function Decision(props: CallView & { writable: boolean }) {
  const { call, ordinal, problem } = props;
  if (!props.writable) {
    return <p class="call-text sub">This can be decided when the database can be written again.</p>;
  }
  const value = (word: string) => `${ordinal}-${call.number}-${word}`;
  const spoken = <span class="sr">: {titleOf(props)}</span>;
  return (
    <div class="actions pad">
      {problem === undefined ? (
        <button
          type="submit"
          class="btn primary"
          form={CALL_FORM_ID}
          name={DECISION_NAME}
          value={value(approvalOf(props))}
        >
          <Icon name="check" size={14} />
          Approve
          {spoken}
        </button>
      ) : null}
      <button
        type="submit"
        class="btn ghost"
        form={CALL_FORM_ID}
        name={DECISION_NAME}
        value={value("decline")}
      >
        <Icon name="close" size={14} />
        Decline
        {spoken}
      </button>
    </div>
  );
}
