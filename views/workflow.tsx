/** One workflow: what it does, the form to run it, its source, versions and runs. */
import type { Run, StepAttempt } from "../src/domain/run.ts";
import type {
  Problem,
  Workflow,
  WorkflowFigures,
  WorkflowRecord,
  WorkflowVersion,
} from "../src/domain/workflow.ts";
import type { Drawing } from "../src/graph/drawing.ts";
import { Layout } from "./layout.tsx";
import { Source } from "./part/code.tsx";
import { CompareForm } from "./part/compare-form.tsx";
import { runStateLabel } from "./part/badge.tsx";
import { formatDuration } from "./part/duration.ts";
import { EmptyState } from "./part/empty-state.tsx";
import { PostForm } from "./part/form.tsx";
import { Graph, nodesInOrder } from "./part/graph.tsx";
import { Icon } from "./part/icon.tsx";
import { idPart } from "./part/id.ts";
import { NodeItem, nodeNote } from "./part/node.tsx";
import { formatCost } from "./part/money.ts";
import { formatCount, plural } from "./part/number.ts";
import { MoreLink, PageHead, Panel } from "./part/panel.tsx";
import { ProblemList } from "./part/problem-list.tsx";
import { RunFormView, type RunForm } from "./part/run-form.tsx";
import { newestSteps, stateOfNode, takenEdges } from "./part/run-progress.ts";
import { RunList } from "./part/run-table.tsx";
import { Success } from "./part/success.tsx";
import { TimeAgo } from "./part/time.tsx";
import { typeText } from "./part/type.ts";
import { type ScheduleItem, ScheduleList } from "./schedules.tsx";
import { isWritable, type Shell } from "./shell.ts";

export type { RunForm } from "./part/run-form.tsx";

export interface WorkflowPageProps {
  readonly shell: Shell;
  readonly record: WorkflowRecord;
  /** Undefined when the stored text is refused by this version of the product. */
  readonly workflow: Workflow | undefined;
  readonly problems: readonly Problem[];
  readonly drawing: Drawing | undefined;
  /** The newest runs of this workflow. */
  readonly runs: readonly Run[];
  /** Of the last 30 days. */
  readonly figures: WorkflowFigures;
  readonly versions: readonly WorkflowVersion[];
  readonly schedules: readonly ScheduleItem[];
  readonly form: RunForm;
  /** The newest run, when it is to be drawn into the graph. */
  readonly drawn?: { readonly run: Run; readonly steps: readonly StepAttempt[] } | undefined;
  /** Under which name the browser keeps the draft of what has just been saved; undefined otherwise. */
  readonly saved?: string | undefined;
  /** The conversation in which it was just saved. */
  readonly conversation?: string | undefined;
}

export function WorkflowPage(props: WorkflowPageProps) {
  const { shell, record, workflow, problems } = props;
  const marks = new Set(problems.map((problem) => problem.line));
  return (
    <Layout shell={shell}>
      <PageHead crumb={<a href="/workflows">Workflows</a>} title={record.name}>
        <HeadActions {...props} />
      </PageHead>
      <SavedNote {...props} />
      {record.description === null ? null : <p class="lead">{record.description}</p>}
      {problems.length === 0 ? null : (
        <Panel
          id="problems"
          title={problemTitle(problems)}
          class={workflow === undefined ? "refusal" : "caution"}
        >
          <ProblemList problems={problems} source={record.version.source} linked />
        </Panel>
      )}
      <div class="grid run-first">
        <div class="p-run">
          <RunPanel {...props} />
        </div>
        <div class="p-main">
          {workflow === undefined ? null : <Steps {...props} workflow={workflow} />}
          <Runs {...props} />
          <Panel
            id="source"
            title="Source"
            note={`version ${record.version.number}, ${record.version.format.toUpperCase()}`}
            {...(isWritable(shell) ? { action: <EditLink record={record} /> } : {})}
          >
            <Source source={record.version.source} label="Source of the workflow" marks={marks} />
          </Panel>
        </div>
        <div class="p-side">
          <Schedules {...props} />
          <FiguresPanel figures={props.figures} record={record} />
          {workflow === undefined ? null : <StateFields workflow={workflow} />}
          <Versions {...props} />
          {isWritable(shell) ? <Deletion {...props} /> : null}
        </div>
      </div>
    </Layout>
  );
}

