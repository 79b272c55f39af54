/**
 * Which page is looked at in which states. `looks.test.ts` fails for a page of the app without an entry,
 * and for a case of `pages.tsx` that no entry names; `tests/browser/look.test.ts` looks at each of them with script and
 * without, light and dark, on desktop, phone and 320 px.
 */

/** Names of cases in `pages.tsx`, or why the page has no such state. */
type Cases = readonly string[] | string;

export interface Look {
  readonly full: readonly string[];
  readonly empty: Cases;
  /** `DEGRADED_FULL`: the full case with a database that cannot be written. */
  readonly degraded: Cases;
  /** What was refused, has failed or is not there. */
  readonly error: Cases;
}

/** The first full case again, with a degraded database. It is made from that case. */
export const DEGRADED_FULL = "the full case, degraded";

/** Name of the case that is made for `DEGRADED_FULL`. */
export const degradedName = (full: string) => `${full}-degraded`;

/** Cases that stand for every page: they may be named by more than one. */
export const SHARED_CASES: readonly string[] = ["not-found", "error"];

export const LOOKS: Readonly<Record<string, Look>> = {
  "/": {
    full: ["status"],
    empty: ["status-empty"],
    degraded: ["status-degraded"],
    error: ["error"],
  },
  "/workflows": {
    full: ["workflows"],
    empty: ["workflows-empty", "workflows-filtered"],
    degraded: ["workflows-degraded"],
    error: ["error"],
  },
  "/workflows/new": {
    full: ["editor-new", "editor-from-chat", "editor-ask"],
    empty: ["editor-empty"],
    degraded: ["editor-degraded"],
    error: ["error"],
  },
  "/workflows/:id": {
    full: ["workflow", "workflow-graph"],
    empty: "a workflow without runs is among the broken ones",
    degraded: DEGRADED_FULL,
    error: ["workflow-form-errors", "workflow-broken", "not-found"],
  },
  "/workflows/:id/edit": {
    full: ["editor-conflict"],
    empty: "there is no workflow without a text",
    degraded: DEGRADED_FULL,
    error: ["editor-refused", "editor-gone", "not-found"],
  },
  "/workflows/:id/versions/:number": {
    full: ["workflow-version"],
    empty: "a version has a text",
    degraded: DEGRADED_FULL,
    error: ["workflow-version-refused", "workflow-version-broken", "not-found"],
  },
  "/workflows/:id/diff": {
    full: ["workflow-diff", "workflow-diff-split"],
    empty: ["workflow-diff-same"],
    degraded: DEGRADED_FULL,
    error: ["not-found"],
  },
  "/runs": {
    full: ["runs", "runs-filtered"],
    empty: ["runs-empty", "runs-partial"],
    degraded: ["runs-degraded"],
    error: ["error"],
  },
  "/runs/bulk/:id": {
    full: ["bulk-done", "bulk-running", "bulk-asked"],
    empty: ["bulk-none"],
    degraded: DEGRADED_FULL,
    error: ["not-found"],
  },
  "/runs/compare": {
    full: ["compare"],
    empty: ["compare-empty"],
    degraded: DEGRADED_FULL,
    error: ["compare-missing"],
  },
  "/runs/:id": {
    full: [
      "run-succeeded",
      "run-running",
      "run-waiting",
      "run-cancelled",
      "run-approval",
      "run-graph",
      "run-map",
      "run-inner",
      "run-budget",
      "run-long",
      "run-large",
      "run-hostile",
    ],
    empty: ["run-queued"],
    degraded: DEGRADED_FULL,
    error: ["run-failed", "run-signal", "not-found"],
  },
  "/runs/:id/steps": {
    full: ["run-steps"],
    empty: ["run-steps-empty"],
    degraded: DEGRADED_FULL,
    error: ["not-found"],
  },
  "/runs/:id/steps/:key": {
    full: ["run-step"],
    empty: "a step has begun",
    degraded: DEGRADED_FULL,
    error: ["not-found"],
  },
  "/runs/:id/trace": {
    full: ["run-trace", "run-trace-items"],
    empty: ["run-trace-empty"],
    degraded: DEGRADED_FULL,
    error: ["not-found"],
  },
  "/runs/:id/items": {
    full: ["run-items"],
    empty: ["run-items-empty"],
    degraded: DEGRADED_FULL,
    error: ["not-found"],
  },
  "/runs/:id/log": {
    full: ["run-log"],
    empty: ["run-log-empty"],
    degraded: DEGRADED_FULL,
    error: ["not-found"],
  },
  "/runs/:id/forks": {
    full: ["run-fork"],
    empty: "a form",
    degraded: DEGRADED_FULL,
    error: ["run-fork-refused"],
  },
  "/schedules": {
    full: ["schedules"],
    empty: ["schedules-empty"],
    degraded: ["schedules-degraded"],
    error: ["error"],
  },
  "/schedules/:id": {
    full: ["schedule"],
    empty: "a form",
    degraded: DEGRADED_FULL,
    error: ["not-found"],
  },
  "/workflows/:id/schedules": {
    full: ["schedule-refused"],
    empty: "a form",
    degraded: DEGRADED_FULL,
    error: ["schedule-broken"],
  },
  "/metrics": {
    full: ["metrics"],
    empty: ["metrics-empty"],
    degraded: DEGRADED_FULL,
    error: ["metrics-refused"],
  },
  "/logs": {
    full: ["logs", "logs-filtered"],
    empty: ["logs-empty"],
    degraded: DEGRADED_FULL,
    error: ["error"],
  },
  "/memory": {
    full: ["memory"],
    empty: ["memory-empty"],
    degraded: DEGRADED_FULL,
    error: ["memory-hostile"],
  },
  "/chat": {
    full: ["chat"],
    empty: ["chat-empty", "chat-found-nothing"],
    degraded: ["chat-list-degraded"],
    error: ["chat-away"],
  },
  "/chat/:id": {
    full: [
      "chat-talk",
      "chat-answering",
      "chat-markdown",
      "chat-yaml",
      "chat-form",
      "chat-run",
      "chat-run-asks",
      "chat-branches",
      "chat-calls",
      "chat-calls-decided",
    ],
    empty: "a conversation begins with what a person wrote",
    degraded: ["chat-degraded", "chat-calls-degraded"],
    error: [
      "chat-conflict",
      "chat-invalid",
      "chat-run-refused",
      "chat-run-failed",
      "chat-run-hostile",
      "chat-retry",
      "chat-hostile",
      "chat-calls-hostile",
      "not-found",
    ],
  },
  "/agents": {
    full: ["agents"],
    empty: ["agents-empty", "agents-nothing"],
    degraded: ["agents-degraded"],
    error: ["agents-refused"],
  },
  "/agents/:id": {
    full: ["agent-0", "agent-1", "agent-2"],
    empty: "an agent has said who it is",
    degraded: DEGRADED_FULL,
    error: ["agent-hostile", "not-found"],
  },
  "/search": {
    full: ["search"],
    empty: ["search-empty"],
    degraded: DEGRADED_FULL,
    error: ["error"],
  },
  "/help": {
    full: ["help", "help-off"],
    empty: "its text is part of the product",
    degraded: DEGRADED_FULL,
    error: "nothing of it can fail",
  },
  "/settings": {
    full: ["settings-full", "settings", "restart"],
    empty: "it shows what holds by default",
    degraded: ["settings-full-degraded", "settings-degraded"],
    error: ["settings-refused", "settings-degraded"],
  },
  "/settings/tokens": {
    full: ["tokens", "tokens-made"],
    empty: ["tokens-empty"],
    degraded: ["tokens-degraded"],
    error: ["tokens-refused"],
  },
  "/api": {
    full: ["api", "api-search"],
    empty: ["api-nothing"],
    degraded: DEGRADED_FULL,
    error: ["error"],
  },
  "/login": {
    full: ["login"],
    empty: "a form",
    degraded: "nothing of the database is told to who has not logged in",
    error: ["login"],
  },
};
