/** One version of a workflow as it was saved, and two of them side by side. */
import type { Problem, WorkflowRecord, WorkflowVersion } from "../src/domain/workflow.ts";
import type { PartChanges } from "../src/graph/workflow-changes.ts";
import type { DiffLine, TextDiff } from "../src/lib/diff.ts";
import { Layout } from "./layout.tsx";
import { versionAddress } from "./part/ask-chat.tsx";
import { Source } from "./part/code.tsx";
import { CompareForm } from "./part/compare-form.tsx";
import { Diff, diffNote } from "./part/diff.tsx";
import { PostForm } from "./part/form.tsx";
import { Icon } from "./part/icon.tsx";
import { formatCount } from "./part/number.ts";
import { PageHead, Panel } from "./part/panel.tsx";
import { ProblemList } from "./part/problem-list.tsx";
import { type RunForm, RunFormView } from "./part/run-form.tsx";
import { DateTime } from "./part/time.tsx";
import { canAsk, isWritable, type Shell } from "./shell.ts";

export interface VersionPageProps {
  readonly shell: Shell;
  readonly record: WorkflowRecord;
  readonly version: WorkflowVersion;
  readonly problems: readonly Problem[];
  /** Undefined when this version has errors and cannot be run. */
  readonly form: RunForm | undefined;
}

function pathOf(record: WorkflowRecord): string {
  return `/workflows/${encodeURIComponent(record.id)}`;
}

function Crumb(props: { record: WorkflowRecord }) {
  return (
    <>
      <a href="/workflows">Workflows</a>
      {" / "}
      <a href={pathOf(props.record)}>{props.record.name}</a>
    </>
  );
}

export function VersionPage(props: VersionPageProps) {
  const { shell, record, version, problems } = props;
  const isCurrent = version.hash === record.version.hash;
  const path = pathOf(record);
  const marks = new Set(problems.map((problem) => problem.line));
  return (
    <Layout shell={shell}>
      <PageHead
        crumb={<Crumb record={record} />}
        title={`${record.name}, version ${version.number}`}
      >
        <Actions {...props} isCurrent={isCurrent} />
      </PageHead>
      <p class="lead">
        Saved <DateTime at={version.createdAt} />.{" "}
        {isCurrent
          ? "It is the current version: new runs start with it."
          : `New runs start with version ${record.version.number}.`}
        {isCurrent && isWritable(shell) && props.form !== undefined ? (
          <>
            {" "}
            <a class="inline-link" href={`${path}#run`}>
              Run it
            </a>
          </>
        ) : null}
      </p>
      <div class="column">
        {problems.length === 0 ? null : (
          <Panel id="problems" title="What this version of agents says of it" class="caution">
            <ProblemList problems={problems} source={version.source} linked />
          </Panel>
        )}
        {isCurrent || props.form === undefined || !isWritable(shell) ? null : (
          <Panel id="run-panel" title="Run this version">
            <p class="quiet">
              One run, without restoring it. Schedules and other runs stay with version{" "}
              {record.version.number}.
            </p>
            <RunFormView
              form={props.form}
              action={`${path}/versions/${version.number}/runs`}
              csrf={shell.csrf}
            />
          </Panel>
        )}
        <Panel id="source" title="Source" note={version.format.toUpperCase()}>
          <Source source={version.source} label="Source of the version" marks={marks} />
        </Panel>
      </div>
    </Layout>
  );
}

function Actions(props: VersionPageProps & { isCurrent: boolean }) {
  const { shell, record, version, isCurrent } = props;
  const hasChat = isCurrent ? isWritable(shell) : canAsk(shell);
  const path = pathOf(record);
  return (
    <div class="actions">
      <a class="btn ghost" href={`${path}/file?version=${version.number}`} hx-boost="false">
        <Icon name="download" size={14} />
        Download
      </a>
      {isCurrent ? null : (
        <a
          class="btn ghost"
          href={`${path}/diff?from=${version.number}&to=${record.version.number}`}
        >
          <Icon name="compare" size={14} />
          Compare with the current one
        </a>
      )}
      {hasChat ? (
        <a
          class="btn ghost"
          href={
            isCurrent
              ? `/chat?workflow=${encodeURIComponent(record.id)}`
              : versionAddress(record.id, version.number)
          }
        >
          <Icon name="chat" size={14} />
          {isCurrent ? "Change by chat" : "Ask the chat"}
        </a>
      ) : null}
      {isCurrent || !isWritable(shell) ? null : <RestoreForm {...props} />}
    </div>
  );
}

