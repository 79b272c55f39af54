/** The pages of the chat in the states that matter. */
import type { JSX } from "hono/jsx/jsx-runtime";
import type { AnswerMessage, Conversation } from "../../src/domain/conversation.ts";
import type { PendingApproval, Run, RunState } from "../../src/domain/run.ts";
import type { ServiceStatus } from "../../src/domain/service.ts";
import { editablePlaces } from "../../src/language/edit-source.ts";
import { diffTexts } from "../../src/lib/diff.ts";
import { highlight } from "../../src/lib/highlight.ts";
import { parseMarkdown } from "../../src/lib/markdown.ts";
import { ChatAwayPage, ChatPage } from "../../views/chat.tsx";
import {
  type ChatPhase,
  type ConversationConflict,
  ConversationPage,
} from "../../views/conversation.tsx";
import type { AnswerReading, MessageView } from "../../views/part/answer.tsx";
import type { PanelResult, PanelRun, ResultView } from "../../views/part/result-panel.tsx";
import type { Shell } from "../../views/shell.ts";
import { CALL_CASES, HASH } from "./call-fixtures.tsx";
import {
  APPROVAL,
  calls,
  DEGRADED,
  DRAWING,
  form,
  HOSTILE,
  NOW,
  PROBLEMS,
  run,
  steps,
  usage,
  version,
  WORKFLOW,
} from "./fixtures.ts";

interface ChatCase {
  readonly name: string;
  readonly path: string;
  readonly over?: Partial<Shell>;
  readonly view: (shell: (title: string) => Shell) => JSX.Element;
}

const ID = "01kaechat0000001";

export function conversation(over: Partial<Conversation> = {}): Conversation {
  return {
    id: ID,
    title: "Write an article about a topic, with sources",
    createdAt: NOW - 600_000,
    updatedAt: NOW - 60_000,
    messageCount: 4,
    isAnswering: false,
    head: 4,
    branch: 0,
    model: null,
    runId: null,
    ...over,
  };
}

function said(ordinal: number, text: string): MessageView {
  return {
    message: {
      conversationId: ID,
      ordinal,
      parent: ordinal === 1 ? null : ordinal - 1,
      siblings: [ordinal],
      role: "person",
      text,
      createdAt: NOW - 600_000,
      files: [],
    },
    reading: undefined,
    saved: undefined,
  };
}

export function answered(
  ordinal: number,
  over: Partial<AnswerMessage> = {},
  more: Partial<MessageView> = {},
): MessageView {
  return {
    message: {
      conversationId: ID,
      ordinal,
      parent: ordinal - 1,
      siblings: [ordinal],
      thoughts: null,
      calls: [],
      role: "model",
      text: "",
      createdAt: NOW - 500_000,
      state: "done",
      round: 0,
      provider: "anthropic",
      model: "claude-sonnet-5",
      omittedCount: 0,
      finish: "stop",
      usage: usage(2_140, 812),
      costNanoUsd: 18_600_000,
      error: null,
      finishedAt: NOW - 492_000,
      ...over,
    },
    reading: {
      parts: [{ kind: "prose", text: "Here it is.\n\nSay what to change." }],
      result: undefined,
    },
    saved: undefined,
    ...more,
  };
}

const SOURCE = version(3).source;
const VALID: AnswerReading = {
  parts: [
    { kind: "prose", text: "It researches, outlines, writes and reviews." },
    { kind: "workflow", text: SOURCE },
    { kind: "prose", text: "Run it like this:" },
    { kind: "code", language: "sh", text: 'agents run article.yaml --input topic="Tides"' },
  ],
  result: { source: SOURCE, workflow: WORKFLOW, problems: [], drawing: DRAWING },
};
const INVALID: AnswerReading = {
  parts: [{ kind: "workflow", text: SOURCE }],
  result: { source: SOURCE, workflow: undefined, problems: PROBLEMS, drawing: undefined },
};
const HOSTILE_READING: AnswerReading = {
  parts: [
    { kind: "prose", text: HOSTILE },
    { kind: "code", language: HOSTILE, text: HOSTILE },
    { kind: "workflow", text: HOSTILE },
  ],
  result: {
    source: HOSTILE,
    workflow: {
      ...WORKFLOW,
      name: HOSTILE,
      description: HOSTILE,
      nodes: WORKFLOW.nodes.map((node, index) =>
        Object.assign({}, node, { id: `${HOSTILE}${index}` }),
      ),
      edges: [],
    },
    problems: PROBLEMS.map((problem) =>
      Object.assign({}, problem, { message: HOSTILE, text: HOSTILE }),
    ),
    drawing: DRAWING,
  },
};

