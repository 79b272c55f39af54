/** Writing a workflow: the text, what is wrong with it, its graph. A plain form without script. */
import type { WorkflowRecord } from "../src/domain/workflow.ts";
import type { TextDiff } from "../src/lib/diff.ts";
import { Layout } from "./layout.tsx";
import { keepNewline, Source } from "./part/code.tsx";
import { Diff, diffNote } from "./part/diff.tsx";
import { describe, Field, PostForm } from "./part/form.tsx";
import { Icon, type IconName } from "./part/icon.tsx";
import { PageHead, Panel } from "./part/panel.tsx";
import { TimeAgo } from "./part/time.tsx";
import {
  CheckPanel,
  EDITOR_FORM,
  PreviewPanel,
  type WorkflowCheck,
} from "./part/workflow-check.tsx";
import { isWritable, type Shell } from "./shell.ts";
import { ExampleGallery, type ExampleCard } from "./part/example-gallery.tsx";

/** What is kept in the browser for a workflow that has no id yet. */
export const NEW_DRAFT = "new";

export interface EditorPageProps {
  readonly shell: Shell;
  /** The workflow that is changed; undefined for a new one. */
  readonly record: WorkflowRecord | undefined;
  readonly check: WorkflowCheck;
  /** The version that the text was made from, and whose it is; "" for none. */
  readonly base: { readonly hash: string; readonly name: string };
  readonly conversation?: Origin | undefined;
  /** Why it was not saved. */
  readonly refusal?: Refusal | undefined;
  /** To begin with; only on the page of a new workflow. */
  readonly examples: readonly ExampleCard[];
}

/** The conversation that a text was taken from. */
export interface Origin {
  readonly id: string;
  readonly title: string;
}

export type Refusal =
  | { readonly kind: "problems" }
  /** The text was never looked at: empty, too large, not text, or the database refuses it. */
  | { readonly kind: "failed"; readonly message: string; readonly fix?: string | undefined }
  /** Somebody else has saved under this name; undefined when the workflow has been deleted. */
  | {
      readonly kind: "conflict";
      readonly theirs: WorkflowRecord | undefined;
      /** From theirs to this text. */
      readonly diff: TextDiff;
    };

export function EditorPage(props: EditorPageProps) {
  const { shell, record, check } = props;
  const writable = isWritable(shell);
  const title = record === undefined ? "New workflow" : `Edit ${record.name}`;
  const marks = new Set(check.problems.map((problem) => problem.line));
  return (
    <Layout shell={shell}>
      <PageHead crumb={<Crumb record={record} />} title={title}>
        <Buttons {...props} writable={writable} />
      </PageHead>
      {props.conversation === undefined ? null : <FromChat conversation={props.conversation} />}
      <DraftNotice />
      <RefusalNote {...props} />
      <div class="grid editor-grid">
        <div class="p-main">
          <TextPanel {...props} />
          <div class="no-script">
            <Panel id="lines" title="Lines" note="as they were checked">
              <Source source={check.source} label="The text with numbered lines" marks={marks} />
            </Panel>
          </div>
        </div>
        <div class="p-side">
          <CheckPanel check={check} />
          <PreviewPanel check={check} />
        </div>
        {record === undefined ? <Start {...props} /> : null}
      </div>
    </Layout>
  );
}

function Crumb(props: { record: WorkflowRecord | undefined }) {
  const { record } = props;
  return (
    <>
      <a href="/workflows">Workflows</a>
      {record === undefined ? null : (
        <>
          {" / "}
          <a href={`/workflows/${encodeURIComponent(record.id)}`}>{record.name}</a>
        </>
      )}
    </>
  );
}

/** Where the form goes, and its page is. */
export function editorAddress(record: WorkflowRecord | undefined): string {
  return record === undefined
    ? "/workflows/new"
    : `/workflows/${encodeURIComponent(record.id)}/edit`;
}

function FromChat({ conversation }: { conversation: Origin }) {
  return (
    <div class="banner info">
      <Icon name="chat" />
      <p>
        Nothing is saved yet. This text comes from the conversation{" "}
        <a class="plain-link" href={chatPath(conversation)}>
          {conversation.title}
        </a>
      </p>
    </div>
  );
}

function chatPath({ id }: Origin): string {
  return `/chat/${encodeURIComponent(id)}`;
}

/** Where one goes who does not save. */
function backPath({ record, conversation }: EditorPageProps): string {
  if (conversation !== undefined) return chatPath(conversation);
  return record === undefined ? "/workflows" : `/workflows/${encodeURIComponent(record.id)}`;
}

function Buttons(props: EditorPageProps & { writable: boolean }) {
  const { writable } = props;
  const back = backPath(props);
  return (
    <div class="actions editor-actions">
      <a class="btn ghost" href={back} data-discard>
        Discard
      </a>
      <Intent value="download" icon="download" label="Download" />
      <Intent value="validate" icon="check" label="Validate" />
      {writable ? (
        <>
          <Intent value="run" icon="play" label="Save and run" />
          <Intent value="save" icon="check" label="Save" primary />
        </>
      ) : null}
    </div>
  );
}

function Intent(props: { value: string; icon: IconName; label: string; primary?: boolean }) {
  return (
    <button
      type="submit"
      class={props.primary === true ? "btn primary" : "btn ghost"}
      form={EDITOR_FORM}
      name="intent"
      value={props.value}
    >
      <Icon name={props.icon} size={14} />
      {props.label}
    </button>
  );
}

