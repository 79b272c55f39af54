/**
 * Beside a conversation: the workflow that it has come to, as graph, form and YAML, and the run that was begun in it.
 * Which of them is seen is a choice of radio buttons outside of the live parts: it stays, and needs no script.
 */
import type { Workflow } from "../../src/domain/workflow.ts";
import type { EditablePlace } from "../../src/language/edit-source.ts";
import type { RunDetail } from "../run.tsx";
import {
  SAVE_FORM_ID,
  SaveButton,
  type SavedWorkflow,
  SavedLink,
  saveValue,
  type WorkflowResult,
} from "./answer.tsx";
import { ASK_FORM } from "./ask-chat.tsx";
import { Source } from "./code.tsx";
import { CodeBlock } from "./code-block.tsx";
import { type CostEstimate, CostEstimateText } from "./cost-estimate.tsx";
import { FormToken, LiveForm, PostForm } from "./form.tsx";
import { Graph, nodesInOrder, planNodes } from "./graph.tsx";
import { Icon, type IconName } from "./icon.tsx";
import { idPart } from "./id.ts";
import { NodeItem } from "./node.tsx";
import { plural } from "./number.ts";
import { ProblemList } from "./problem-list.tsx";
import { DECISION_FORM } from "./run-needs.tsx";
import { type RunForm, RunFields } from "./run-form.tsx";
import { EDIT_FORM, type RefusedEdits, ResultForm } from "./result-form.tsx";
import { ResultRun, RUN_CANCEL_FORM } from "./result-run.tsx";

export const RESULT_VIEWS = ["graph", "form", "yaml", "run"] as const;
export type ResultView = (typeof RESULT_VIEWS)[number];

/** The workflow that a conversation has come to. */
export interface PanelResult {
  readonly conversationId: string;
  /** Of the message that has it. */
  readonly ordinal: number;
  /** A person wrote it. */
  readonly isByPerson: boolean;
  readonly result: WorkflowResult;
  readonly saved: SavedWorkflow | undefined;
  /** What a form can change in it. */
  readonly places: readonly EditablePlace[];
  /** Changes that were sent and refused. */
  readonly refused?: RefusedEdits;
  /** What a run asks for; undefined when it cannot run. */
  readonly form: RunForm | undefined;
  readonly estimate: CostEstimate | undefined;
}

/** The run that was begun in a conversation, as its page has it. */
export type PanelRun = Omit<RunDetail, "events">;

export interface ResultPanelProps {
  readonly conversationId: string;
  readonly shown: PanelResult | undefined;
  readonly run: PanelRun | undefined;
  readonly writable: boolean;
  readonly now: number;
}

const RUN_FORM = "result-run-form";

export function ResultPanel(props: ResultPanelProps & { view: ResultView; csrf: string }) {
  const { csrf, view } = props;
  const path = `/chat/${encodeURIComponent(props.conversationId)}`;
  return (
    <aside class="result-panel" id="result" aria-label="Workflow of this conversation">
      <ResultHead {...props} />
      <fieldset class="seg-ctl result-choices">
        <legend class="sr">What is shown of the workflow</legend>
        {RESULT_VIEWS.map((name) => (
          <label for={`result-view-${name}`}>
            <input
              type="radio"
              class="sr"
              name="result-view"
              value={name}
              id={`result-view-${name}`}
              checked={name === view}
            />
            {VIEW_LABELS[name]}
          </label>
        ))}
      </fieldset>
      <div class="result-scroll">
        <ResultRun {...props} />
        <ResultBody {...props} />
      </div>
      {props.writable ? (
        <>
          <FormToken form={RUN_FORM} csrf={csrf} />
          <FormToken form={EDIT_FORM} csrf={csrf} />
          <FormToken form={ASK_FORM} csrf={csrf} />
          <PostForm action={`${path}/runs/decisions`} csrf={csrf} id={DECISION_FORM} stays />
          <PostForm action={`${path}/runs/cancellation`} csrf={csrf} id={RUN_CANCEL_FORM} stays />
        </>
      ) : null}
    </aside>
  );
}

const VIEW_LABELS: Record<ResultView, string> = {
  graph: "Graph",
  form: "Form",
  yaml: "YAML",
  run: "Run",
};

/** Its name, whether it can run, and what can be done with it. */
export function ResultHead(props: ResultPanelProps) {
  const { shown, run } = props;
  if (shown === undefined) {
    return (
      <div id="result-head" data-shown={run === undefined ? undefined : "run"}>
        {run === undefined ? null : <Title icon="runs" name={run.run.workflowName} note="a run" />}
      </div>
    );
  }
  const { result, ordinal, isByPerson } = shown;
  const { workflow, problems } = result;
  const errors = problems.filter(({ severity }) => severity === "error").length;
  const from = isByPerson ? `from your message ${ordinal}` : `from answer ${ordinal}`;
  return (
    <div id="result-head" data-shown={workflow === undefined ? "invalid" : "valid"}>
      {workflow === undefined ? (
        <Title icon="critical" name={`Not valid: ${plural(errors, "error")}`} note={from} />
      ) : (
        <Title
          icon="check"
          name={workflow.name}
          note={`valid, ${plural(workflow.nodes.length, "step")}, ${from}`}
        />
      )}
      <Actions {...props} shown={shown} />
    </div>
  );
}

function Title(props: { icon: IconName; name: string; note: string }) {
  return (
    <header class="result-head">
      <Icon name={props.icon} />
      <h2>{props.name}</h2>
      <span class="panel-note">{props.note}</span>
    </header>
  );
}

