/** The chat that builds workflows: the list of conversations, and when it is away. */
import { type Conversation, MESSAGE_CHARS_MAX } from "../src/domain/conversation.ts";
import type { ServiceStatus } from "../src/domain/service.ts";
import { Layout } from "./layout.tsx";
import { ServiceBadge } from "./part/badge.tsx";
import { BannersPart, type BannerProps } from "./part/banner.tsx";
import { keepNewline } from "./part/code.tsx";
import { AttachField, ModelField } from "./part/composer.tsx";
import { EmptyState } from "./part/empty-state.tsx";
import { PostForm } from "./part/form.tsx";
import { Icon } from "./part/icon.tsx";
import { InlineText } from "./part/inline-text.tsx";
import { LivePart } from "./part/live-part.tsx";
import { UndoNotice } from "./part/notice.tsx";
import { plural } from "./part/number.ts";
import { PageHead, Panel } from "./part/panel.tsx";
import { TimeAgo } from "./part/time.tsx";
import { isWritable, type Shell } from "./shell.ts";

/** Without script the page that says that the chat is away asks for itself this often. */
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
  /** What is searched for; "" for nothing. */
  readonly search: string;
  /** What the first message begins with, and what goes with it. */
  readonly draft?: ChatDraft | undefined;
  /** What may be picked, as `provider/model`. */
  readonly models: readonly string[];
  /** What was just deleted, while it can be put back. */
  readonly removed?: { readonly id: string; readonly title: string } | undefined;
}

export interface ChatDraft {
  readonly text: string;
  readonly about: DraftAbout;
}

/** What a message is about: what is told of it goes with the message as files. */
export interface DraftAbout {
  /** Stands before the name: `workflow`, `comparison`. */
  readonly kind: string;
  readonly name: string;
  /** Where it can be seen. */
  readonly href: string;
  /** Of the form that says it. */
  readonly field: string;
  readonly value: string;
}

export function ChatPage(props: ChatPageProps) {
  const { shell } = props;
  return (
    <Layout shell={shell} {...(props.search === "" ? { stream: "/chat/stream" } : {})}>
      <PageHead crumb="Create" title="Chat" />
      {props.removed === undefined ? null : (
        <UndoNotice
          text={
            <>
              Deleted: <b>{props.removed.title}</b>
            </>
          }
          id={props.removed.id}
          action="/chat/restorations"
          shell={shell}
        />
      )}
      <div class="grid">
        <div class="p-main">
          <NewConversation shell={shell} draft={props.draft} models={props.models} />
          <Panel id="conversations" title="Conversations">
            <SearchForm search={props.search} />
            <ConversationList {...props} now={shell.now} />
          </Panel>
        </div>
        <div class="p-side">{isWritable(shell) ? <Prompts shell={shell} /> : null}</div>
      </div>
    </Layout>
  );
}

function SearchForm(props: { search: string }) {
  return (
    <form method="get" action="/chat" role="search" aria-label="Conversations" class="row-form pad">
      <label for="chat-search" class="sr">
        Search conversations
      </label>
      <input
        id="chat-search"
        name="search"
        type="search"
        class="input wide"
        value={props.search}
        placeholder="Words of a title, or of what you wrote"
      />
      <button type="submit" class="btn ghost">
        <Icon name="search" size={14} />
        Find
      </button>
      {props.search === "" ? null : (
        <a class="btn ghost" href="/chat">
          All conversations
        </a>
      )}
    </form>
  );
}

function NewConversation(props: Pick<ChatPageProps, "shell" | "draft" | "models">) {
  const { shell, draft, models } = props;
  if (!isWritable(shell)) {
    return (
      <Panel id="new" title="Describe a workflow">
        <p class="quiet">Conversations can be continued when the database can be written again.</p>
      </Panel>
    );
  }
  return (
    <Panel id="new" title="Describe a workflow" {...(shell.demo ? { note: "demo, no model" } : {})}>
      <PostForm action="/chat" csrf={shell.csrf} class="stack pad" multipart>
        {draft === undefined ? null : <About about={draft.about} />}
        <label for="text" class="sr">
          What should the workflow do?
        </label>
        <textarea
          id="text"
          name="text"
          class="input grow"
          rows={draft === undefined ? 3 : 4}
          maxlength={MESSAGE_CHARS_MAX}
          required
          placeholder="What goes in, what should happen to it step by step, what should come out?"
          aria-describedby="text-hint"
          data-send
        >
          {keepNewline(draft?.text ?? "")}
        </textarea>
        <p class="hint" id="text-hint">
          {shell.demo
            ? "No model provider is set up: the chat offers templates. With a key, a model writes what you describe."
            : "The model writes the file; agents checks it and has mistakes repaired before you see a button to save."}
        </p>
        <AttachField />
        {shell.demo ? null : (
          <details class="fold">
            <summary>
              <Icon name="chevron" size={12} />
              Choose the model
            </summary>
            <div class="row-form">
              <ModelField models={models} value={null} />
            </div>
          </details>
        )}
        <button type="submit" class="btn primary">
          <Icon name="spark" size={14} />
          Start
        </button>
      </PostForm>
    </Panel>
  );
}

function About({ about }: Pick<ChatDraft, "about">) {
  const { kind, name, href, field, value } = about;
  return (
    <p class="message-note">
      <Icon name="info" size={14} />
      <span>
        With the {kind}{" "}
        <a class="plain-link" href={href}>
          {name}
        </a>
        : what is written there goes with your message.
      </span>
      <input type="hidden" name={field} value={value} />
    </p>
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
  search: string;
  now: number;
}) {
  const { conversations, next, search, now } = props;
  return (
    <div id="conversation-list">
      {conversations.length === 0 ? (
        <EmptyState
          icon="chat"
          title={search === "" ? "No conversations yet" : "Nothing found"}
          text={
            search === ""
              ? "Describe a workflow above. What you talk about is kept here, also over a restart."
              : "No title and no message of yours has all of these words."
          }
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
          <a class="btn ghost" href={olderAddress(search, next)}>
            Older
          </a>
        </div>
      )}
    </div>
  );
}

function olderAddress(search: string, before: string): string {
  const query = new URLSearchParams({ ...(search === "" ? {} : { search }), before });
  return `/chat?${query.toString()}`;
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