function RestoreForm(props: VersionPageProps) {
  const { record, version, shell } = props;
  return (
    <PostForm action={`${pathOf(record)}/restorations`} csrf={shell.csrf}>
      <input type="hidden" name="version" value={String(version.number)} />
      <button type="submit" class="btn primary">
        <Icon name="refresh" size={14} />
        Restore version {version.number}
      </button>
    </PostForm>
  );
}

export interface DiffPageProps {
  readonly shell: Shell;
  readonly record: WorkflowRecord;
  readonly versions: readonly WorkflowVersion[];
  readonly from: number;
  readonly to: number;
  readonly diff: TextDiff;
  /** What is the same in both: `equalStretches` of the difference. */
  readonly equal: readonly (readonly DiffLine[])[];
  /** What it comes to; undefined when one of them has errors. */
  readonly changes: readonly PartChanges[] | undefined;
  /** The one text beside the other. */
  readonly split: boolean;
}

export function DiffPage(props: DiffPageProps) {
  const { shell, record, versions, from, to, diff, equal, split } = props;
  const isSame = diff.hunks.length === 0;
  return (
    <Layout shell={shell}>
      <PageHead
        crumb={<Crumb record={record} />}
        title={`${record.name}: version ${from} to ${to}`}
      >
        <CompareForm versions={versions} path={pathOf(record)} from={from} to={to} split={split} />
      </PageHead>
      <div class="column">
        {isSame ? null : <Changes changes={props.changes} />}
        <Panel
          id="diff"
          title="Text"
          note={diffNote(diff)}
          {...(isSame ? {} : { action: <ViewLinks {...props} /> })}
        >
          <Diff
            diff={diff}
            label={`From version ${from} to version ${to}`}
            same="These two versions have the same text."
            equal={equal}
            split={split}
          />
        </Panel>
      </div>
    </Layout>
  );
}

function ViewLinks({ record, from, to, split }: DiffPageProps) {
  const path = `${pathOf(record)}/diff?from=${from}&to=${to}`;
  return (
    <nav class="seg-ctl" aria-label="How the texts are shown">
      <a href={`${path}#diff-h`} aria-current={split ? undefined : "true"}>
        In one
      </a>
      <a href={`${path}&view=split#diff-h`} aria-current={split ? "true" : undefined}>
        Side by side
      </a>
    </nav>
  );
}

const PARTS: Readonly<Record<PartChanges["part"], string>> = {
  steps: "Steps",
  edges: "Edges",
  state: "State fields",
  settings: "Settings",
};

function Changes(props: Pick<DiffPageProps, "changes">) {
  const { changes } = props;
  return (
    <Panel id="changes" title="What changed">
      {changes === undefined ? (
        <p class="quiet">One of these versions has errors, so only the texts can be compared.</p>
      ) : changes.length === 0 ? (
        <p class="quiet">Both do the same: only comments or the way it is written differ.</p>
      ) : (
        <dl class="pairs part-changes">
          {changes.map((change) => (
            <div>
              <dt>{PARTS[change.part]}</dt>
              <dd>
                <Names how="added" names={change.added} />
                <Names how="removed" names={change.removed} />
                <Names how="changed" names={change.changed} />
              </dd>
            </div>
          ))}
        </dl>
      )}
    </Panel>
  );
}

/** Names beyond these are only counted. */
const NAME_COUNT_MAX = 20;

function Names(props: { how: "added" | "removed" | "changed"; names: readonly string[] }) {
  const { how, names } = props;
  if (names.length === 0) return null;
  const more = names.length - NAME_COUNT_MAX;
  return (
    <p>
      {formatCount(names.length)} {how}:{" "}
      {names.slice(0, NAME_COUNT_MAX).map((name, index) => (
        <>
          {index === 0 ? "" : ", "}
          <code>
            {how === "added" ? <ins>{name}</ins> : how === "removed" ? <del>{name}</del> : name}
          </code>
        </>
      ))}
      {more > 0 ? ` and ${formatCount(more)} more` : ""}
    </p>
  );
}
