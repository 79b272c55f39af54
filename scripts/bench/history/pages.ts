/** What is measured of the dashboard: a new page is one line here. */
import type { PathOf } from "./measure.ts";
import { type History, wordOf } from "./seed.ts";

/** Every list and page that reads what grows, by what a table of results calls it. */
export const PAGES: Readonly<Record<string, PathOf>> = {
  "status, 24 hours": () => "/",
  "status, 7 days": () => "/?range=7d",
  workflows: () => "/workflows",
  "workflows, search": () => "/workflows?search=article",
  workflow: (history) => `/workflows/${history.workflowId}`,
  runs: () => "/runs",
  "runs, failed": () => "/runs?state=failed",
  "runs, cancelled": () => "/runs?state=cancelled",
  "runs, waiting": () => "/runs?state=waiting",
  "runs, last week": () => "/runs?range=7d",
  "runs, of a workflow": (history) => `/runs?workflow=${history.workflowId}`,
  "runs, dearest": () => "/runs?order=dearest",
  "runs, by a common word": () => "/runs?search=ada",
  "runs, by a rare word": (_, turn) => `/runs?search=${wordOf(turn)}`,
  "runs, by workflow's name": () => "/runs?search=article",
  "runs, by nothing that is there": () => "/runs?search=zebra",
  "runs, by an id": (history, turn) => `/runs?search=${sample(history, "article", turn)}`,
  "runs, from the middle on": (history, turn) => `/runs?before=${sample(history, "review", turn)}`,
  "run, one step": (history, turn) => `/runs/${sample(history, "greeting", turn)}`,
  "run, two steps": (history, turn) => `/runs/${sample(history, "article", turn)}`,
  "run, failed": (history, turn) => `/runs/${sample(history, "failed", turn)}`,
  "run, waiting for an approval": (history, turn) => `/runs/${sample(history, "asks", turn)}`,
  "run, 200 items and 1,000 events": (history, turn) => `/runs/${sample(history, "big", turn)}`,
  "run, its steps": (history, turn) => `/runs/${sample(history, "big", turn)}/steps`,
  "run, its trace": (history, turn) => `/runs/${sample(history, "big", turn)}/trace`,
  "run, its trace's items": (history, turn) =>
    `/runs/${sample(history, "big", turn)}/trace?map=rate&from=100`,
  "run, its items": (history, turn) => `/runs/${sample(history, "big", turn)}/items?map=rate`,
  "run, one step of it": (history, turn) => `/runs/${sample(history, "article", turn)}/steps/write`,
  "run, its log": (history, turn) => `/runs/${sample(history, "big", turn)}/log`,
  "two runs compared": (history, turn) =>
    `/runs/compare?a=${sample(history, "article", turn)}&b=${sample(history, "article", turn + 1)}`,
  memory: () => "/memory",
  "memory, of an agent": () => "/memory?agent=assistant_1",
  "memory, search": () => "/memory?search=tea",
  "metrics, a day": () => "/metrics?range=24h",
  "metrics, a month": () => "/metrics?range=30d",
  logs: () => "/logs",
  schedules: () => "/schedules",
  agents: () => "/agents",
  "search for everything": () => "/search?q=article",
  help: () => "/help",
  "API reference": () => "/api",
  editor: (history) => `/workflows/${history.workflowId}/edit`,
  chat: () => "/chat",
  settings: () => "/settings",
};

/** What programs read. */
export const DATA: Readonly<Record<string, PathOf>> = {
  "run, download": (history, turn) => `/runs/${sample(history, "article", turn)}.json`,
  "API, runs": () => "/api/v1/runs",
  "API, failed runs": () => "/api/v1/runs?state=failed",
  "API, steps": (history, turn) => `/api/v1/runs/${sample(history, "article", turn)}/steps`,
  "API, events": (history, turn) => `/api/v1/runs/${sample(history, "big", turn)}/events`,
  "API, workflows": () => "/api/v1/workflows",
  "API, approvals": () => "/api/v1/approvals",
  "API, memories": () => "/api/v1/memories",
  "API, metrics": () => "/api/v1/metrics",
  "API, status": () => "/api/v1/status",
  health: () => "/health",
};

function sample({ samples }: History, kind: string, turn: number): string {
  const ids = samples.get(kind) ?? [];
  const id = ids[turn % ids.length];
  if (id === undefined) throw new Error(`no run of kind ${kind}`);
  return id;
}

/** Pages whose stream tells of a run that goes on. */
export const STREAMS: Readonly<Record<string, PathOf>> = {
  "status, 24 hours": () => "/status/stream",
  "run, one step": (history, turn) => `/runs/${sample(history, "running", turn)}/stream`,
};
