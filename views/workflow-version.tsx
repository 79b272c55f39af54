/** One version of a workflow as it was saved, and two of them side by side. */
import type { Problem, WorkflowRecord, WorkflowVersion } from "../src/domain/workflow.ts";
import type { TextDiff } from "../src/lib/diff.ts";
import { Layout } from "./layout.tsx";
import { Source } from "./part/code.tsx";
import { CompareForm } from "./part/compare-form.tsx";
import { Diff, diffNote } from "./part/diff.tsx";
import { PostForm } from "./part/form.tsx";
import { Icon } from "./part/icon.tsx";
import { PageHead, Panel } from "./part/panel.tsx";
import { ProblemList } from "./part/problem-list.tsx";
import { DateTime } from "./part/time.tsx";
import { isWritable, type Shell } from "./shell.ts";

export interface VersionPageProps {
  readonly shell: Shell;
  readonly record: WorkflowRecord;
  readonly version: WorkflowVersion;
  readonly problems: readonly Problem[];
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
          {isCurrent || !isWritable(shell) ? null : <RestoreForm {...props} />}
        </div>
      </PageHead>
      <p class="lead">
        Saved <DateTime at={version.createdAt} />.{" "}
        {isCurrent
          ? "It is the current version: new runs start with it."
          : `New runs start with version ${record.version.number}.`}
      </p>
      <div class="column">
        {problems.length === 0 ? null : (
          <Panel id="problems" title="What this version of agents says of it" class="caution">
            <ProblemList problems={problems} source={version.source} linked />
          </Panel>
        )}
        <Panel id="source" title="Source" note={version.format.toUpperCase()}>
          <Source source={version.source} label="Source of the version" marks={marks} />
        </Panel>
      </div>
    </Layout>
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
}

export function DiffPage(props: DiffPageProps) {
  const { shell, record, versions, from, to, diff } = props;
  return (
    <Layout shell={shell}>
      <PageHead
        crumb={<Crumb record={record} />}
        title={`${record.name}: version ${from} to ${to}`}
      >
        <CompareForm versions={versions} path={pathOf(record)} from={from} to={to} />
      </PageHead>
      <Panel id="diff" title="Changes" note={diffNote(diff)}>
        <Diff
          diff={diff}
          label={`From version ${from} to version ${to}`}
          same="These two versions have the same text."
        />
      </Panel>
    </Layout>
  );
}