/** Script shows it when this browser has a text that was not saved. */
function DraftNotice() {
  return (
    <div class="banner info" id="draft" role="status" hidden>
      <Icon name="info" />
      <div>
        <p>
          This browser has a text of yours that was not saved, of <time></time>.
        </p>
        <div class="actions">
          <button type="button" class="btn ghost small" data-restore>
            Restore it
          </button>
          <button type="button" class="btn ghost small" data-drop>
            Drop it
          </button>
        </div>
      </div>
    </div>
  );
}

function RefusalNote(props: EditorPageProps) {
  const { refusal, check, shell } = props;
  if (refusal === undefined) return null;
  if (refusal.kind === "conflict") return <Conflict {...refusal} now={shell.now} />;
  const text =
    refusal.kind === "failed"
      ? refusal.message
      : "The workflow was not saved: the text has errors. They are listed under Check.";
  return (
    <div class="banner critical" role="alert">
      <Icon name="critical" />
      <div>
        <p>{text}</p>
        {refusal.kind === "failed" && refusal.fix !== undefined ? <p>Fix: {refusal.fix}</p> : null}
        {refusal.kind === "problems" && check.problems[0] !== undefined ? (
          <p>
            The first is on{" "}
            <a href={`#L${check.problems[0].line}`}>line {check.problems[0].line}</a>.
          </p>
        ) : null}
      </div>
    </div>
  );
}

function Conflict(props: { theirs: WorkflowRecord | undefined; diff: TextDiff; now: number }) {
  const { theirs, diff, now } = props;
  if (theirs === undefined) {
    return (
      <div class="banner warning" role="alert">
        <Icon name="warning" />
        <div>
          <p>This workflow has been deleted meanwhile. Your text is kept below.</p>
          <p>Save again to make the workflow anew.</p>
        </div>
      </div>
    );
  }
  const { number, createdAt } = theirs.version;
  return (
    <Panel
      id="conflict"
      title="Not saved: somebody else was here"
      class="caution"
      note={diffNote(diff)}
    >
      <div class="stack pad-x">
        <p role="alert">
          {theirs.name} is now in version {number}, saved <TimeAgo at={createdAt} now={now} />.
          Below is how your text differs from it. Your text is kept in the editor.
        </p>
        <div class="actions">
          <button type="submit" class="btn primary" form={EDITOR_FORM} name="intent" value="save">
            <Icon name="check" size={14} />
            Save mine over it, as a new version
          </button>
          <a
            class="btn ghost"
            href={`/workflows/${encodeURIComponent(theirs.id)}/edit`}
            data-discard
          >
            Take version {number} and drop mine
          </a>
        </div>
      </div>
      <Diff diff={diff} label={`From version ${number} to your text`} />
    </Panel>
  );
}

function TextPanel(props: EditorPageProps) {
  const { shell, record, check, base, refusal } = props;
  const address = editorAddress(record);
  const error = refusal?.kind === "failed" ? refusal.message : undefined;
  const field = {
    id: "source",
    hint: "YAML or JSON, schema_version 1.0. Each save with another text is a new version.",
    error,
  };
  return (
    <section class="panel" aria-label="Text of the workflow" data-drop-for="file">
      <PostForm
        action={address}
        csrf={shell.csrf}
        id={EDITOR_FORM}
        class="stack pad editor-form"
        multipart
      >
        <input type="hidden" name="base" value={base.hash} />
        <input type="hidden" name="base_name" value={base.name} />
        {props.conversation === undefined ? null : (
          <input type="hidden" name="conversation" value={props.conversation.id} />
        )}
        <Field {...field} label="Text">
          <textarea
            id="source"
            name="source"
            class="input mono editor-area"
            rows={28}
            spellcheck={false}
            autocapitalize="off"
            {...describe(field)}
          >
            {keepNewline(check.source)}
          </textarea>
          <div
            class="editor"
            data-editor={shell.asset("editor.js")}
            data-field="source"
            data-check="/workflows/preview"
            data-completions="/workflows/completions"
            data-hover="/workflows/hover"
            data-draft={record?.id ?? NEW_DRAFT}
            data-workflow={record?.id}
            {...(refusal === undefined ? {} : { "data-refused": "" })}
          ></div>
        </Field>
        <p class="hint editor-keys js-only">
          <kbd>Ctrl</kbd> <kbd>Space</kbd> proposes, <kbd>F8</kbd> goes to the next problem and{" "}
          <kbd>Ctrl</kbd> <kbd>.</kbd> mends it, <kbd>Ctrl</kbd> <kbd>F</kbd> searches,{" "}
          <kbd>Esc</kbd> then <kbd>Tab</kbd> leaves the editor.
        </p>
        <FileField />
      </PostForm>
    </section>
  );
}

function FileField() {
  return (
    <details class="fold">
      <summary>
        <Icon name="chevron" size={12} />
        Take the text from a file
      </summary>
      <div class="stack">
        <Field
          id="file"
          label="File"
          hint="It takes the place of the text above. Nothing is saved yet."
        >
          <input
            id="file"
            name="file"
            type="file"
            class="input file"
            accept=".yaml,.yml,.json,application/yaml,application/json,text/yaml"
            aria-describedby="file-hint"
          />
        </Field>
        <button type="submit" class="btn ghost" name="intent" value="open">
          <Icon name="upload" size={14} />
          Open the file
        </button>
      </div>
    </details>
  );
}

function Start(props: EditorPageProps) {
  if (props.examples.length === 0) return null;
  return (
    <div class="p-all">
      <Panel id="start" title="Begin with an example" note="its text is put into the editor">
        <ExampleGallery
          examples={props.examples}
          action={(example) => (
            <a
              class="btn ghost small"
              href={`/workflows/new?example=${encodeURIComponent(example.name)}`}
            >
              <Icon name="copy" size={12} />
              Use<span class="sr"> {example.name}</span>
            </a>
          )}
        />
      </Panel>
    </div>
  );
}