function SavedNote({ record, saved, conversation }: WorkflowPageProps) {
  if (saved === undefined && conversation === undefined) return null;
  const what = saved === undefined ? "is what you have talked about" : "was saved";
  return (
    <div class="banner ok" role="status" data-draft-done={saved}>
      <Icon name="check" />
      <p>
        Version {record.version.number} {what}.
        {conversation === undefined ? null : (
          <>
            {" "}
            <a class="plain-link" href={`/chat/${encodeURIComponent(conversation)}`}>
              Back to the conversation
            </a>
          </>
        )}
      </p>
    </div>
  );
}

function pathOf(record: WorkflowRecord): string {
  return `/workflows/${encodeURIComponent(record.id)}`;
}

function editPath(record: WorkflowRecord): string {
  return `${pathOf(record)}/edit`;
}

function HeadActions(props: WorkflowPageProps) {
  const { record, workflow } = props;
  const id = encodeURIComponent(record.id);
  if (!isWritable(props.shell)) return <DownloadLink record={record} />;
  return (
    <div class="actions">
      <a class="btn ghost" href={`/chat?workflow=${id}`}>
        <Icon name="chat" size={14} />
        Change by chat
      </a>
      <a class="btn ghost" href={editPath(record)} hx-boost="false">
        <Icon name="edit" size={14} />
        Edit
      </a>
      {workflow === undefined ? null : (
        <a class="btn primary" href="#run">
          <Icon name="play" size={14} />
          Run
        </a>
      )}
      <details class="menu">
        <summary class="btn ghost">
          <Icon name="menu" size={14} />
          <span class="menu-word">More</span>
        </summary>
        <div class="menu-body menu-list">
          <a class="btn ghost" href={`/chat?variant=${id}`}>
            <Icon name="chat" size={14} />
            Make a variant by chat
          </a>
          <a class="btn ghost" href={`/workflows/new?from=${id}`} hx-boost="false">
            <Icon name="copy" size={14} />
            Duplicate
          </a>
          <DownloadLink record={record} />
        </div>
      </details>
    </div>
  );
}

function EditLink(props: { record: WorkflowRecord }) {
  return (
    <a class="more" href={editPath(props.record)} hx-boost="false">
      Edit
      <Icon name="chevron" size={12} />
    </a>
  );
}

function DownloadLink(props: { record: WorkflowRecord }) {
  return (
    <a class="btn ghost" href={`${pathOf(props.record)}/file`} hx-boost="false">
      <Icon name="download" size={14} />
      Download
    </a>
  );
}

function Schedules(props: WorkflowPageProps) {
  const { schedules, record, shell } = props;
  const canAdd = isWritable(shell) && props.workflow !== undefined;
  if (schedules.length === 0 && !canAdd) return null;
  return (
    <Panel
      id="schedules"
      title="Schedules"
      {...(canAdd
        ? { action: <MoreLink href={`${pathOf(record)}/schedules`} label="Add a schedule" /> }
        : {})}
    >
      {schedules.length === 0 ? (
        <p class="quiet">None: it runs when somebody starts it.</p>
      ) : (
        <ScheduleList items={schedules} shell={shell} />
      )}
    </Panel>
  );
}

