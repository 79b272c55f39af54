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
  settingsKeyRemovals: "/settings/keys/removals",
  settingsChecks: "/settings/checks",
  settingsValues: "/settings/values",
  settingsSessions: "/settings/sessions",
  settingsRestart: "/settings/restart",
  backups: "/settings/backups",
  backupUploads: "/settings/backups/uploads",
  backup: "/settings/backups/:name",
  backupDeletion: "/settings/backups/:name/deletion",
  backupRestorations: "/settings/backups/:name/restorations",
  settingsPassword: "/settings/password",
  search: "/search",
  help: "/help",
  helpShortcuts: "/help/shortcuts",
  tokens: "/settings/tokens",
  tokenRevocation: "/settings/tokens/:id/revocation",
  apiReference: "/api",
  shortStart: "/api/workflows/start/:id",
  shortStop: "/api/workflows/stop/:id",
  shortRestart: "/api/workflows/restart/:id",
  shortStream: "/api/workflows/stream/:id",
  shortWorkflow: "/api/workflows/:id",
  shortAgents: "/api/agents",
  shortAgent: "/api/agents/:id",
  theme: "/theme",
  login: "/login",
  logout: "/logout",
  asset: "/assets/:name",
  favicon: "/favicon.ico",
  health: "/health",
  liveness: "/health/liveness",
  readiness: "/health/readiness",
} as const;

/** What programs use; its addresses are in the document that it answers with. */
export const API_PREFIX = "/api/v1";

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
  tokens: () => PATTERNS.tokens,
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
