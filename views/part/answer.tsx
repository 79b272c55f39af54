/** One message of a conversation. What people and models wrote is text, whatever it looks like. */
import type { AnswerMessage, Message, PersonMessage } from "../../src/domain/conversation.ts";
import { NOTHING_SEEN, REPAIR_ROUND_COUNT_MAX } from "../../src/domain/conversation.ts";
import type { Problem, Workflow } from "../../src/domain/workflow.ts";
import type { Drawing } from "../../src/graph/drawing.ts";
import type { TextPart } from "../../src/lib/fenced-text.ts";
import type { CodeToken } from "../../src/lib/highlight.ts";
import type { Block } from "../../src/lib/markdown-node.ts";
import { CallCard, type CallView } from "./call-card.tsx";
import { CopyButton, keepNewline } from "./code.tsx";
import { CodeBlock } from "./code-block.tsx";
import { formatDuration } from "./duration.ts";
import { ErrorBox } from "./error-box.tsx";
import { nodeOrder } from "./graph.tsx";
import { Icon } from "./icon.tsx";
import { Markdown } from "./markdown.tsx";
import { MessageActions } from "./message-actions.tsx";
import { formatCost } from "./money.ts";
import { formatBytes, formatCount, plural } from "./number.ts";
import { ProblemList } from "./problem-list.tsx";
import { SafeText } from "./safe-text.tsx";
import { typeText } from "./type.ts";

/** A piece of an answer; at most one is the workflow. What is not parsed is shown as it is written. */
export type AnswerPart =
  | (TextPart & { readonly kind: "prose"; readonly blocks?: readonly Block[] | undefined })
  | (TextPart & { readonly kind: "code"; readonly tokens?: readonly CodeToken[] | undefined })
  | { readonly kind: "workflow"; readonly text: string };

export interface WorkflowResult {
  readonly source: string;
  /** Its colours. */
  readonly tokens?: readonly CodeToken[] | undefined;
  /** Undefined when it has errors. */
  readonly workflow: Workflow | undefined;
  readonly problems: readonly Problem[];
  /** Undefined also for a workflow that is too large to be drawn. */
  readonly drawing: Drawing | undefined;
}

export interface AnswerReading {
  readonly parts: readonly AnswerPart[];
  readonly result: WorkflowResult | undefined;
}

/** The stored workflow that has the name of the result. */
export interface SavedWorkflow {
  readonly id: string;
  readonly versionNumber: number;
  /** Of its newest version. */
  readonly hash: string;
  /** Its newest version is this very text. */
  readonly isSame: boolean;
}

export interface MessageView {
  readonly message: Message;
  /** Undefined for what a person wrote, and while the answer comes. */
  readonly reading: AnswerReading | undefined;
  readonly saved: SavedWorkflow | undefined;
  /** What the model has done or asks to do. */
  readonly calls?: readonly CallView[];
}

/** Of a card. */
const STEP_COUNT_MAX = 12;

/** The form outside of the live parts that the save buttons belong to: it has the CSRF token. */
export const SAVE_FORM_ID = "save-form";

/** What a button that saves sends: its message, and what was there already when it was shown. */
export function saveValue(ordinal: number, saved: SavedWorkflow | undefined): string {
  return `${ordinal}-${saved?.hash ?? NOTHING_SEEN}`;
}

export function messageId(ordinal: number): string {
  return `message-${ordinal}`;
}

function saidId({ ordinal }: PersonMessage): string {
  return `message-${ordinal}-said`;
}

/** Where the text of an answer that is under way is appended. */
export function answerTextId(ordinal: number): string {
  return `message-${ordinal}-text`;
}

export function MessageItem(props: MessageView & { writable: boolean }) {
  const { message } = props;
  if (message.role === "person") {
    return (
      <li class="message person" id={messageId(message.ordinal)}>
        <h2 class="sr">You</h2>
        <p class="said" id={saidId(message)}>
          {message.text}
        </p>
        <Files message={message} />
        <div class="person-foot">
          <CopyButton target={saidId(message)} label={`message ${message.ordinal}`} />
          <MessageActions message={message} writable={props.writable} />
        </div>
      </li>
    );
  }
  return (
    <li class="message model" id={messageId(message.ordinal)}>
      <h2 class="message-head">
        <Icon name="spark" size={14} />
        {message.round === 0 ? "Answer" : `Repair ${message.round} of ${REPAIR_ROUND_COUNT_MAX}`}
        {message.provider === "demo" ? <span class="tag">demo, no model</span> : null}
      </h2>
      {message.state === "streaming" ? (
        <Coming message={message} />
      ) : (
        <Ended {...props} message={message} />
      )}
    </li>
  );
}

function Coming(props: { message: AnswerMessage }) {
  const { message } = props;
  return (
    <>
      <Omitted message={message} />
      <pre class="said coming" id={answerTextId(message.ordinal)}>
        {keepNewline(message.text)}
      </pre>
      <p class="sub">
        <span class="live-dot" aria-hidden="true"></span> The answer is coming …
      </p>
    </>
  );
}

