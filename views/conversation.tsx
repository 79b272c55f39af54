/** One conversation of the chat. */
import {
  type Conversation,
  CONVERSATION_TITLE_CHARS_MAX,
  type ConversationTotals,
  MESSAGE_CHARS_MAX,
} from "../src/domain/conversation.ts";
import type { ErrorRecord } from "../src/domain/error.ts";
import type { TextDiff } from "../src/lib/diff.ts";
import { Layout } from "./layout.tsx";
import {
  answerTextId,
  messageId,
  MessageItem,
  type MessageView,
  SAVE_FORM_ID,
} from "./part/answer.tsx";
import { BannersPart, type BannerProps } from "./part/banner.tsx";
import { CALL_FORM_ID } from "./part/call-card.tsx";
import { keepNewline } from "./part/code.tsx";
import { AttachField, ModelField } from "./part/composer.tsx";
import { Diff, diffNote } from "./part/diff.tsx";
import { ErrorBox } from "./part/error-box.tsx";
import { PostForm } from "./part/form.tsx";
import { Icon } from "./part/icon.tsx";
import { LivePart } from "./part/live-part.tsx";
import { ANSWER_FORM_ID, BRANCH_FORM_ID } from "./part/message-actions.tsx";
import { formatCost } from "./part/money.ts";
import { formatCount } from "./part/number.ts";
import { isFinal } from "./part/run-progress.ts";
import { PageHead } from "./part/panel.tsx";
import {
  ResultBody,
  ResultHead,
  ResultPanel,
  type ResultPanelProps,
  type ResultView,
} from "./part/result-panel.tsx";
import { ResultRun } from "./part/result-run.tsx";
import { isWritable, type Shell } from "./shell.ts";

/** Without script the page of an answer that is under way asks for itself this often. */
const REFRESH_SECONDS = 2;
/** The same for a run, when it is what is looked at. */
const RUN_REFRESH_SECONDS = 5;

/**
 * `retry`: the newest answer did not end well, and may be asked for again. `asking`: a tool call waits for a person's
 * decision.
 */
export type ChatPhase = "answering" | "asking" | "idle" | "retry" | "deleted";

export interface ConversationHead {
  readonly conversation: Conversation;
  readonly totals: ConversationTotals;
  readonly phase: ChatPhase;
}

/** What stands beside the talk. */
export type Beside = Pick<ResultPanelProps, "shown" | "run">;

/** Why nothing was done: what is there is not what was shown. */
export interface ConversationConflict {
  readonly error: ErrorRecord;
  /** Against the newest version. */
  readonly change?: {
    readonly name: string;
    readonly versionNumber: number;
    readonly diff: TextDiff;
  };
}

export interface ConversationPageProps extends ConversationHead, Beside {
  readonly shell: Shell;
  readonly view: ResultView;
  /** Oldest first. */
  readonly messages: readonly MessageView[];
  /** What the page shows, for its stream. */
  readonly position: number;
  /** The oldest message here is not the first; or these are not the newest. */
  readonly older: number | undefined;
  readonly isNewest: boolean;
  /** What may be picked, as `provider/model`. */
  readonly models: readonly string[];
  /** Of what was sent last. */
  readonly conflict?: ConversationConflict | undefined;
  /** It is the answer to a form. */
  readonly isRefusal?: boolean;
  /** A message that is written anew: what is sent takes its place, on a branch of its own. */
  readonly edited?: { readonly ordinal: number; readonly text: string } | undefined;
}

export function ConversationPage(props: ConversationPageProps) {
  const { shell, conversation, isNewest } = props;
  const path = `/chat/${encodeURIComponent(conversation.id)}`;
  const writable = isWritable(shell);
  const refreshSeconds = isNewest ? refreshOf(props) : undefined;
  return (
    <Layout
      shell={shell}
      {...(isNewest ? { stream: `${path}/stream?after=${props.position}` } : {})}
      {...(refreshSeconds === undefined ? {} : { refreshSeconds })}
    >
      <div class={props.shown === undefined && props.run === undefined ? "chat" : "chat beside"}>
        <PageHead crumb={<a href="/chat">Chat</a>} title={conversation.title}>
          {writable ? <Controls {...props} path={path} /> : null}
        </PageHead>
        <ChatHead {...props} />
        {props.conflict === undefined ? null : <Conflict {...props.conflict} />}
        {isNewest ? <SideChoice view={props.view} /> : null}
        <div class="chat-sides">
          <TalkSide {...props} path={path} writable={writable} />
          {isNewest ? (
            <ResultPanel
              {...props}
              conversationId={conversation.id}
              csrf={shell.csrf}
              writable={writable}
              now={shell.now}
            />
          ) : null}
        </div>
      </div>
    </Layout>
  );
}

function refreshOf({ phase, run, view, isRefusal }: ConversationPageProps): number | undefined {
  // At the address of a form there is nothing to be asked for again.
  if (isRefusal === true) return undefined;
  if (phase === "answering") return REFRESH_SECONDS;
  // A comment that is being typed must not be thrown away.
  const isLive = run !== undefined && !isFinal(run.run) && run.approvals.length === 0;
  return view === "run" && isLive ? RUN_REFRESH_SECONDS : undefined;
}