function FiguresPanel(props: { figures: WorkflowFigures; record: WorkflowRecord }) {
  const { figures } = props;
  const ended = figures.succeeded + figures.failed + figures.cancelled;
  if (figures.recent.length === 0) return null;
  return (
    <Panel
      id="figures"
      title="How it went"
      note="last 30 days"
      action={
        <MoreLink
          href={`/metrics?workflow=${encodeURIComponent(props.record.id)}`}
          label="Metrics"
        />
      }
    >
      <dl class="pairs">
        <div>
          <dt>Success</dt>
          <dd class="success-line">
            <Success figures={figures} />
          </dd>
        </div>
        <div>
          <dt>Runs</dt>
          <dd>
            {formatCount(figures.created)}
            {figures.failed === 0 ? "" : `, ${formatCount(figures.failed)} failed`}
            {figures.cancelled === 0 ? "" : `, ${formatCount(figures.cancelled)} cancelled`}
          </dd>
        </div>
        {ended === 0 ? null : (
          <>
            <div>
              <dt>Cost</dt>
              <dd>
                {formatCost(figures.costNanoUsd)}
                <span class="sub">
                  {" "}
                  · {formatCost(Math.round(figures.costNanoUsd / ended))} a run
                </span>
              </dd>
            </div>
            <div>
              <dt>Time</dt>
              <dd>
                {formatDuration(figures.durationMs / ended)}
                <span class="sub"> a run</span>
              </dd>
            </div>
          </>
        )}
      </dl>
    </Panel>
  );
}

function problemTitle(problems: readonly Problem[]): string {
  const errors = problems.filter((problem) => problem.severity === "error").length;
  const warnings = plural(problems.length - errors, "warning");
  if (errors === 0) return warnings;
  const text = `${plural(errors, "error")}: this workflow cannot run`;
  return errors === problems.length ? text : `${text} (${warnings})`;
}

function RunPanel(props: WorkflowPageProps) {
  const { shell, record, workflow } = props;
  if (!isWritable(shell))
    return (
      <Panel id="run-panel" title="Run">
        <p class="quiet">Runs can be started again when the database can be written.</p>
      </Panel>
    );
  if (workflow === undefined)
    return (
      <Panel id="run-panel" title="Run">
        <p class="quiet">
          Mend the errors{" "}
          <a href={editPath(record)} hx-boost="false">
            in the editor
          </a>{" "}
          and save the text as a new version.
        </p>
      </Panel>
    );
  return (
    <Panel id="run-panel" title="Run">
      <RunFormView
        form={props.form}
        action={`/workflows/${encodeURIComponent(record.id)}/runs`}
        csrf={shell.csrf}
      />
    </Panel>
  );
}

function Steps(props: WorkflowPageProps & { workflow: Workflow }) {
  const { workflow, drawing, drawn, record } = props;
  const nodes = nodesInOrder(workflow);
  const steps = drawn === undefined ? undefined : newestSteps(drawn.steps);
  return (
    <Panel
      id="steps"
      title="Steps"
      note={plural(nodes.length, "step")}
      {...(props.runs.length === 0
        ? {}
        : { action: <StatesLink record={record} shown={drawn !== undefined} /> })}
    >
      {drawn === undefined ? null : (
        <p class="quiet">
          As <a href={`/runs/${encodeURIComponent(drawn.run.id)}`}>the last run</a> left them:{" "}
          {runStateLabel(drawn.run).toLowerCase()}.
        </p>
      )}
      {drawing === undefined ? null : (
        <Graph
          drawing={drawing}
          label={`Steps of ${workflow.name}`}
          nodes={nodes.map((node) => ({
            id: node.id,
            href: `#node-${idPart(node.id)}`,
            note: nodeNote(node),
            state: steps === undefined ? undefined : stateOfNode(steps.get(node.id)),
          }))}
          {...(drawn === undefined ? {} : { taken: takenEdges(drawn.steps, workflow) })}
        />
      )}
      <ol class="node-list">
        {nodes.map((node) => (
          <NodeItem node={node} />
        ))}
      </ol>
    </Panel>
  );
}

