/** All workflows, the form to add one, and the examples that come with the product. */
import type { Run } from "../src/domain/run.ts";
import type { Problem, WorkflowRecord } from "../src/domain/workflow.ts";
import { Layout } from "./layout.tsx";
import { RunBadge } from "./part/badge.tsx";
import { keepNewline } from "./part/code.tsx";
import { EmptyState } from "./part/empty-state.tsx";
import { describe, Field, PostForm } from "./part/form.tsx";
import { Icon } from "./part/icon.tsx";
import { plural } from "./part/number.ts";
import { PageHead, Panel } from "./part/panel.tsx";
import { ProblemList } from "./part/problem-list.tsx";
import { SearchInput } from "./part/search-input.tsx";
import { TimeAgo } from "./part/time.tsx";
import { isWritable, type Shell } from "./shell.ts";

export interface WorkflowItem {
  readonly record: WorkflowRecord;
  readonly lastRun: Run | undefined;
}

/** The upload form as it was sent: empty at first, with its text and problems after a refusal. */
export interface UploadForm {
  readonly source: string;
  readonly problems: readonly Problem[];
  /** Why the text could not be looked at at all: empty, too large, not text. */
  readonly error?: string | undefined;
}

export interface Example {
  readonly name: string;
  readonly description: string;
}

export interface WorkflowsPageProps {
  readonly shell: Shell;
  readonly workflows: readonly WorkflowItem[];
  readonly search: string;
  readonly upload: UploadForm;
  readonly examples: readonly Example[];
}

export function WorkflowsPage(props: WorkflowsPageProps) {
  const { shell, workflows, search, upload } = props;
  const writable = isWritable(shell);
  // A text to be changed is what the page is about: it gets the wide column.
  const isEditing = writable && upload.source !== "";
  const isFirstVisit = workflows.length === 0 && search === "";
  const examples = writable ? <Examples shell={shell} examples={props.examples} /> : null;
  return (
    <Layout shell={shell}>
      <PageHead crumb="Monitor" title="Workflows">
        {workflows.length > 0 || search !== "" ? <Search search={search} /> : null}
        {writable ? (
          <a class="btn primary" href="#upload">
            <Icon name="upload" size={14} />
            Upload
          </a>
        ) : null}
      </PageHead>
      {upload.problems.length > 0 ? <Refusal upload={upload} /> : null}
      <div class="grid">
        <div class="p-main">
          {isEditing ? <UploadPanel shell={shell} upload={upload} /> : <ListPanel {...props} />}
          {isFirstVisit && !isEditing ? examples : null}
        </div>
        <div class="p-side">
          {isEditing ? (
            <ListPanel {...props} />
          ) : writable ? (
            <UploadPanel shell={shell} upload={upload} />
          ) : null}
          {isFirstVisit && !isEditing ? null : examples}
        </div>
      </div>
    </Layout>
  );
}

function ListPanel(props: WorkflowsPageProps) {
  const { shell, workflows, search } = props;
  return (
    <section class="panel" aria-labelledby="list-h">
      <header class="panel-head">
        <h2 id="list-h">{search === "" ? "All workflows" : `Matching “${search}”`}</h2>
        {workflows.length === 0 ? null : (
          <span class="panel-note">{plural(workflows.length, "workflow")}</span>
        )}
      </header>
      {workflows.length === 0 ? (
        <Nothing search={search} />
      ) : (
        <WorkflowList workflows={workflows} now={shell.now} />
      )}
    </section>
  );
}

export function WorkflowList(props: { workflows: readonly WorkflowItem[]; now: number }) {
  return (
    <ul class="cards" id="workflow-list">
      {props.workflows.map(({ record, lastRun }) => (
        <li class="card">
          <div class="card-head">
            <h3>
              <a href={`/workflows/${encodeURIComponent(record.id)}`}>{record.name}</a>
            </h3>
            {lastRun === undefined ? null : <RunBadge run={lastRun} />}
          </div>
          <p class="card-text">{record.description ?? "No description."}</p>
          <p class="sub">
            Version {record.version.number} · saved{" "}
            <TimeAgo at={record.updatedAt} now={props.now} />
            {lastRun === undefined ? (
              " · never run"
            ) : (
              <>
                {" · last run "}
                <TimeAgo at={lastRun.createdAt} now={props.now} />
              </>
            )}
          </p>
        </li>
      ))}
    </ul>
  );
}