function Ended(props: MessageView & { message: AnswerMessage; writable: boolean }) {
  const { message, reading } = props;
  return (
    <>
      <Omitted message={message} />
      {reading?.parts.map((part, index) => (
        <Part {...props} part={part} number={index + 1} />
      ))}
      {props.calls?.map((call) => (
        <CallCard {...call} writable={props.writable} />
      ))}
      <Outcome message={message} />
      <Foot message={message} />
      <MessageActions message={message} writable={props.writable} />
    </>
  );
}

/** The box that the whole picture is shown in, so that nothing moves when it comes. */
const PICTURE = { width: 192, height: 144 } as const;

function Files({ message }: { message: PersonMessage }) {
  if (message.files.length === 0) return null;
  const base = `/chat/${encodeURIComponent(message.conversationId)}/files/${message.ordinal}`;
  return (
    <ul class="message-files">
      {message.files.map(({ number, name, mediaType, byteCount }) => (
        <li>
          {mediaType.startsWith("image/") ? (
            <a class="picture" href={`${base}/${number}?view`} hx-boost="false">
              <span class="sr">Open </span>
              <img
                src={`${base}/${number}?view`}
                alt={name}
                {...PICTURE}
                loading="lazy"
                decoding="async"
              />
            </a>
          ) : null}
          <a class="plain-link" href={`${base}/${number}`} download hx-boost="false">
            {name}
          </a>{" "}
          <span class="sub num">{formatBytes(byteCount)}</span>
        </li>
      ))}
    </ul>
  );
}

/** The button copies the answer as it was written, which is not how it is shown. */
function Foot(props: { message: AnswerMessage }) {
  const { message } = props;
  const id = `${messageId(message.ordinal)}-source`;
  return (
    <div class="message-foot">
      <p class="sub num">{footText(message)}</p>
      {message.text.trim() === "" ? null : (
        <>
          <pre id={id} hidden>
            {keepNewline(message.text)}
          </pre>
          <CopyButton target={id} label={`message ${message.ordinal}`} />
        </>
      )}
    </div>
  );
}

function Omitted(props: { message: AnswerMessage }) {
  const { omittedCount, usage } = props.message;
  if (omittedCount === 0) return null;
  const what =
    omittedCount === 1
      ? "The oldest message was"
      : `The ${formatCount(omittedCount)} oldest messages were`;
  return (
    <p class="message-note">
      <Icon name="info" size={14} />
      {what} left out of what the model was sent, to keep within its limit of tokens.
      {usage.input === 0 ? "" : ` What was sent has ${formatCount(usage.input)}.`}
    </p>
  );
}

function Outcome(props: { message: AnswerMessage }) {
  const { message } = props;
  if (message.error !== null) return <ErrorBox error={message.error} />;
  const note = outcomeNote(message);
  if (note === undefined) return null;
  return (
    <p class="message-note warning">
      <Icon name="warning" size={14} />
      {note}
    </p>
  );
}

function outcomeNote({ state, finish, text, calls }: AnswerMessage): string | undefined {
  if (state === "interrupted")
    return "Interrupted: its process ended in the middle of this answer. What had come is kept.";
  if (state === "stopped") return "Stopped. What had come is kept.";
  if (finish === "length") return "The answer was cut off at the model's limit of tokens.";
  if (finish === "refused") return "The provider's filter stopped this answer.";
  return text.trim() === "" && calls.length === 0 ? "The model answered with nothing." : undefined;
}

function footText(message: AnswerMessage): string {
  const { provider, model, usage, costNanoUsd, finishedAt, state } = message;
  const who = [provider, model === provider ? null : model].filter((part) => part !== null);
  const took = finishedAt === null ? [] : [formatDuration(finishedAt - message.createdAt)];
  const isCounted = state === "done" && provider !== "demo";
  const spent = isCounted
    ? [
        `${formatCount(usage.input)} tokens in, ${formatCount(usage.output)} out`,
        formatCost(costNanoUsd ?? 0, costNanoUsd === null ? 1 : 0),
      ]
    : [];
  return [...(who.length === 0 ? [] : [who.join(" ")]), ...spent, ...took].join(" · ");
}

function Part(
  props: MessageView & {
    message: AnswerMessage;
    part: AnswerPart;
    number: number;
    writable: boolean;
  },
) {
  const { part, reading } = props;
  const { ordinal } = props.message;
  const id = `${messageId(ordinal)}-${props.number}`;
  if (part.kind === "prose") {
    if (part.blocks === undefined) return <Prose text={part.text} />;
    return <Markdown blocks={part.blocks} place={{ id, name: `message ${ordinal}` }} />;
  }
  if (part.kind === "code") {
    const label = `code ${props.number} of message ${ordinal}`;
    return <CodeBlock {...part} tokens={part.tokens} id={id} label={label} />;
  }
  if (reading?.result === undefined) return null;
  return <ResultCard {...props} result={reading.result} />;
}

