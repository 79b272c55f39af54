/** One workflow: what it does, the form to run it, its source, versions and runs. */
import type { Run } from "../src/domain/run.ts";
import type { Problem, Workflow, WorkflowRecord, WorkflowVersion } from "../src/domain/workflow.ts";
import type { Drawing } from "../src/graph/drawing.ts";
import { Layout } from "./layout.tsx";
import { Source } from "./part/code.tsx";
import { EmptyState } from "./part/empty-state.tsx";
import { PostForm } from "./part/form.tsx";
import { Graph, nodeOrder } from "./part/graph.tsx";
import { Icon } from "./part/icon.tsx";
import { idPart } from "./part/id.ts";
import { NodeItem, nodeNote } from "./part/node.tsx";
import { plural } from "./part/number.ts";
import { MoreLink, PageHead, Panel } from "./part/panel.tsx";
import { ProblemList } from "./part/problem-list.tsx";
import { RunFormView, type RunForm } from "./part/run-form.tsx";
import { RunList } from "./part/run-table.tsx";
import { TimeAgo } from "./part/time.tsx";
import { typeText } from "./part/type.ts";
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
  readonly versions: readonly WorkflowVersion[];
  readonly form: RunForm;
}

export function WorkflowPage(props: WorkflowPageProps) {
  const { shell, record, workflow, problems } = props;
  const marks = new Set(problems.map((problem) => problem.line));
  return (
    <Layout shell={shell}>
      <PageHead crumb={<a href="/workflows">Workflows</a>} title={record.name}>
        {isWritable(shell) && workflow !== undefined ? (
          <a class="btn primary" href="#run">
            <Icon name="play" size={14} />
            Run
          </a>
        ) : null}
      </PageHead>
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
          {workflow === undefined ? null : <Steps workflow={workflow} drawing={props.drawing} />}
          <Runs {...props} />
          <Panel
            id="source"
            title="Source"
            note={`version ${record.version.number}, ${record.version.format.toUpperCase()}`}
            {...(isWritable(shell)
              ? { action: <MoreLink href={editPath(record)} label="Edit" /> }
              : {})}
          >
            <Source source={record.version.source} label="Source of the workflow" marks={marks} />
          </Panel>
        </div>
        <div class="p-side">
          {workflow === undefined ? null : <StateFields workflow={workflow} />}
          <Versions versions={props.versions} current={record.version.hash} now={shell.now} />
          {isWritable(shell) ? <Deletion {...props} /> : null}
        </div>
      </div>
    </Layout>
  );
}

function editPath(record: WorkflowRecord): string {
  return `/workflows?edit=${encodeURIComponent(record.id)}#upload`;
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
          Mend the errors in the file and <a href={editPath(record)}>save it again</a>: the same
          name makes a new version.
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

function Steps(props: { workflow: Workflow; drawing: Drawing | undefined }) {
  const { workflow, drawing } = props;
  const order = nodeOrder(workflow);
  const nodes = order.flatMap((id) => workflow.nodes.find((node) => node.id === id) ?? []);
  return (
    <Panel id="steps" title="Steps" note={plural(nodes.length, "step")}>
      {drawing === undefined ? null : (
        <Graph
          drawing={drawing}
          label={`Steps of ${workflow.name}`}
          nodes={nodes.map((node) => ({
            id: node.id,
            href: `#node-${idPart(node.id)}`,
            note: nodeNote(node),
            state: undefined,
          }))}
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
  const allRuns = `/runs?search=${encodeURIComponent(props.record.name)}`;
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

function Versions(props: { versions: readonly WorkflowVersion[]; current: string; now: number }) {
  return (
    <Panel id="versions" title="Versions">
      <ul class="rows">
        {props.versions.map((version) => (
          <li>
            <span>
              Version {version.number}
              {version.hash === props.current ? <span class="tag">current</span> : null}
            </span>
            <code class="sub">{version.hash.slice(0, 8)}</code>
            <span class="sub num">
              <TimeAgo at={version.createdAt} now={props.now} />
            </span>
          </li>
        ))}
      </ul>
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