const MODELS = ["anthropic/claude-sonnet-5", "openai/gpt-5"];

function withFiles(view: MessageView): MessageView {
  const about = { hash: "", byteCount: 2_048 };
  const files = [
    { ...about, number: 1, name: "notes.md", mediaType: "text/plain" },
    { ...about, number: 2, name: "chart-of-the-last-quarter.png", mediaType: "image/png" },
  ];
  return view.message.role === "person" ? { ...view, message: { ...view.message, files } } : view;
}

const MARKDOWN = `# What it does

It reads *reviews*, **judges** them and writes \`sentiment\`. See [the format](https://docs.example/format) and [your runs](/runs).

## Steps

1. Read the reviews
   - [x] from a file
   - [ ] from an address
2. Judge each:

   \`\`\`python
   def judge(text: str) -> float:
       """One number."""
       return 0.5  # the middle
   \`\`\`

> Costs depend on the model.
> They are estimates.

| step | model | tokens | what it writes |
| --- | --- | --- | --- |
| read | | 0 | \`reviews: list[str]\` |
| judge | gpt-4o-mini | 1,200 | \`sentiment: float\`, between -1 and 1, with a reason in one sentence |

---

#### Mind this

${HOSTILE} \u202Egnp.exe\u202C ![a picture](https://x.example/i.png)`;

function code(language: string, text: string) {
  return { kind: "code", language, text, tokens: highlight(text, language) } as const;
}

function colouredMarkdown(): AnswerReading {
  return {
    parts: [
      { kind: "prose", text: MARKDOWN, blocks: parseMarkdown(MARKDOWN, highlight) },
      code("yaml", 'name: "reviews"  # in the list\nretries: 3\nfatal: true\n'),
      code("json", '{"name": "reviews", "count": 3, "tags": [null, true]}'),
      code("ts", "const count: number = 3; // all of them\nexport { count };"),
      code("sh", 'agents run reviews.yaml --input "file=$HOME/a.txt" # once'),
    ],
    result: undefined,
  };
}

function talk(
  phase: ChatPhase,
  messages: readonly MessageView[],
  {
    run: begun,
    view = "graph",
    refused = false,
    conflict,
    ...over
  }: Partial<Conversation> & {
    run?: PanelRun;
    view?: ResultView;
    refused?: boolean;
    conflict?: ConversationConflict;
  } = {},
): ChatCase["view"] {
  const shown = conversation({ isAnswering: phase === "answering", ...over });
  const beside = besideOf(messages);
  return (shell) => (
    <ConversationPage
      shell={shell(shown.title)}
      conversation={shown}
      shown={beside && (refused ? { ...beside, form: form({ errors: true }) } : beside)}
      run={begun}
      conflict={conflict}
      view={view}
      totals={{
        inputTokens: 4_280,
        outputTokens: 1_624,
        costNanoUsd: 37_200_000,
        unpricedCount: 0,
      }}
      phase={phase}
      messages={messages}
      position={3_200_000}
      older={phase === "answering" ? 7 : undefined}
      isNewest
      models={MODELS}
    />
  );
}

const CONFLICT: ConversationConflict = {
  error: {
    code: "conflict",
    message:
      'The workflow "article" was changed meanwhile: version 3 is newer than the one you began with.',
    fix: "Look at what is there now, then save again.",
  },
  change: {
    name: "article",
    versionNumber: 3,
    diff: diffTexts(version(3).source, version(3).source.replaceAll("article", "essay")),
  },
};

