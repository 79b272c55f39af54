/** Tool calls of the chat in all their states, on a page of their own. */
import type { JSX } from "hono/jsx/jsx-runtime";
import type { ChatCall } from "../../src/domain/conversation.ts";
import { diffTexts } from "../../src/lib/diff.ts";
import { Layout } from "../../views/layout.tsx";
import {
  CALL_FORM_ID,
  CallCard,
  type CallView,
  type RunPlan,
  type SavePlan,
} from "../../views/part/call-card.tsx";
import { PostForm } from "../../views/part/form.tsx";
import { PageHead } from "../../views/part/panel.tsx";
import type { Shell } from "../../views/shell.ts";
import { DRAWING, HOSTILE, version, WORKFLOW } from "./fixtures.ts";

const SOURCE = version(3).source;
export const HASH = "ab".repeat(32);

export function call(over: Partial<ChatCall> = {}): ChatCall {
  return {
    number: 1,
    callId: "toolu_01",
    tool: "read_run",
    arguments: { run: "01kae9run0000042" },
    state: "done",
    result: "Run 01kae9run0000042 of article: failed.\nError: rate_limited: Too fast.",
    link: "/runs/01kae9run0000042",
    approvedAt: null,
    seen: null,
    ...over,
  };
}

const SAVE: SavePlan = {
  kind: "save",
  source: SOURCE,
  workflow: WORKFLOW,
  drawing: DRAWING,
  before: {
    versionNumber: 2,
    hash: HASH,
    diff: diffTexts(SOURCE, SOURCE.replaceAll("article", "essay")),
  },
};
const RUN: RunPlan = {
  kind: "run",
  workflow: { id: "01kae9article0000", name: "article", versionNumber: 3, hash: HASH },
  inputs: [
    { name: "topic", value: "Tides and how they are forecast" },
    { name: "sources", value: ["https://example.com/tides", "https://example.com/moon"] },
  ],
  defaultCount: 2,
  estimate: {
    kind: "past",
    runCount: 14,
    averageNanoUsd: 12_300_000,
    minNanoUsd: 9_800_000,
    maxNanoUsd: 20_100_000,
    isLowerBound: false,
  },
};
const ASKED = { state: "asked", result: null, link: null } as const;

function view(number: number, over: Partial<ChatCall>, more: Partial<CallView> = {}): CallView {
  return { call: call({ number, ...over }), ordinal: 2, asks: false, ...more };
}

const saving = { tool: "save_workflow", arguments: { yaml: SOURCE } } as const;
const running = { tool: "run_workflow", arguments: { workflow: "article", inputs: {} } } as const;

const READ: readonly CallView[] = [
  view(1, {}),
  view(2, { tool: "list_workflows", arguments: {}, result: "- article", link: null }),
  view(3, { tool: "list_tools", arguments: {}, state: "begun", result: null, link: null }),
  view(4, {
    tool: "read_workflow",
    arguments: { workflow: "artcle" },
    state: "failed",
    link: null,
  }),
];
const OPEN: readonly CallView[] = [
  view(5, { ...saving, ...ASKED }, { asks: true, plan: SAVE }),
  view(6, { ...saving, ...ASKED }, { asks: true, plan: { ...SAVE, before: undefined } }),
  view(7, { ...running, ...ASKED }, { asks: true, plan: RUN }),
  view(
    8,
    { ...running, ...ASKED },
    {
      asks: true,
      plan: { ...RUN, inputs: [], defaultCount: 1, estimate: { kind: "unknown" } },
    },
  ),
  view(9, { ...running, ...ASKED }, { asks: true, problem: "There is no workflow article." }),
];
const DECIDED: readonly CallView[] = [
  view(
    10,
    { ...saving, result: "Saved as version 3 of article.", link: "/workflows/01kae9article0000" },
    { asks: true },
  ),
  view(11, { ...running, state: "begun", result: null, link: null }, { asks: true, plan: RUN }),
  view(
    12,
    { ...running, state: "declined", result: "The person declined. Nothing was done.", link: null },
    { asks: true },
  ),
  view(
    13,
    {
      ...saving,
      state: "failed",
      result: "The workflow is not valid.\n- error, line 4, column 3: There is no node revise.",
      link: null,
    },
    { asks: true },
  ),
];
const HOSTILE_CALLS: readonly CallView[] = [
  view(14, { tool: HOSTILE, arguments: { [HOSTILE]: HOSTILE }, result: HOSTILE }),
  view(15, { arguments: HOSTILE, result: HOSTILE, link: `javascript:${HOSTILE}` }),
  view(
    16,
    { ...running, ...ASKED, arguments: HOSTILE },
    {
      asks: true,
      problem: HOSTILE,
      plan: {
        ...RUN,
        workflow: { id: HOSTILE, name: HOSTILE, versionNumber: 1, hash: HASH },
        inputs: [{ name: HOSTILE, value: HOSTILE }],
        estimate: { kind: "unknown", problem: HOSTILE },
      },
    },
  ),
  view(
    17,
    { ...saving, ...ASKED },
    {
      asks: true,
      plan: {
        ...SAVE,
        source: HOSTILE,
        workflow: { ...WORKFLOW, name: HOSTILE, description: HOSTILE },
        before: { versionNumber: 1, hash: HASH, diff: diffTexts(SOURCE, HOSTILE) },
      },
    },
  ),
];

function page(calls: readonly CallView[], writable = true) {
  return (shell: (title: string) => Shell): JSX.Element => {
    const shown = shell("What the model asks for");
    return (
      <Layout shell={shown}>
        <PageHead crumb="Chat" title="What the model asks for" />
        {writable ? (
          <PostForm
            action="/chat/01kaechat0000001/decisions"
            csrf={shown.csrf}
            id={CALL_FORM_ID}
          ></PostForm>
        ) : null}
        <ol class="messages">
          <li class="message model">
            <h2 class="message-head">Answer</h2>
            {calls.map((one) => (
              <CallCard {...one} writable={writable} />
            ))}
          </li>
        </ol>
      </Layout>
    );
  };
}

const PATH = "/chat/01kaechat0000001";

export const CALL_CASES = [
  { name: "chat-calls", path: `${PATH}?calls`, view: page([...READ, ...OPEN]) },
  { name: "chat-calls-decided", path: `${PATH}?decided`, view: page(DECIDED) },
  { name: "chat-calls-degraded", path: `${PATH}?readonly`, view: page(OPEN, false) },
  { name: "chat-calls-hostile", path: `${PATH}?calls-hostile`, view: page(HOSTILE_CALLS) },
] as const;
