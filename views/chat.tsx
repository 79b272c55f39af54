/** The chat that builds workflows: the list of conversations, one conversation, and when it is away. */
import {
  type Conversation,
  type ConversationTotals,
  MESSAGE_CHARS_MAX,
} from "../src/domain/conversation.ts";
import type { ServiceStatus } from "../src/domain/service.ts";
import { Layout } from "./layout.tsx";
import {
  answerTextId,
  messageId,
  MessageItem,
  type MessageView,
  SAVE_FORM_ID,
} from "./part/answer.tsx";
import { BannersPart, type BannerProps } from "./part/banner.tsx";
import { ServiceBadge } from "./part/badge.tsx";
import { keepNewline } from "./part/code.tsx";
import { EmptyState } from "./part/empty-state.tsx";
import { PostForm } from "./part/form.tsx";
import { Icon } from "./part/icon.tsx";
import { InlineText } from "./part/inline-text.tsx";
import { LivePart } from "./part/live-part.tsx";
import { formatCost } from "./part/money.ts";
import { formatCount, plural } from "./part/number.ts";
import { PageHead, Panel } from "./part/panel.tsx";
import { TimeAgo } from "./part/time.tsx";
import { isWritable, type Shell } from "./shell.ts";

/** Without script the page of an answer that is under way asks for itself this often. */
const REFRESH_SECONDS = 2;
/** The same for the page that says that the chat is away. */
const RETRY_SECONDS = 5;

/** What people may begin with; one click starts a conversation. */
export const EXAMPLE_PROMPTS = [
  "Write an article about a topic: first an outline, then the text.",
  "Judge the sentiment of customer reviews and sum them up.",
  "Read a support mail, find its category and urgency, and draft a reply.",
  "Search the web for a question and answer it with sources.",
] as const;

export interface ChatPageProps {
  readonly shell: Shell;
  readonly conversations: readonly Conversation[];
  /** The last one of this page, when there are more after it. */
  readonly next: string | undefined;
  /** What the first message begins with. */
  readonly draft?: string | undefined;
}

export function ChatPage(props: ChatPageProps) {
  const { shell } = props;
  return (
    <Layout shell={shell} stream="/chat/stream">
      <PageHead crumb="Create" title="Chat" />
      <div class="grid">
        <div class="p-main">
          <NewConversation shell={shell} draft={props.draft} />
          <Panel id="conversations" title="Conversations">
            <ConversationList {...props} now={shell.now} />
          </Panel>
        </div>
        <div class="p-side">{isWritable(shell) ? <Prompts shell={shell} /> : null}</div>
      </div>
    </Layout>
  );
}

function NewConversation(props: { shell: Shell; draft: string | undefined }) {
  const { shell } = props;
  if (!isWritable(shell)) {
    return (
      <Panel id="new" title="Describe a workflow">
        <p class="quiet">Conversations can be continued when the database can be written again.</p>
      </Panel>
    );
  }
  return (
    <Panel id="new" title="Describe a workflow" {...(shell.demo ? { note: "demo, no model" } : {})}>
      <PostForm action="/chat" csrf={shell.csrf} class="stack pad">
        <label for="text" class="sr">
          What should the workflow do?
        </label>
        <textarea
          id="text"
          name="text"
          class="input grow"
          rows={props.draft === undefined ? 3 : 12}
          maxlength={MESSAGE_CHARS_MAX}
          required
          placeholder="What goes in, what should happen to it step by step, what should come out?"
          aria-describedby="text-hint"
          data-send
        >
          {keepNewline(props.draft ?? "")}
        </textarea>
        <p class="hint" id="text-hint">
          {shell.demo
            ? "No model provider is set up: the chat offers templates. With a key, a model writes what you describe."
            : "The model writes the file; agents checks it and has mistakes repaired before you see a button to save."}
        </p>
        <button type="submit" class="btn primary">
          <Icon name="spark" size={14} />
          Start
        </button>
      </PostForm>
    </Panel>
  );
}

