/** Every page in the states that matter, by name. Used by the tests and by `scripts/shots.ts`. */
import type { JSX } from "hono/jsx/jsx-runtime";
import { ApiPage } from "../../views/api.tsx";
import { ErrorPage } from "../../views/error.tsx";
import { LogsPage } from "../../views/logs.tsx";
import { LoginPage } from "../../views/login.tsx";
import { MetricsPage } from "../../views/metrics.tsx";
import { MemoryPage } from "../../views/memory.tsx";
import { BulkPage } from "../../views/bulk.tsx";
import { ComparePage } from "../../views/compare.tsx";
import { NO_QUERY } from "../../views/part/runs-query.ts";
import { progressOf } from "../../views/part/run-progress.ts";
import {
  ForkPage,
  ItemsPage,
  LogPage,
  SignalPage,
  StepPage,
  StepsPage,
} from "../../views/run-parts.tsx";
import { RunPage } from "../../views/run.tsx";
import { TracePage } from "../../views/run-trace.tsx";
import { RunsPage } from "../../views/runs.tsx";
import { SettingsPage } from "../../views/settings.tsx";
import { StatusPage } from "../../views/status.tsx";
import { diffTexts } from "../../src/lib/diff.ts";
import { AskPage } from "../../views/workflow-ask.tsx";
import { EditorPage } from "../../views/workflow-editor.tsx";
import { DiffPage, VersionPage } from "../../views/workflow-version.tsx";
import { TokensPage } from "../../views/tokens.tsx";
import { WorkflowPage } from "../../views/workflow.tsx";
import { WorkflowsPage } from "../../views/workflows.tsx";
import type { PendingApproval, Run, RunState } from "../../src/domain/run.ts";
import type { Shell, Theme } from "../../views/shell.ts";
import { API_REFERENCE, TOKENS } from "./api-fixtures.ts";
import { DEGRADED_FULL, degradedName, LOOKS } from "./looks.ts";
import { CHAT_CASES } from "./chat-fixtures.tsx";
import {
  BULK_CASES,
  COMPARED,
  FORK_PAGE,
  ITEMS_PAGE,
  LARGE_RUN,
  LOG_PAGE,
  RUNS,
  STEP_PAGE,
  STEPS_PAGE,
  TRACE_ITEMS_PAGE,
  TRACE_PAGE,
} from "./run-fixtures.ts";
import { DESK_CASES, SETTINGS } from "./desk-cases.tsx";
import { GRAPH_DRAWING, GRAPH_RUNS, GRAPH_WORKFLOW } from "./graph-fixtures.ts";
import { SCHEDULE_CASES, SCHEDULES } from "./schedule-fixtures.tsx";
import { VERSION_DIFF } from "./version-fixtures.ts";
import {
  CHECK,
  CHECK_REFUSED,
  figures,
  FILTER,
  call,
  calls,
  DEGRADED,
  events,
  EXAMPLES,
  form,
  HOSTILE,
  logEvents,
  PROBLEMS,
  PROVIDERS,
  record,
  run,
  SERVICES,
  SERVICES_FAILED,
  shell as baseShell,
  STATUS_EMPTY,
  STATUS_FULL,
  step,
  steps,
  VALUES,
  version,
  APPROVAL,
  DRAWING,
  HOSTILE_MEMORY,
  MEMORIES,
  MEMORY,
  WORKFLOW,
  WORKFLOWS,
} from "./fixtures.ts";
import {
  LOG_LINES,
  LOGS_ALL,
  METRICS_EMPTY,
  METRICS_FULL,
  METRICS_HOSTILE,
} from "./metrics-fixtures.ts";

const TOKEN_FORM = { name: "", scope: "read", days: "90" } as const;

export interface PageCase {
  readonly name: string;
  readonly path: string;
  render(theme: Theme): Promise<string>;
  /** The same page while the database cannot be written. */
  degraded(): PageCase;
}

/** The HTML of a view. */
export async function text(view: JSX.Element): Promise<string> {
  return (await view).toString();
}

type View = (shell: (title: string) => Shell) => JSX.Element;

function page(name: string, path: string, options: Partial<Shell> & { view: View }): PageCase {
  const { view, ...over } = options;
  return {
    name,
    path,
    render: (theme) => text(view((title) => baseShell({ title, path, theme, ...over }))),
    degraded() {
      const place = `${path}${path.includes("?") ? "&" : "?"}degraded`;
      return page(degradedName(name), place, { ...options, health: DEGRADED });
    },
  };
}

