/** Every address of the web app. Handlers register PATTERNS; links and redirects use `pathTo`. */

export const PATTERNS = {
  status: "/",
  statusStream: "/status/stream",
  workflows: "/workflows",
  workflowExample: "/workflows/examples/:name",
  workflow: "/workflows/:id",
  workflowRuns: "/workflows/:id/runs",
  workflowDeletion: "/workflows/:id/deletion",
  workflowSchedules: "/workflows/:id/schedules",
  schedules: "/schedules",
  scheduleTimes: "/schedules/times",
  scheduleRestorations: "/schedules/restorations",
  schedule: "/schedules/:id",
  scheduleState: "/schedules/:id/state",
  scheduleRuns: "/schedules/:id/runs",
  scheduleDeletion: "/schedules/:id/deletion",
  runs: "/runs",
  runFile: "/runs/:file{[^/]+\\.json}",
  run: "/runs/:id",
  runStream: "/runs/:id/stream",
  runCancellation: "/runs/:id/cancellation",
  runReruns: "/runs/:id/reruns",
  runResumptions: "/runs/:id/resumptions",
  runRetries: "/runs/:id/retries",
  runDecisions: "/runs/:id/decisions",
  agents: "/agents",
  agentStream: "/agents/stream",
  agentRegistration: "/agents/register",
  agentRestorations: "/agents/restorations",
  agent: "/agents/:id",
  agentHeartbeat: "/agents/:id/heartbeat",
  agentChecks: "/agents/:id/checks",
  agentDeletion: "/agents/:id/deletion",
  memory: "/memory",
  memoryEntry: "/memory/:id",
  memoryDeletion: "/memory/:id/deletion",
  memoryRestorations: "/memory/restorations",
  memoryClearance: "/memory/clearance",
  chat: "/chat",
  chatStream: "/chat/stream",
  conversationFile: "/chat/:id/:file{[^/]+\\.yaml}",
  conversation: "/chat/:id",
  conversationStream: "/chat/:id/stream",
  conversationMessages: "/chat/:id/messages",
  conversationAnswers: "/chat/:id/answers",
  conversationCancellation: "/chat/:id/cancellation",
  conversationWorkflows: "/chat/:id/workflows",
  conversationDeletion: "/chat/:id/deletion",
  settings: "/settings",
  settingsKeys: "/settings/keys",
  settingsChecks: "/settings/checks",
  settingsPassword: "/settings/password",
  search: "/search",
  help: "/help",
  helpShortcuts: "/help/shortcuts",
  theme: "/theme",
  login: "/login",
  logout: "/logout",
  asset: "/assets/:name",
  favicon: "/favicon.ico",
  health: "/health",
  liveness: "/health/liveness",
  readiness: "/health/readiness",
} as const;

/** What the chat process answers, and the dashboard passes on to it. */
export const CHAT_ROUTES: readonly (readonly [method: "GET" | "POST", pattern: string])[] = [
  ["GET", PATTERNS.chat],
  ["POST", PATTERNS.chat],
  ["GET", PATTERNS.chatStream],
  ["GET", PATTERNS.conversation],
  ["GET", PATTERNS.conversationStream],
  ["GET", PATTERNS.conversationFile],
  ["POST", PATTERNS.conversationMessages],
  ["POST", PATTERNS.conversationAnswers],
  ["POST", PATTERNS.conversationCancellation],
  ["POST", PATTERNS.conversationWorkflows],
  ["POST", PATTERNS.conversationDeletion],
];

export const pathTo = {
  status: () => PATTERNS.status,
  workflows: () => PATTERNS.workflows,
  workflow: (id: string) => `/workflows/${encodeURIComponent(id)}`,
  schedules: () => PATTERNS.schedules,
  schedule: (id: string) => `/schedules/${encodeURIComponent(id)}`,
  runs: () => PATTERNS.runs,
  run: (id: string) => `/runs/${encodeURIComponent(id)}`,
  agents: () => PATTERNS.agents,
  agent: (id: string) => `/agents/${encodeURIComponent(id)}`,
  memory: () => PATTERNS.memory,
  chat: () => PATTERNS.chat,
  conversation: (id: string) => `/chat/${encodeURIComponent(id)}`,
  settings: () => PATTERNS.settings,
  help: () => PATTERNS.help,
  login: (next?: string) =>
    next === undefined ? PATTERNS.login : `${PATTERNS.login}?next=${encodeURIComponent(next)}`,
};

/** Where a form may send the browser back to: a path of this site, else the status page. */
export function localPath(text: string | undefined): string {
  const base = "http://local.invalid";
  if (text === undefined || !text.startsWith("/") || !URL.canParse(text, base))
    return PATTERNS.status;
  const url = new URL(text, base);
  // `/.//host` is a path of this site until it is normalised; as an address it names another host.
  if (url.origin !== base || url.pathname.startsWith("//")) return PATTERNS.status;
  return url.pathname + url.search;
}