/** The workflow of the newest answer that has one. */
function besideOf(messages: readonly MessageView[]): PanelResult | undefined {
  const { message, reading, saved } =
    messages.findLast((view) => view.reading?.result !== undefined) ?? {};
  const result = reading?.result;
  if (message === undefined || result === undefined) return undefined;
  const canRun = result.workflow !== undefined;
  return {
    conversationId: ID,
    ordinal: message.ordinal,
    isByPerson: false,
    result,
    saved,
    places: editablePlaces(result.source),
    form: canRun ? form() : undefined,
    estimate: canRun ? { kind: "prompts", inputNanoUsd: 1_800_000, isPartial: false } : undefined,
  };
}

function begunRun(
  state: RunState,
  over: Partial<Run> = {},
  approvals: readonly PendingApproval[] = [],
): PanelRun {
  return {
    run: run(state, { id: `01kaechat${state.slice(0, 7)}`, ...over }),
    steps: steps(state),
    calls: calls(state),
    workflow: WORKFLOW,
    drawing: DRAWING,
    approvals,
    descendants: [],
  };
}

const TALK = [
  said(1, "Write an article about a topic.\nFirst an outline, then the text."),
  answered(2, {}, { reading: INVALID }),
  answered(3, { round: 1 }, { reading: VALID }),
];

const SAVED = { id: "01kae9article0000", versionNumber: 3, hash: HASH, isSame: true };
const AWAY: ServiceStatus = {
  name: "chat",
  state: "failed",
  pid: null,
  url: null,
  restartCount: 1,
  since: null,
  message: "Port 7860 for the chat is in use by process 4711 (python app.py).",
  fix: "Use --chat-port 7862, which is free, or end the process that holds port 7860.",
};