function Prompts(props: { shell: Shell }) {
  return (
    <Panel id="prompts" title="To begin with">
      <PostForm action="/chat" csrf={props.shell.csrf}>
        <ul class="prompts">
          {EXAMPLE_PROMPTS.map((prompt) => (
            <li>
              <button type="submit" class="prompt" name="text" value={prompt}>
                {prompt}
              </button>
            </li>
          ))}
        </ul>
      </PostForm>
    </Panel>
  );
}

/** The list as a live part. */
export function ConversationList(props: {
  conversations: readonly Conversation[];
  next: string | undefined;
  now: number;
}) {
  const { conversations, next, now } = props;
  return (
    <div id="conversation-list">
      {conversations.length === 0 ? (
        <EmptyState
          icon="chat"
          title="No conversations yet"
          text="Describe a workflow above. What you talk about is kept here, also over a restart."
        />
      ) : (
        <ul class="cards">
          {conversations.map((conversation) => (
            <li class="card">
              <div class="card-head">
                <h3>
                  <a href={`/chat/${encodeURIComponent(conversation.id)}`}>{conversation.title}</a>
                </h3>
                {conversation.isAnswering ? <span class="tag">answering</span> : null}
              </div>
              <p class="sub">
                {plural(conversation.messageCount, "message")} ·{" "}
                <TimeAgo at={conversation.updatedAt} now={now} />
              </p>
            </li>
          ))}
        </ul>
      )}
      {next === undefined ? null : (
        <div class="pager">
          <a class="btn ghost" href={`/chat?before=${encodeURIComponent(next)}`}>
            Older
          </a>
        </div>
      )}
    </div>
  );
}

export function ConversationListUpdate(
  props: Parameters<typeof ConversationList>[0] & { banners: BannerProps },
) {
  return (
    <>
      <BannersPart {...props.banners} />
      <LivePart target="conversation-list" swap="outerMorph">
        <ConversationList {...props} />
      </LivePart>
    </>
  );
}

/** `retry`: the newest answer did not end well, and may be asked for again. */
export type ChatPhase = "answering" | "idle" | "retry" | "deleted";

export interface ConversationHead {
  readonly conversation: Conversation;
  readonly totals: ConversationTotals;
  readonly phase: ChatPhase;
}

export interface ConversationPageProps extends ConversationHead {
  readonly shell: Shell;
  /** Oldest first. */
  readonly messages: readonly MessageView[];
  /** What the page shows, for its stream. */
  readonly position: number;
  /** The oldest message here is not the first; or these are not the newest. */
  readonly older: number | undefined;
  readonly isNewest: boolean;
}