/** Paragraphs at empty lines; single line breaks stay. */
function Prose(props: { text: string }) {
  const paragraphs = props.text.split(/\n[ \t]*\n/).filter((text) => text.trim() !== "");
  return (
    <>
      {paragraphs.map((text) => (
        <p class="said">
          <SafeText text={text.trimEnd().replace(/^\n+/, "")} />
        </p>
      ))}
    </>
  );
}

/** The workflow of an answer: what it does, what is wrong with it, what can be done with it. */
function ResultCard(
  props: MessageView & { message: AnswerMessage; result: WorkflowResult; writable: boolean },
) {
  const { message, result } = props;
  const { workflow, problems, source } = result;
  const prefix = messageId(message.ordinal);
  const errors = problems.filter(({ severity }) => severity === "error").length;
  const title = workflow === undefined ? `Not valid: ${plural(errors, "error")}` : workflow.name;
  return (
    <section
      class={workflow === undefined ? "result invalid" : "result"}
      aria-label={`${title}, message ${message.ordinal}`}
    >
      <header class="result-head">
        <Icon name={workflow === undefined ? "critical" : "check"} />
        <h3>{title}</h3>
        {workflow === undefined ? null : (
          <span class="panel-note">valid, {plural(workflow.nodes.length, "step")}</span>
        )}
      </header>
      {workflow === undefined ? (
        <p class="result-text">{repairText(message)}</p>
      ) : (
        <Summary workflow={workflow} />
      )}
      {problems.length === 0 ? null : <ProblemList problems={problems} source={source} />}
      <Actions {...props} />
      <details class="fold pad">
        <summary>
          <Icon name="chevron" size={12} />
          YAML, {plural(source.trimEnd().split("\n").length, "line")}
        </summary>
        <CodeBlock
          text={source}
          language="yaml"
          tokens={result.tokens}
          id={`${prefix}-yaml`}
          label={`YAML of message ${message.ordinal}`}
        />
      </details>
    </section>
  );
}

function repairText({ state, round, provider }: AnswerMessage): string {
  if (state !== "done" || provider === "demo") return "It cannot be saved as it is.";
  if (round >= REPAIR_ROUND_COUNT_MAX) {
    return `After ${plural(REPAIR_ROUND_COUNT_MAX, "repair")} these problems are left. Say what to change, or try again.`;
  }
  return `The problems go back to the model: repair ${round + 1} of ${REPAIR_ROUND_COUNT_MAX}.`;
}

/** What it does, in short: the graph and all steps stand beside the talk. */
function Summary({ workflow }: { workflow: Workflow }) {
  const inputs = workflow.state.filter((field) => field.required);
  const order = nodeOrder(workflow);
  const shown = order.slice(0, STEP_COUNT_MAX).join(", ");
  return (
    <>
      {workflow.description === undefined ? null : (
        <p class="result-text">{workflow.description}</p>
      )}
      <p class="result-text sub">
        {order.length > STEP_COUNT_MAX ? `${shown}, …` : shown}.{" "}
        {inputs.length === 0
          ? "A run needs no input."
          : `A run needs ${inputs.map(({ name, type }) => `${name} (${typeText(type)})`).join(", ")}.`}
      </p>
    </>
  );
}

function Actions(
  props: MessageView & { message: AnswerMessage; result: WorkflowResult; writable: boolean },
) {
  const { message, result, saved, writable } = props;
  const base = `/chat/${encodeURIComponent(message.conversationId)}`;
  return (
    <div class="actions pad">
      {result.workflow === undefined ? null : (
        <Save saved={saved} writable={writable} ordinal={message.ordinal} />
      )}
      <a class="btn ghost" href={`${base}/${message.ordinal}.yaml`} download hx-boost="false">
        <Icon name="download" size={14} />
        Download<span class="sr"> the YAML of message {message.ordinal}</span>
      </a>
    </div>
  );
}

function Save(props: { saved: SavedWorkflow | undefined; writable: boolean; ordinal: number }) {
  const { saved, writable, ordinal } = props;
  if (saved?.isSame === true) return <SavedLink saved={saved} />;
  return writable ? <SaveButton saved={saved} ordinal={ordinal} /> : null;
}

/** @param props.class Of the button, besides what it is. */
export function SavedLink(props: { saved: SavedWorkflow; class?: string }) {
  const { saved } = props;
  return (
    <a
      class={`btn ghost ${props.class ?? ""}`.trimEnd()}
      href={`/workflows/${encodeURIComponent(saved.id)}`}
    >
      <Icon name="workflows" size={14} />
      Saved as version {saved.versionNumber}
    </a>
  );
}

/** @param props.class As in `SavedLink`. */
export function SaveButton(props: {
  saved: SavedWorkflow | undefined;
  ordinal: number;
  class?: string;
}) {
  const { saved, ordinal } = props;
  return (
    <button
      type="submit"
      class={`btn primary ${props.class ?? ""}`.trimEnd()}
      form={SAVE_FORM_ID}
      name="message"
      value={saveValue(ordinal, saved)}
    >
      <Icon name="check" size={14} />
      {saved === undefined ? "Save" : `Save as version ${saved.versionNumber + 1}`}
      <span class="sr"> the workflow of message {ordinal}</span>
    </button>
  );
}