function runCase(
  state: RunState,
  over: Partial<Run> = {},
  approvals: readonly PendingApproval[] = [],
): PageCase {
  const descendants = state === "failed" ? [run("succeeded", { id: "01kae9x7mfork000" })] : [];
  const item = run(state, { id: `01kae9x7m0${state.slice(0, 6)}`, ...over });
  return page(`run-${state}`, `/runs/${item.id}`, {
    view: (shell) => (
      <RunPage
        shell={shell(item.workflowName)}
        run={item}
        steps={steps(state)}
        calls={calls(state)}
        events={events(item.id, state === "queued" ? [{ type: "run.queued" }] : logEvents())}
        workflow={WORKFLOW}
        drawing={DRAWING}
        approvals={approvals}
        descendants={descendants}
      />
    ),
  });
}

export const HOSTILE_RUN = run("failed", {
  id: "01kae9x7mhostile",
  workflowName: HOSTILE,
  nodeIds: [HOSTILE, "draft#2[5]"],
  doneNodeIds: [HOSTILE],
  inputs: { [HOSTILE]: HOSTILE },
  values: { [HOSTILE]: HOSTILE, result: { [HOSTILE]: HOSTILE } },
  error: { code: "internal", message: HOSTILE, fix: HOSTILE, details: HOSTILE },
});