function Conflict({ error, change }: ConversationConflict) {
  return (
    <section class="chat-conflict" aria-label="Nothing was done">
      <ErrorBox error={error} />
      {change === undefined ? null : (
        <details class="fold">
          <summary>
            <Icon name="chevron" size={12} />
            What saving would change in version {change.versionNumber}: {diffNote(change.diff)}
          </summary>
          <Diff diff={change.diff} label={`Changes of ${change.name}`} />
        </details>
      )}
    </section>
  );
}

/** Where there is no room for both sides, one of them is seen. The style sheet shows it there, when there are two. */
function SideChoice(props: { view: ResultView }) {
  const side = props.view === "graph" ? "talk" : "workflow";
  return (
    <fieldset class="seg-ctl side-choice">
      <legend class="sr">What is shown</legend>
      {(["talk", "workflow"] as const).map((name) => (
        <label for={`side-${name}`}>
          <input
            type="radio"
            class="sr"
            name="side"
            value={name}
            id={`side-${name}`}
            checked={name === side}
          />
          {name === "talk" ? "Talk" : "Workflow"}
        </label>
      ))}
    </fieldset>
  );
}

function TalkSide(props: ConversationPageProps & { path: string; writable: boolean }) {
  const { path, messages, writable, isNewest } = props;
  return (
    <div class="chat-talk">
      <div class="chat-scroll" tabindex={0} role="region" aria-label="Messages">
        <div>
          <Talk path={path} older={props.older} messages={messages} writable={writable} />
          {isNewest ? null : (
            <p class="chat-older">
              <a class="plain-link" href={path}>
                Newest messages
              </a>
            </p>
          )}
        </div>
      </div>
      {writable && isNewest ? <Composer {...props} path={path} /> : null}
    </div>
  );
}

/** What is seen of the branch. */
function Talk(props: {
  path: string;
  older: number | undefined;
  messages: readonly MessageView[];
  writable: boolean;
}) {
  const { path, older, messages, writable } = props;
  return (
    <div id="talk">
      {older === undefined ? null : (
        <p class="chat-older">
          <a class="plain-link" href={`${path}?before=${older}`}>
            Older messages
          </a>
        </p>
      )}
      <ol id="messages" class="messages">
        {messages.map((view) => (
          <MessageItem {...view} writable={writable} />
        ))}
      </ol>
    </div>
  );
}

/** Its name, its model, and its end. */
function Controls(props: ConversationPageProps & { path: string }) {
  const { shell, conversation, models, path } = props;
  return (
    <details class="menu">
      <summary class="btn ghost small">
        <Icon name="settings" size={12} />
        Options<span class="sr"> of this conversation</span>
      </summary>
      <div class="menu-body stack">
        <PostForm action={`${path}/title`} csrf={shell.csrf} class="row-form">
          <label for="title">Title</label>
          <input
            id="title"
            name="title"
            class="input"
            value={conversation.title}
            maxlength={CONVERSATION_TITLE_CHARS_MAX}
            required
          />
          <button type="submit" class="btn ghost small">
            Rename
          </button>
        </PostForm>
        {shell.demo ? null : (
          <PostForm action={`${path}/model`} csrf={shell.csrf} class="row-form">
            <ModelField models={models} value={conversation.model} />
            <button type="submit" class="btn ghost small">
              Use it
            </button>
          </PostForm>
        )}
        <PostForm action={`${path}/deletion`} csrf={shell.csrf}>
          <button type="submit" class="btn danger small">
            <Icon name="trash" size={12} />
            Delete<span class="sr"> this conversation</span>
          </button>
        </PostForm>
      </div>
    </details>
  );
}

/** State and cost; the style sheet shows the buttons that fit its phase. */
export function ChatHead(props: ConversationHead) {
  const { phase } = props;
  const { inputTokens, outputTokens, costNanoUsd, unpricedCount } = props.totals;
  const isSpent = inputTokens + outputTokens > 0;
  return (
    <p id="chat-head" class="chat-head sub num" role="status" data-phase={phase}>
      {PHASE_TEXT[phase]}
      {isSpent
        ? ` ${formatCount(inputTokens)} tokens in, ${formatCount(outputTokens)} out, ${formatCost(costNanoUsd, unpricedCount)}.`
        : ""}
    </p>
  );
}

const PHASE_TEXT: Record<ChatPhase, string> = {
  answering: "Answering …",
  asking: "It waits for your decision.",
  idle: "Ready.",
  retry: "The newest answer can be asked for again.",
  deleted: "This conversation was deleted.",
};