function Actions(props: ResultPanelProps & { shown: PanelResult }) {
  const { shown, writable } = props;
  const { result, saved, ordinal } = shown;
  const base = `/chat/${encodeURIComponent(props.conversationId)}`;
  const isSaved = saved?.isSame === true;
  return (
    <div class="actions pad">
      {isSaved ? <Onward saved={saved} writable={writable} /> : null}
      {!isSaved && writable ? (
        <>
          {result.workflow === undefined ? null : (
            <>
              <SaveButton saved={saved} ordinal={ordinal} class="small" />
              <ScheduleButton saved={saved} ordinal={ordinal} />
            </>
          )}
          <a
            class="btn ghost small"
            href={`/workflows/new?conversation=${encodeURIComponent(props.conversationId)}&message=${ordinal}`}
            hx-boost="false"
          >
            <Icon name="edit" size={14} />
            Edit<span class="sr"> in the editor, unsaved</span>
          </a>
        </>
      ) : null}
      <a class="btn ghost small" href={`${base}/${ordinal}.yaml`} download hx-boost="false">
        <Icon name="download" size={14} />
        Download
      </a>
    </div>
  );
}

/** Saves it, then asks when it is to run. */
function ScheduleButton(props: { saved: SavedWorkflow | undefined; ordinal: number }) {
  return (
    <button
      type="submit"
      class="btn ghost small"
      form={SAVE_FORM_ID}
      name="schedule"
      value={saveValue(props.ordinal, props.saved)}
    >
      <Icon name="schedules" size={14} />
      Save and schedule
    </button>
  );
}

/** Where a saved workflow leads. */
function Onward({ saved, writable }: { saved: SavedWorkflow; writable: boolean }) {
  const page = `/workflows/${encodeURIComponent(saved.id)}`;
  return (
    <>
      <SavedLink saved={saved} class="small" />
      {writable ? (
        <>
          <a class="btn ghost small" href={`${page}/edit`} hx-boost="false">
            <Icon name="edit" size={14} />
            Edit
          </a>
          <a class="btn ghost small" href={`${page}/schedules`}>
            <Icon name="schedules" size={14} />
            Schedule
          </a>
        </>
      ) : null}
    </>
  );
}

/** All of it but the run; which view of it is seen says the style sheet. */
export function ResultBody(props: ResultPanelProps) {
  const { shown } = props;
  if (shown === undefined) return <div id="result-body"></div>;
  const { workflow, problems, source } = shown.result;
  return (
    <div id="result-body">
      {problems.length === 0 ? null : (
        <section class="result-problems" aria-label="Problems of the workflow">
          <ProblemList problems={problems} source={source} />
        </section>
      )}
      <section class="view-graph" aria-label="Graph of the workflow">
        {workflow === undefined ? (
          <p class="quiet">
            What cannot run cannot be drawn. The problems are listed above; YAML shows the text.
          </p>
        ) : (
          <GraphView {...shown} workflow={workflow} />
        )}
      </section>
      <section class="view-form" aria-label="Form of the workflow">
        {props.writable ? (
          <ResultForm {...shown} refused={shown.refused} />
        ) : (
          <p class="quiet">It can be changed when the database can be written again.</p>
        )}
      </section>
      <div class="view-yaml">
        <YamlView {...shown} />
      </div>
      <section class="view-run" aria-label="Start a run">
        <StartRun {...props} shown={shown} />
      </section>
    </div>
  );
}

function GraphView({ workflow, result }: PanelResult & { workflow: Workflow }) {
  return (
    <>
      {workflow.description === undefined ? null : (
        <p class="result-text">{workflow.description}</p>
      )}
      {result.drawing === undefined ? null : (
        <Graph
          drawing={result.drawing}
          id="result-graph-drawing"
          label={`Steps of ${workflow.name}`}
          nodes={planNodes(workflow, (id) => `#node-${idPart(id)}`)}
        />
      )}
      <ol class="node-list">
        {nodesInOrder(workflow).map((node) => (
          <NodeItem node={node} />
        ))}
      </ol>
    </>
  );
}

function YamlView({ result }: PanelResult) {
  const { source, problems, tokens } = result;
  if (problems.length > 0) {
    const marks = new Set(problems.map(({ line }) => line));
    return <Source source={source} label="The text with numbered lines" marks={marks} />;
  }
  return (
    <CodeBlock
      text={source}
      language="yaml"
      tokens={tokens}
      id="result-source"
      label="YAML of the workflow"
    />
  );
}

function StartRun(props: ResultPanelProps & { shown: PanelResult }) {
  const { shown, writable, run } = props;
  const { form, estimate, saved, ordinal } = shown;
  if (form === undefined) {
    return <p class="quiet">It can run when its errors are mended: ask for that in the talk.</p>;
  }
  if (!writable) {
    return <p class="quiet">A run can be begun when the database can be written again.</p>;
  }
  const version = (saved?.versionNumber ?? 0) + 1;
  const isSaved = saved?.isSame === true;
  return (
    <LiveForm
      action={`/chat/${encodeURIComponent(props.conversationId)}/runs`}
      id={RUN_FORM}
      class="stack pad"
      stays
    >
      {run === undefined ? null : <h3 class="value-title">Once more</h3>}
      <input type="hidden" name="message" value={saveValue(ordinal, saved)} />
      <RunFields form={form} refusal="The run was not started" />
      {estimate === undefined ? null : <CostEstimateText estimate={estimate} />}
      <div class="actions">
        <button type="submit" class="btn primary">
          <Icon name="play" size={14} />
          {isSaved ? "Start run" : "Save and run"}
        </button>
        {isSaved ? null : <span class="sub">It is saved as version {version} first.</span>}
      </div>
    </LiveForm>
  );
}