export const CHAT_CASES: readonly ChatCase[] = [
  {
    name: "chat",
    path: "/chat",
    view: (shell) => (
      <ChatPage
        shell={shell("Chat")}
        conversations={[
          conversation({ id: "01kaechat0000002", title: "Sum up mails", isAnswering: true }),
          conversation(),
          conversation({ id: "01kaechat0000003", title: HOSTILE, messageCount: 1 }),
        ]}
        next="01kaechat0000003"
        search=""
        models={MODELS}
        removed={{ id: "01kaechat0000009", title: HOSTILE }}
        draft={{
          text: "Why did this run fail, and what should be changed?",
          about: {
            kind: "run",
            name: "review_digest 01kaerun00000001",
            href: "/runs/01kaerun00000001",
            field: "run",
            value: "01kaerun00000001",
          },
        }}
      />
    ),
  },
  {
    name: "chat-empty",
    path: "/chat?empty",
    over: { demo: true },
    view: (shell) => (
      <ChatPage shell={shell("Chat")} conversations={[]} next={undefined} search="" models={[]} />
    ),
  },
  {
    name: "chat-found-nothing",
    path: "/chat?search=none",
    view: (shell) => (
      <ChatPage
        shell={shell("Chat")}
        conversations={[]}
        next={undefined}
        search="none"
        models={MODELS}
      />
    ),
  },
  { name: "chat-talk", path: `/chat/${ID}`, view: talk("idle", TALK) },
  { name: "chat-yaml", path: `/chat/${ID}?view=yaml`, view: talk("idle", TALK, { view: "yaml" }) },
  { name: "chat-form", path: `/chat/${ID}?view=form`, view: talk("idle", TALK, { view: "form" }) },
  {
    name: "chat-invalid",
    path: `/chat/${ID}?invalid`,
    view: talk("retry", TALK.slice(0, 2), { view: "yaml" }),
  },
  {
    name: "chat-run",
    path: `/chat/${ID}?view=run`,
    view: talk("idle", TALK, { run: begunRun("running"), view: "run" }),
  },
  {
    name: "chat-run-refused",
    path: `/chat/${ID}/runs`,
    view: talk("idle", TALK, { view: "run", refused: true }),
  },
  {
    name: "chat-run-asks",
    path: `/chat/${ID}?view=run&asks`,
    view: talk("idle", TALK, {
      run: begunRun("waiting", { waitingFor: "approval" }, [APPROVAL]),
      view: "run",
    }),
  },
  {
    name: "chat-run-failed",
    path: `/chat/${ID}?view=run&failed`,
    view: talk("idle", TALK, { run: begunRun("failed"), view: "run" }),
  },
  {
    name: "chat-run-hostile",
    path: `/chat/${ID}?view=run&hostile`,
    view: talk("idle", TALK, {
      run: begunRun("failed", {
        workflowName: HOSTILE,
        inputs: { [HOSTILE]: HOSTILE },
        values: { [HOSTILE]: HOSTILE },
        error: { code: "internal", message: HOSTILE, fix: HOSTILE, details: HOSTILE },
      }),
      view: "run",
    }),
  },
  {
    name: "chat-branches",
    path: `/chat/${ID}?branches`,
    view: talk("idle", [
      withFiles(said(1, "Sum up what is attached.")),
      answered(3, { siblings: [2, 3, 6], finish: "length", text: "Half of it" }),
    ]),
  },
  {
    name: "chat-answering",
    path: `/chat/${ID}?answering`,
    view: talk("answering", [
      ...TALK,
      said(4, "Shorter."),
      answered(5, {
        state: "streaming",
        text: "\nI will shorten the text to 300 w",
        omittedCount: 3,
        finishedAt: null,
      }),
    ]),
  },
  {
    name: "chat-conflict",
    path: `/chat/${ID}?conflict`,
    view: talk(
      "idle",
      [
        said(1, "Write an article."),
        answered(2, {}, { reading: VALID, saved: { ...SAVED, isSame: false } }),
      ],
      { conflict: CONFLICT },
    ),
  },
  {
    name: "chat-retry",
    path: `/chat/${ID}?retry`,
    view: talk("retry", [
      said(1, "Write an article."),
      answered(2, { state: "interrupted", costNanoUsd: null }),
      answered(3, { state: "stopped", costNanoUsd: null }),
      answered(4, { provider: "demo", model: "demo" }, { reading: VALID, saved: SAVED }),
      answered(5, {
        state: "failed",
        error: { code: "rate_limited", message: "Too fast.", fix: "Wait a minute." },
      }),
    ]),
  },
  {
    name: "chat-hostile",
    path: `/chat/${ID}?hostile`,
    view: talk(
      "retry",
      [
        said(1, HOSTILE),
        answered(2, { model: HOSTILE }, { reading: HOSTILE_READING }),
        answered(3, { state: "streaming", text: HOSTILE }),
        answered(4, {
          state: "failed",
          error: { code: "internal", message: HOSTILE, fix: HOSTILE, details: HOSTILE },
        }),
      ],
      { title: HOSTILE },
    ),
  },
  {
    name: "chat-markdown",
    path: `/chat/${ID}?markdown`,
    view: talk("idle", [
      said(1, "What **does** it do?"),
      answered(2, { text: MARKDOWN }, { reading: colouredMarkdown() }),
      answered(3, { text: MARKDOWN }, { reading: colouredMarkdown() }),
    ]),
  },
  {
    name: "chat-degraded",
    path: `/chat/${ID}?degraded`,
    over: { health: DEGRADED },
    view: talk("idle", TALK),
  },
  {
    name: "chat-list-degraded",
    path: "/chat?degraded",
    over: { health: DEGRADED },
    view: (shell) => (
      <ChatPage
        shell={shell("Chat")}
        conversations={[conversation()]}
        next={undefined}
        search=""
        models={MODELS}
      />
    ),
  },
  {
    name: "chat-away",
    path: "/chat?away",
    view: (shell) => <ChatAwayPage shell={shell("Chat")} service={AWAY} />,
  },
  ...CALL_CASES,
];