const CASES: readonly PageCase[] = [
  page("status", "/", {
    view: (shell) => <StatusPage shell={shell("Status")} status={STATUS_FULL} />,
  }),
  page("status-empty", "/?empty", {
    demo: true,
    view: (shell) => <StatusPage shell={shell("Status")} status={STATUS_EMPTY} />,
  }),
  page("status-degraded", "/?degraded", {
    health: DEGRADED,
    needsLogin: true,
    view: (shell) => (
      <StatusPage
        shell={shell("Status")}
        status={{ ...STATUS_FULL, services: SERVICES_FAILED, runs: [] }}
      />
    ),
  }),
  page("workflows", "/workflows", {
    view: (shell) => (
      <WorkflowsPage
        shell={shell("Workflows")}
        workflows={WORKFLOWS}
        filter={FILTER}
        next="01kae9nested00000"
        examples={EXAMPLES}
        notice="The workflow haiku was deleted."
      />
    ),
  }),
  page("workflows-empty", "/workflows?empty", {
    demo: true,
    view: (shell) => (
      <WorkflowsPage
        shell={shell("Workflows")}
        workflows={[]}
        filter={FILTER}
        next={undefined}
        examples={EXAMPLES}
      />
    ),
  }),
  page("workflows-filtered", "/workflows?search=zebra&result=never", {
    view: (shell) => (
      <WorkflowsPage
        shell={shell("Workflows")}
        workflows={[]}
        filter={{ search: "zebra", result: "never", order: "cost", after: "01kae9nested00000" }}
        next={undefined}
        examples={EXAMPLES}
      />
    ),
  }),
  page("workflows-degraded", "/workflows?degraded", {
    health: DEGRADED,
    view: (shell) => (
      <WorkflowsPage
        shell={shell("Workflows")}
        workflows={WORKFLOWS}
        filter={FILTER}
        next={undefined}
        examples={EXAMPLES}
      />
    ),
  }),
  page("editor-new", "/workflows/new", {
    view: (shell) => (
      <EditorPage
        shell={shell("New workflow")}
        record={undefined}
        check={CHECK}
        base={{ hash: "", name: "" }}
        examples={EXAMPLES}
      />
    ),
  }),
  page("editor-from-chat", "/workflows/new?conversation=01kaechat0000001&message=2", {
    view: (shell) => (
      <EditorPage
        shell={shell("New workflow")}
        record={undefined}
        check={CHECK}
        base={{ hash: "", name: "" }}
        conversation={{ id: "01kaechat0000001", title: "Sum up mails, and answer those that ask." }}
        examples={[]}
      />
    ),
  }),
  page("editor-ask", "/workflows/new?ask", {
    view: (shell) => (
      <AskPage
        shell={shell("Ask the chat")}
        record={undefined}
        check={CHECK_REFUSED}
        base={{ hash: "", name: "" }}
      />
    ),
  }),
  page("editor-empty", "/workflows/new?empty", {
    view: (shell) => (
      <EditorPage
        shell={shell("New workflow")}
        record={undefined}
        check={{ ...CHECK_REFUSED, source: "", problems: [] }}
        base={{ hash: "", name: "" }}
        refusal={{ kind: "failed", message: "There is nothing to save.", fix: "Write a text." }}
        examples={[]}
      />
    ),
  }),
  page("editor-refused", "/workflows/01kae9article0000/edit", {
    view: (shell) => (
      <EditorPage
        shell={shell("Edit article_writer")}
        record={record()}
        check={{ ...CHECK_REFUSED, canAsk: true }}
        base={{ hash: "3f2c1a7be04d5566", name: "article_writer" }}
        refusal={{ kind: "problems" }}
        examples={[]}
      />
    ),
  }),
  page("editor-conflict", "/workflows/01kae9article0000/edit?conflict", {
    view: (shell) => (
      <EditorPage
        shell={shell("Edit article_writer")}
        record={record()}
        check={{ ...CHECK, target: { kind: "taken", record: record() } }}
        base={{ hash: "3f2c1a7be04d5566", name: "article_writer" }}
        refusal={{
          kind: "conflict",
          theirs: record(),
          diff: diffTexts(CHECK.source, CHECK.source.replace("article", "essay")),
        }}
        examples={[]}
      />
    ),
  }),
  page("editor-gone", "/workflows/01kae9article0000/edit?gone", {
    view: (shell) => (
      <EditorPage
        shell={shell("New workflow")}
        record={undefined}
        check={{ ...CHECK, target: { kind: "renamed", from: "essay" } }}
        base={{ hash: "", name: "" }}
        refusal={{ kind: "conflict", theirs: undefined, diff: diffTexts("", "") }}
        examples={[]}
      />
    ),
  }),
  page("editor-degraded", "/workflows/new?degraded", {
    health: DEGRADED,
    view: (shell) => (
      <EditorPage
        shell={shell("New workflow")}
        record={undefined}
        check={CHECK}
        base={{ hash: "", name: "" }}
        examples={[]}
      />
    ),
  }),
  page("workflow-version", "/workflows/01kae9article0000/versions/2", {
    view: (shell) => (
      <VersionPage
        shell={shell("article_writer, version 2")}
        record={record()}
        version={version(2)}
        problems={PROBLEMS}
        form={form()}
      />
    ),
  }),
  page("workflow-version-refused", "/workflows/01kae9article0000/versions/2?refused", {
    view: (shell) => (
      <VersionPage
        shell={shell("article_writer, version 2")}
        record={record()}
        version={version(2)}
        problems={[]}
        form={form({ errors: true })}
      />
    ),
  }),
  page("workflow-version-broken", "/workflows/01kae9article0000/versions/1", {
    view: (shell) => (
      <VersionPage
        shell={shell("article_writer, version 1")}
        record={record()}
        version={version(1)}
        problems={PROBLEMS}
        form={undefined}
      />
    ),
  }),
  page("workflow-diff", "/workflows/01kae9article0000/diff?from=1&to=3", {
    view: (shell) => (
      <DiffPage
        shell={shell("Changes of article_writer")}
        record={record()}
        versions={[version(3), version(2), version(1)]}
        {...VERSION_DIFF}
        split={false}
      />
    ),
  }),
  page("workflow-diff-split", "/workflows/01kae9article0000/diff?from=1&to=3&view=split", {
    view: (shell) => (
      <DiffPage
        shell={shell("Changes of article_writer")}
        record={record()}
        versions={[version(3), version(2), version(1)]}
        {...VERSION_DIFF}
        split
      />
    ),
  }),
  page("workflow-diff-same", "/workflows/01kae9article0000/diff?from=3&to=3", {
    view: (shell) => (
      <DiffPage
        shell={shell("Changes of article_writer")}
        record={record()}
        versions={[version(3), version(2), version(1)]}
        {...VERSION_DIFF}
        diff={diffTexts("", "")}
        split
      />
    ),
  }),
  page("workflow", "/workflows/01kae9article0000", {
    view: (shell) => (
      <WorkflowPage
        shell={shell("article_writer")}
        record={record()}
        workflow={WORKFLOW}
        drawing={DRAWING}
        problems={PROBLEMS.slice(2)}
        runs={STATUS_FULL.runs.slice(0, 3)}
        schedules={SCHEDULES}
        figures={figures(["succeeded", "failed", "succeeded"])}
        drawn={{ run: STATUS_FULL.runs[0] ?? run("succeeded"), steps: steps("succeeded") }}
        saved="new"
        versions={[version(3), version(2), version(1)]}
        form={form()}
      />
    ),
  }),
  page("workflow-form-errors", "/workflows/01kae9article0000?errors", {
    view: (shell) => (
      <WorkflowPage
        shell={shell("article_writer")}
        record={record()}
        workflow={WORKFLOW}
        drawing={DRAWING}
        problems={[]}
        runs={[]}
        schedules={[]}
        figures={figures([])}
        versions={[version(3)]}
        form={form({ errors: true, provider: "demo" })}
      />
    ),
  }),
  page("workflow-broken", "/workflows/01kae9article0000?broken", {
    view: (shell) => (
      <WorkflowPage
        shell={shell("article_writer")}
        record={record({ description: null })}
        workflow={undefined}
        drawing={undefined}
        problems={PROBLEMS}
        runs={[]}
        schedules={[]}
        figures={figures([])}
        versions={[version(3)]}
        form={form()}
      />
    ),
  }),
  page("runs", "/runs", {
    view: (shell) => (
      <RunsPage
        {...RUNS}
        shell={shell("Runs")}
        runs={STATUS_FULL.runs}
        next="01kae9x7m5ee55ee"
        progress={
          new Map([
            [STATUS_FULL.runs[0]?.id ?? "", progressOf(run("running"), { ahead: ["write"] })],
          ])
        }
      />
    ),
  }),
  page("runs-filtered", "/runs?state=failed&workflow=w&range=custom", {
    view: (shell) => (
      <RunsPage
        {...RUNS}
        shell={shell("Runs")}
        runs={STATUS_FULL.runs.slice(0, 2)}
        query={{
          states: ["failed", "cancelled"],
          workflow: WORKFLOWS[0]?.listing.id ?? "",
          range: "custom",
          from: "2026-11-19T08:00",
          to: "",
          search: "green tea",
          cost: "0.5",
          order: "dearest",
        }}
        problems={['The time "yesterday" cannot be read: write it as 2026-11-20T14:00.']}
        before="5~x"
        newer="6~y"
        next="4~z"
        isPartial={true}
      />
    ),
  }),
  page("runs-empty", "/runs?state=failed&search=zebra", {
    view: (shell) => (
      <RunsPage
        {...RUNS}
        shell={shell("Runs")}
        query={{ ...NO_QUERY, states: ["failed"], search: "zebra" }}
      />
    ),
  }),
  page("runs-partial", "/runs?search=zebra", {
    view: (shell) => (
      <RunsPage
        {...RUNS}
        shell={shell("Runs")}
        query={{ ...NO_QUERY, search: "zebra" }}
        next="01kae9x7m5ee55ee"
        isPartial={true}
      />
    ),
  }),
  page("runs-degraded", "/runs?degraded", {
    health: DEGRADED,
    view: (shell) => <RunsPage {...RUNS} shell={shell("Runs")} runs={STATUS_FULL.runs} />,
  }),
  ...BULK_CASES.map(({ name, job }) =>
    page(name, `/runs/bulk/${job.id}?${name}`, {
      view: (shell) => <BulkPage shell={shell("Runs")} job={job} />,
    }),
  ),
  page("compare", "/runs/compare?a=x&b=y", {
    view: (shell) => <ComparePage {...COMPARED} shell={shell("Compare")} />,
  }),
  page("compare-empty", "/runs/compare", {
    view: (shell) => (
      <ComparePage
        {...COMPARED}
        shell={shell("Compare")}
        ids={{ a: "", b: "" }}
        comparison={undefined}
      />
    ),
  }),
  page("compare-missing", "/runs/compare?b=nothing", {
    view: (shell) => (
      <ComparePage
        {...COMPARED}
        shell={shell("Compare")}
        ids={{ a: "", b: "nothing" }}
        comparison={undefined}
        problem="There is no run nothing. Choose one of the list."
      />
    ),
  }),
  page("run-steps-empty", "/runs/01kae9x7m0v3t5hq/steps?before=1", {
    view: (shell) => (
      <StepsPage {...STEPS_PAGE} shell={shell("Steps")} cards={[]} earlier={undefined} />
    ),
  }),
  page("run-trace", "/runs/01kae9x7m0v3t5hq/trace?before=900", {
    view: (shell) => <TracePage {...TRACE_PAGE} shell={shell("Trace")} />,
  }),
  page("run-trace-items", "/runs/01kae9x7m0v3t5hq/trace?map=draft&from=50", {
    view: (shell) => <TracePage {...TRACE_ITEMS_PAGE} shell={shell("Trace")} />,
  }),
  page("run-trace-empty", "/runs/01kae9x7m0v3t5hq/trace?before=1", {
    view: (shell) => (
      <TracePage
        {...TRACE_PAGE}
        shell={shell("Trace")}
        steps={[]}
        calls={[]}
        maps={[]}
        earlier={undefined}
        later={undefined}
      />
    ),
  }),
  page("run-items-empty", "/runs/01kae9x7m0v3t5hq/items?map=draft&from=9000", {
    view: (shell) => <ItemsPage {...ITEMS_PAGE} shell={shell("Items")} items={[]} from={9_000} />,
  }),
  page("run-fork-refused", "/runs/01kae9x7m0v3t5hq/forks", {
    view: (shell) => (
      <ForkPage {...FORK_PAGE} shell={shell("Fork")} fields={form({ errors: true }).fields} />
    ),
  }),
  page("run-step", "/runs/01kae9x7m0v3t5hq/steps/draft", {
    view: (shell) => <StepPage {...STEP_PAGE} shell={shell("draft")} />,
  }),
  page("run-steps", "/runs/01kae9x7m0v3t5hq/steps", {
    view: (shell) => <StepsPage {...STEPS_PAGE} shell={shell("Steps")} />,
  }),
  page("run-items", "/runs/01kae9x7m0v3t5hq/items?map=draft", {
    view: (shell) => <ItemsPage {...ITEMS_PAGE} shell={shell("Items")} />,
  }),
  page("run-log", "/runs/01kae9x7m0v3t5hq/log", {
    view: (shell) => <LogPage {...LOG_PAGE} shell={shell("Log")} />,
  }),
  page("run-log-empty", "/runs/01kae9x7m0v3t5hq/log?level=error", {
    view: (shell) => (
      <LogPage
        {...LOG_PAGE}
        shell={shell("Log")}
        events={[]}
        query={{ level: "error", step: "draft" }}
      />
    ),
  }),
  page("run-fork", "/runs/01kae9x7m0v3t5hq/forks?from=draft", {
    view: (shell) => <ForkPage {...FORK_PAGE} shell={shell("Fork")} />,
  }),
  page("run-signal", "/runs/01kae9x7m0v3t5hq/signals", {
    view: (shell) => (
      <SignalPage
        shell={shell("Signal")}
        run={run("waiting")}
        form={{ name: "", payload: "{", nameError: "A signal needs a name." }}
        error={undefined}
      />
    ),
  }),
  page("run-large", "/runs/01kae9x7mlarge00", {
    view: (shell) => <RunPage {...LARGE_RUN} shell={shell(LARGE_RUN.run.workflowName)} />,
  }),
  runCase("queued"),
  runCase("running"),
  runCase("waiting"),
  runCase("succeeded"),
  runCase("failed"),
  runCase("cancelled", { origin: { kind: "fork", runId: "01kae9x7m0v3t5hq", step: "write" } }),
  page("run-approval", "/runs/01kae9x7mapprove", {
    view: (shell) => {
      const item = run("waiting", { id: "01kae9x7mapprove", waitingFor: "approval", dueAt: null });
      return (
        <RunPage
          shell={shell(item.workflowName)}
          run={item}
          steps={steps("waiting")}
          calls={[]}
          events={events(item.id, [{ type: "run.waiting", for: "approval", untilMs: null }])}
          workflow={WORKFLOW}
          drawing={DRAWING}
          approvals={[APPROVAL]}
          descendants={[]}
        />
      );
    },
  }),
  ...Object.entries(GRAPH_RUNS).map(([name, detail]) =>
    page(name, `/runs/${detail.run.id}`, {
      view: (shell) => <RunPage {...detail} shell={shell(detail.run.workflowName)} />,
    }),
  ),
  page("workflow-graph", "/workflows/01kae9graph00000", {
    view: (shell) => (
      <WorkflowPage
        shell={shell("review_desk")}
        record={record()}
        workflow={GRAPH_WORKFLOW}
        drawing={GRAPH_DRAWING}
        problems={[]}
        runs={[]}
        schedules={[]}
        figures={figures([])}
        versions={[version(1)]}
        form={form()}
      />
    ),
  }),
  page("memory", "/memory", {
    view: (shell) => <MemoryPage {...MEMORY} shell={shell("Memory")} removed={MEMORIES[0]} />,
  }),
  page("memory-empty", "/memory?empty", {
    view: (shell) => (
      <MemoryPage {...MEMORY} shell={shell("Memory")} memories={[]} agents={[]} next={undefined} />
    ),
  }),
  page("memory-hostile", "/memory?hostile", {
    view: (shell) => (
      <MemoryPage
        {...MEMORY}
        shell={shell("Memory")}
        memories={[{ ...HOSTILE_MEMORY, id: HOSTILE }]}
        agents={[{ agent: HOSTILE, count: 1 }]}
        filter={{ agent: HOSTILE, search: HOSTILE }}
        error={{ code: "invalid", message: HOSTILE }}
      />
    ),
  }),
  page("run-hostile", "/runs/01kae9x7mhostile", {
    view: (shell) => (
      <RunPage
        shell={shell(HOSTILE)}
        run={HOSTILE_RUN}
        steps={[step(HOSTILE, { patch: { [HOSTILE]: HOSTILE } })]}
        calls={[call(HOSTILE, 0, { name: HOSTILE, request: HOSTILE, result: HOSTILE })]}
        events={events(HOSTILE_RUN.id, [
          { type: "run.started", worker: HOSTILE },
          {
            type: "model.started",
            step: HOSTILE,
            attempt: 1,
            call: 0,
            provider: HOSTILE,
            model: HOSTILE,
          },
          { type: "model.delta", step: HOSTILE, attempt: 1, call: 0, text: HOSTILE },
        ])}
        workflow={WORKFLOW}
        drawing={DRAWING}
        approvals={[{ ...APPROVAL, key: HOSTILE, message: HOSTILE }]}
        descendants={[]}
      />
    ),
  }),
  page("settings", "/settings", {
    view: (shell) => (
      <SettingsPage
        shell={shell("Settings")}
        providers={PROVIDERS}
        values={VALUES}
        dataDir="/home/ada/.local/share/agents"
        databaseBytes={18_300_000}
        {...SETTINGS}
        passwordSet={true}
        services={SERVICES}
        notice="The key for Google Gemini was saved."
      />
    ),
  }),
  page("settings-degraded", "/settings?degraded", {
    health: DEGRADED,
    view: (shell) => (
      <SettingsPage
        shell={shell("Settings")}
        providers={PROVIDERS}
        values={VALUES}
        dataDir="/home/ada/.local/share/agents"
        databaseBytes={null}
        {...SETTINGS}
        passwordSet={false}
        services={[]}
        error={{ code: "key_rejected", message: "The key was rejected.", fix: "Paste a new one." }}
      />
    ),
  }),
  ...SCHEDULE_CASES.map(({ name, path, over, view }) => page(name, path, { ...over, view })),
  page("tokens", "/settings/tokens", {
    view: (shell) => (
      <TokensPage shell={shell("Tokens")} tokens={TOKENS} form={TOKEN_FORM} isRevoked={true} />
    ),
  }),
  page("tokens-made", "/settings/tokens?made=1", {
    view: (shell) => (
      <TokensPage
        shell={shell("Tokens")}
        tokens={TOKENS.slice(0, 1)}
        form={TOKEN_FORM}
        made={{
          name: "Continuous integration",
          token: "agents_0123456789abcdefghijklmnopqrstuvwxyzABCDEFG",
        }}
      />
    ),
  }),
  page("tokens-empty", "/settings/tokens?empty", {
    view: (shell) => <TokensPage shell={shell("Tokens")} tokens={[]} form={TOKEN_FORM} />,
  }),
  page("tokens-refused", "/settings/tokens?refused", {
    view: (shell) => (
      <TokensPage
        shell={shell("Tokens")}
        tokens={[]}
        form={{ name: " ", scope: "admin", days: "", nameError: "Write who uses it." }}
        error={{ code: "limit_reached", message: "There are too many.", fix: "Revoke some." }}
      />
    ),
  }),
  page("tokens-degraded", "/settings/tokens?degraded", {
    health: DEGRADED,
    view: (shell) => <TokensPage shell={shell("Tokens")} tokens={TOKENS} form={TOKEN_FORM} />,
  }),
  page("api", "/api", {
    view: (shell) => (
      <ApiPage shell={shell("API")} reference={API_REFERENCE} search="" needsToken={false} />
    ),
  }),
  page("api-search", "/api?search=start", {
    view: (shell) => (
      <ApiPage shell={shell("API")} reference={API_REFERENCE} search="start" needsToken={true} />
    ),
  }),
  page("api-nothing", "/api?search=nothing", {
    view: (shell) => (
      <ApiPage shell={shell("API")} reference={API_REFERENCE} search="zebra" needsToken={true} />
    ),
  }),
  ...CHAT_CASES.map(({ name, path, over, view }) => page(name, path, { ...over, view })),
  ...DESK_CASES.map(({ name, path, over, view }) => page(name, path, { ...over, view })),
  page("metrics", "/metrics", {
    view: (shell) => <MetricsPage shell={shell("Metrics")} metrics={METRICS_FULL} />,
  }),
  page("metrics-empty", "/metrics?empty", {
    demo: true,
    view: (shell) => <MetricsPage shell={shell("Metrics")} metrics={METRICS_EMPTY} />,
  }),
  page("metrics-refused", "/metrics?refused", {
    health: DEGRADED,
    view: (shell) => <MetricsPage shell={shell("Metrics")} metrics={METRICS_HOSTILE} />,
  }),
  page("logs", "/logs", {
    view: (shell) => (
      <LogsPage
        shell={shell("Logs")}
        filter={LOGS_ALL}
        services={["chat", "dashboard", "worker-1"]}
        lines={LOG_LINES}
        next="1795184000000-1"
        lookedToMs={undefined}
        fault={undefined}
      />
    ),
  }),
  page("logs-empty", "/logs?empty", {
    view: (shell) => (
      <LogsPage
        shell={shell("Logs")}
        filter={LOGS_ALL}
        services={[]}
        lines={[]}
        next={undefined}
        lookedToMs={undefined}
        fault={undefined}
      />
    ),
  }),
  page("logs-filtered", "/logs?filtered", {
    health: DEGRADED,
    view: (shell) => (
      <LogsPage
        shell={shell("Logs")}
        filter={{
          ...LOGS_ALL,
          source: "worker-1",
          runId: "01kae9x7m0v3t5hq",
          level: "warn",
          text: HOSTILE,
          to: "2026-11-20T14:30",
          before: "1795184000000-1",
        }}
        services={["chat", "dashboard", "worker-1"]}
        lines={LOG_LINES.slice(0, 3)}
        next="1795184000000-2"
        lookedToMs={1_795_184_000_000}
        fault="Write times as 2026-11-20T14:30. Shown are the newest lines."
      />
    ),
  }),
  page("login", "/login", {
    view: (shell) => (
      <LoginPage
        shell={shell("Log in")}
        error={{ code: "unauthorized", message: "This password is wrong." }}
        next="/runs"
      />
    ),
  }),
  page("not-found", "/nowhere", {
    view: (shell) => (
      <ErrorPage
        shell={shell("Not found")}
        error={{
          code: "not_found",
          message: "There is no run with this id.",
          fix: "Look for it in the list of runs.",
        }}
        status={404}
      />
    ),
  }),
  page("error", "/broken", {
    view: (shell) => (
      <ErrorPage
        shell={shell("Internal error")}
        error={{
          code: "internal",
          message: "Internal error.",
          fix: "Try again; if it stays, look for error 1a2b3c4d in the log and report it.",
          details: "error 1a2b3c4d",
        }}
        status={500}
      />
    ),
  }),
];

const DEGRADED_CASES = new Set(
  Object.values(LOOKS).flatMap(({ full, degraded }) =>
    degraded === DEGRADED_FULL ? full.slice(0, 1) : [],
  ),
);

export const PAGES: readonly PageCase[] = CASES.concat(
  CASES.filter(({ name }) => DEGRADED_CASES.has(name)).map((found) => found.degraded()),
);