function Search(props: { search: string }) {
  return (
    <form
      method="get"
      action="/workflows"
      class="search inline"
      role="search"
      aria-label="Workflows"
    >
      <SearchInput
        id="workflow-search"
        label="Search workflows"
        value={props.search}
        placeholder="Search workflows"
      />
    </form>
  );
}

function Nothing(props: { search: string }) {
  if (props.search !== "")
    return (
      <EmptyState
        icon="search"
        title="No workflow matches"
        text={`No name or description contains “${props.search}”.`}
      >
        <a class="btn ghost" href="/workflows">
          Show all
        </a>
      </EmptyState>
    );
  return (
    <EmptyState
      icon="workflows"
      title="No workflows yet"
      text="Describe one in words, upload or paste a YAML or JSON file, or add an example and run it: examples work offline."
    >
      <a class="btn primary" href="/chat">
        <Icon name="chat" size={14} />
        Describe a workflow
      </a>
    </EmptyState>
  );
}

/** What is wrong with a file that was not accepted, before everything else on the page. */
function Refusal(props: { upload: UploadForm }) {
  const { problems, source } = props.upload;
  const errors = problems.filter((problem) => problem.severity === "error").length;
  return (
    <section class="panel refusal" aria-labelledby="refusal-h" role="alert">
      <header class="panel-head">
        <Icon name="critical" />
        <h2 id="refusal-h">The workflow was not saved: {plural(errors, "error")}</h2>
      </header>
      <ProblemList problems={problems} source={source} />
    </section>
  );
}

const HINT = "YAML or JSON, schema_version 1.0. A name that exists already gets a new version.";

function UploadPanel(props: { shell: Shell; upload: UploadForm }) {
  const { upload } = props;
  const error =
    upload.error ??
    (upload.problems.length > 0 ? "Mend the problems above and save again." : undefined);
  const source = { id: "source", hint: HINT, error };
  return (
    <section class="panel" id="upload" aria-labelledby="upload-h">
      <header class="panel-head">
        <h2 id="upload-h">{upload.source === "" ? "Add a workflow" : "Change the text"}</h2>
      </header>
      <PostForm action="/workflows" csrf={props.shell.csrf} class="stack pad" multipart>
        <Field id="file" label="File" hint="Used instead of the text below when one is chosen.">
          <input
            id="file"
            name="file"
            type="file"
            class="input file"
            accept=".yaml,.yml,.json,application/yaml,application/json,text/yaml"
            aria-describedby="file-hint"
          />
        </Field>
        <Field {...source} label="Or its text">
          <textarea
            id="source"
            name="source"
            class="input mono"
            rows={upload.source === "" ? 6 : 18}
            spellcheck={false}
            autocapitalize="off"
            placeholder={'schema_version: "1.0"'}
            {...describe(source)}
          >
            {keepNewline(upload.source)}
          </textarea>
        </Field>
        <button type="submit" class="btn primary">
          <Icon name="check" size={14} />
          Check and save
        </button>
      </PostForm>
    </section>
  );
}

function Examples(props: { shell: Shell; examples: readonly Example[] }) {
  if (props.examples.length === 0) return null;
  return (
    <Panel id="examples" title="Examples" note="ready to run, offline too">
      <ul class="examples" id="examples">
        {props.examples.map((example) => (
          <li>
            <div>
              <p class="example-name">{example.name}</p>
              <p class="sub">{example.description}</p>
            </div>
            <PostForm
              action={`/workflows/examples/${encodeURIComponent(example.name)}`}
              csrf={props.shell.csrf}
            >
              <button type="submit" class="btn ghost small">
                <Icon name="plus" size={12} />
                Add<span class="sr"> example {example.name}</span>
              </button>
            </PostForm>
          </li>
        ))}
      </ul>
    </Panel>
  );
}