/** All forms of the page stand outside of its live parts, because they carry the CSRF token. */
function Composer(props: ConversationPageProps & { path: string }) {
  const { shell, path, edited } = props;
  return (
    <div class="composer">
      <PostForm action={`${path}/workflows`} csrf={shell.csrf} id={SAVE_FORM_ID}></PostForm>
      <PostForm action={`${path}/answers`} csrf={shell.csrf} id={ANSWER_FORM_ID} stays></PostForm>
      <PostForm action={`${path}/decisions`} csrf={shell.csrf} id={CALL_FORM_ID}></PostForm>
      <PostForm action={`${path}/branch`} csrf={shell.csrf} id={BRANCH_FORM_ID} stays></PostForm>
      <PostForm action={`${path}/cancellation`} csrf={shell.csrf} class="chat-answering" stays>
        <button type="submit" class="btn danger wide">
          <Icon name="stop" size={14} />
          Stop
        </button>
      </PostForm>
      <PostForm action={`${path}/answers`} csrf={shell.csrf} class="chat-retry" stays>
        <button type="submit" class="btn ghost wide">
          <Icon name="refresh" size={14} />
          Try again
        </button>
      </PostForm>
      {edited === undefined ? null : (
        <p class="message-note">
          <Icon name="info" size={14} />
          <span>
            You write message {edited.ordinal} anew. What was answered to it stays, on a branch of
            its own.{" "}
            <a class="plain-link" href={path}>
              Leave it as it is
            </a>
          </span>
        </p>
      )}
      <PostForm
        action={`${path}/messages`}
        csrf={shell.csrf}
        class="chat-ready"
        multipart
        stays={edited === undefined}
        clears
      >
        {edited === undefined ? null : (
          <input type="hidden" name="inPlaceOf" value={String(edited.ordinal)} />
        )}
        <label for="text" class="sr">
          Your message
        </label>
        <textarea
          id="text"
          name="text"
          class="input grow"
          rows={edited === undefined ? 2 : 6}
          maxlength={MESSAGE_CHARS_MAX}
          required
          placeholder="What should be different? Or ask something."
          autofocus={edited !== undefined}
          data-send
        >
          {keepNewline(edited?.text ?? "")}
        </textarea>
        <button type="submit" class="btn primary">
          <Icon name="up" size={14} />
          Send
        </button>
        <AttachField />
      </PostForm>
    </div>
  );
}

/** What is new of one message. */
export type MessageChange =
  | { readonly kind: "added" | "ended"; readonly view: MessageView }
  /** Another branch is shown. */
  | { readonly kind: "replaced"; readonly views: readonly MessageView[] }
  | { readonly kind: "text"; readonly ordinal: number; readonly text: string };

/** Nothing but text of the answer that is under way. */
export function isOnlyText(changes: readonly MessageChange[]): boolean {
  return changes.length > 0 && changes.every(({ kind }) => kind === "text");
}

/** A message of a conversation's stream. While nothing but text comes, the rest has not changed. */
export function ConversationUpdate(props: {
  head: ConversationHead;
  changes: readonly MessageChange[];
  /** Undefined when it has not changed. */
  beside: (Beside & { readonly isWhole: boolean }) | undefined;
  banners: BannerProps;
  now: number;
}) {
  const { changes, banners, beside } = props;
  const writable = banners.health.state === "ok";
  const onlyText = isOnlyText(changes);
  const conversationId = props.head.conversation.id;
  return (
    <>
      {onlyText ? null : <BannersPart {...banners} />}
      {changes.map((change) => (
        <Change
          change={change}
          writable={writable}
          path={`/chat/${encodeURIComponent(conversationId)}`}
        />
      ))}
      {beside === undefined ? null : (
        <BesideUpdate
          {...beside}
          conversationId={conversationId}
          writable={writable}
          now={props.now}
        />
      )}
      {onlyText ? null : (
        <LivePart target="chat-head" swap="outerMorph">
          <ChatHead {...props.head} />
        </LivePart>
      )}
    </>
  );
}

/** @param props.isWhole The workflow itself may have changed, not only what has become of it. */
function BesideUpdate(props: ResultPanelProps & { isWhole: boolean }) {
  return (
    <>
      <LivePart target="result-head" swap="outerMorph">
        <ResultHead {...props} />
      </LivePart>
      <LivePart target="result-run" swap="outerMorph">
        <ResultRun {...props} />
      </LivePart>
      {props.isWhole ? (
        <LivePart target="result-body" swap="outerMorph">
          <ResultBody {...props} />
        </LivePart>
      ) : null}
    </>
  );
}

function Change(props: { change: MessageChange; writable: boolean; path: string }) {
  const { change, writable, path } = props;
  if (change.kind === "replaced") {
    const first = change.views[0]?.message;
    const older = first === undefined || first.parent === null ? undefined : first.ordinal;
    return (
      <LivePart target="talk" swap="outerMorph">
        <Talk path={path} older={older} messages={change.views} writable={writable} />
      </LivePart>
    );
  }
  if (change.kind === "text") {
    return (
      <LivePart target={answerTextId(change.ordinal)} swap="beforeend">
        {change.text}
      </LivePart>
    );
  }
  const item = <MessageItem {...change.view} writable={writable} />;
  if (change.kind === "added") {
    return (
      <LivePart target="messages" swap="beforeend">
        {item}
      </LivePart>
    );
  }
  return (
    <LivePart target={messageId(change.view.message.ordinal)} swap="outerMorph">
      {item}
    </LivePart>
  );
}