/** The graph with the states of the last run, or without. */
function StatesLink(props: { record: WorkflowRecord; shown: boolean }) {
  const path = pathOf(props.record);
  return props.shown ? (
    <MoreLink href={`${path}#steps-h`} label="Without states" />
  ) : (
    <MoreLink href={`${path}?states=last#steps-h`} label="States of the last run" />
  );
}

function StateFields(props: { workflow: Workflow }) {
  return (
    <Panel id="state" title="State" note={plural(props.workflow.state.length, "field")}>
      <dl class="pairs">
        {props.workflow.state.map((field) => (
          <div>
            <dt>
              <code>{field.name}</code>
            </dt>
            <dd>
              <code class="type">{typeText(field.type)}</code>
              {field.required ? <span class="required">required</span> : null}
              {field.description === undefined ? null : <p class="sub">{field.description}</p>}
            </dd>
          </div>
        ))}
      </dl>
    </Panel>
  );
}

function Runs(props: WorkflowPageProps) {
  const startable = props.workflow !== undefined && isWritable(props.shell);
  const allRuns = `/runs?workflow=${encodeURIComponent(props.record.id)}`;
  return (
    <Panel
      id="runs"
      title="Recent runs"
      {...(props.runs.length === 0 ? {} : { action: <MoreLink href={allRuns} label="All runs" /> })}
    >
      {props.runs.length === 0 ? (
        <EmptyState
          icon="runs"
          title="Never run"
          text={
            startable
              ? "Fill in the form on this page and start the first run."
              : "Its runs show up here once it can be started."
          }
        />
      ) : (
        <div class="table-wrap">
          <RunList runs={props.runs} now={props.shell.now} caption="Recent runs of this workflow" />
        </div>
      )}
    </Panel>
  );
}

/** Versions in the list; the selects below have all. */
const VERSION_COUNT_MAX = 12;

function Versions(props: WorkflowPageProps) {
  const { versions, record, shell } = props;
  const path = pathOf(record);
  const older = versions.length - VERSION_COUNT_MAX;
  return (
    <Panel id="versions" title="Versions" note={plural(versions.length, "version")}>
      <ul class="rows">
        {versions.slice(0, VERSION_COUNT_MAX).map((version, index) => {
          const before = versions[index + 1];
          return (
            <li>
              <span>
                <a class="plain-link" href={`${path}/versions/${version.number}`}>
                  Version {version.number}
                </a>
                {version.hash === record.version.hash ? <span class="tag">current</span> : null}
              </span>
              <span class="sub num">
                <TimeAgo at={version.createdAt} now={shell.now} />
              </span>
              {before === undefined ? null : (
                <a class="more" href={`${path}/diff?from=${before.number}&to=${version.number}`}>
                  Changes
                  <span class="sr">
                    {" "}
                    from version {before.number} to {version.number}
                  </span>
                </a>
              )}
            </li>
          );
        })}
      </ul>
      {older > 0 ? <p class="quiet">{plural(older, "older version")}: choose below.</p> : null}
      {versions.length < 2 ? null : <CompareForm versions={versions} path={path} />}
    </Panel>
  );
}

function Deletion(props: WorkflowPageProps) {
  const { record, runs, shell } = props;
  if (runs.length > 0)
    return (
      <Panel id="deletion" title="Delete">
        <p class="quiet">This workflow has runs, so it is kept with them.</p>
      </Panel>
    );
  return (
    <Panel id="deletion" title="Delete">
      <details class="fold pad">
        <summary>
          <Icon name="chevron" size={12} />
          Delete this workflow
        </summary>
        <p class="sub">All its versions go with it. This cannot be undone.</p>
        <PostForm action={`/workflows/${encodeURIComponent(record.id)}/deletion`} csrf={shell.csrf}>
          <button type="submit" class="btn danger">
            <Icon name="trash" size={14} />
            Delete {record.name}
          </button>
        </PostForm>
      </details>
    </Panel>
  );
}