export function ConversationPage(props: ConversationPageProps) {
  const { shell, conversation, messages, phase, isNewest } = props;
  const path = `/chat/${encodeURIComponent(conversation.id)}`;
  const writable = isWritable(shell);
  return (
    <Layout
      shell={shell}
      {...(isNewest ? { stream: `${path}/stream?after=${props.position}` } : {})}
      {...(isNewest && phase === "answering" ? { refreshSeconds: REFRESH_SECONDS } : {})}
    >
      <div class="chat">
        <PageHead crumb={<a href="/chat">Chat</a>} title={conversation.title}>
          {writable ? (
            <PostForm action={`${path}/deletion`} csrf={shell.csrf}>
              <button type="submit" class="btn danger small">
                <Icon name="trash" size={12} />
                Delete<span class="sr"> this conversation</span>
              </button>
            </PostForm>
          ) : null}
        </PageHead>
        <ChatHead {...props} />
        <div class="chat-scroll" tabindex={0} role="region" aria-label="Messages">
          <div>
            {props.older === undefined ? null : (
              <p class="chat-older">
                <a class="plain-link" href={`${path}?before=${props.older}`}>
                  Older messages
                </a>
              </p>
            )}
            <ol id="messages" class="messages">
              {messages.map((view) => (
                <MessageItem {...view} writable={writable} />
              ))}
            </ol>
            {isNewest ? null : (
              <p class="chat-older">
                <a class="plain-link" href={path}>
                  Newest messages
                </a>
              </p>
            )}
          </div>
        </div>
        {writable && isNewest ? <Composer shell={shell} path={path} /> : null}
      </div>
    </Layout>
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
  idle: "Ready.",
  retry: "The newest answer can be asked for again.",
  deleted: "This conversation was deleted.",
};

/** All forms of the page stand outside of its live parts, because they carry the CSRF token. */
function Composer(props: { shell: Shell; path: string }) {
  const { shell, path } = props;
  return (
    <div class="composer">
      <PostForm action={`${path}/workflows`} csrf={shell.csrf} id={SAVE_FORM_ID}></PostForm>
      <PostForm action={`${path}/cancellation`} csrf={shell.csrf} class="chat-answering">
        <button type="submit" class="btn danger wide">
          <Icon name="stop" size={14} />
          Stop
        </button>
      </PostForm>
      <PostForm action={`${path}/answers`} csrf={shell.csrf} class="chat-retry">
        <button type="submit" class="btn ghost wide">
          <Icon name="refresh" size={14} />
          Try again
        </button>
      </PostForm>
      <PostForm action={`${path}/messages`} csrf={shell.csrf} class="chat-ready">
        <label for="text" class="sr">
          Your message
        </label>
        <textarea
          id="text"
          name="text"
          class="input grow"
          rows={2}
          maxlength={MESSAGE_CHARS_MAX}
          required
          placeholder="What should be different? Or ask something."
          data-send
        ></textarea>
        <button type="submit" class="btn primary">
          <Icon name="up" size={14} />
          Send
        </button>
      </PostForm>
    </div>
  );
}

/** What is new of one message. */
export type MessageChange =
  | { readonly kind: "added" | "ended"; readonly view: MessageView }
  | { readonly kind: "text"; readonly ordinal: number; readonly text: string };

/** A message of a conversation's stream. While nothing but text comes, the rest has not changed. */
export function ConversationUpdate(props: {
  head: ConversationHead;
  changes: readonly MessageChange[];
  banners: BannerProps;
}) {
  const { changes, banners } = props;
  const writable = banners.health.state === "ok";
  const onlyText = changes.length > 0 && changes.every(({ kind }) => kind === "text");
  return (
    <>
      {onlyText ? null : <BannersPart {...banners} />}
      {changes.map((change) => (
        <Change change={change} writable={writable} />
      ))}
      {onlyText ? null : (
        <LivePart target="chat-head" swap="outerMorph">
          <ChatHead {...props.head} />
        </LivePart>
      )}
    </>
  );
}

function Change(props: { change: MessageChange; writable: boolean }) {
  const { change, writable } = props;
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

/** Shown by the dashboard when the chat's own process cannot be reached. */
export function ChatAwayPage(props: { shell: Shell; service: ServiceStatus }) {
  const { shell, service } = props;
  const isOff = service.state === "disabled";
  return (
    <Layout shell={shell} {...(isOff ? {} : { refreshSeconds: RETRY_SECONDS })}>
      <PageHead crumb="Create" title="Chat" />
      <section class="panel" aria-labelledby="away-h">
        <header class="panel-head">
          <h2 id="away-h">{isOff ? "The chat is switched off" : "The chat is not running"}</h2>
          <ServiceBadge state={service.state} />
        </header>
        <div class="pad-x stack">
          <p>
            <InlineText text={service.message ?? "Its process is being started."} />
          </p>
          <p>
            <b>Fix:</b> <InlineText text={service.fix ?? "Wait a moment, then try again."} links />
          </p>
          <p class="sub">
            Everything else goes on: workflows can be uploaded, edited and run without the chat.
          </p>
          <a class="btn ghost" href={shell.path}>
            <Icon name="refresh" size={14} />
            Try again
          </a>
        </div>
      </section>
    </Layout>
  );
}
