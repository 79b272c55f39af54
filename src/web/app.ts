import { Hono } from "hono";
import { AppError } from "../domain/error.ts";
import { createAccess } from "./access.ts";
import { createBulkJobs } from "./bulk-jobs.ts";
import { createCsrf } from "./csrf.ts";
import type { WebDeps, WebServer } from "./deps.ts";
import { createErrorResponder } from "./error.ts";
import { createShell, type Kit, type WebEnv } from "./kit.ts";
import { bodyLimit } from "./middleware/body-limit.ts";
import { csrfCheck } from "./middleware/csrf-check.ts";
import { degradedMode } from "./middleware/degraded-mode.ts";
import { hostCheck } from "./middleware/host-check.ts";
import { loginGuard } from "./middleware/login-guard.ts";
import { originCheck } from "./middleware/origin-check.ts";
import { securityHeaders } from "./middleware/security-headers.ts";
import { streamGuard } from "./middleware/stream-guard.ts";
import { tokenCheck } from "./middleware/token-check.ts";
import { registerApi } from "./page/api.ts";
import { registerChatProxy } from "./page/chat.ts";
import { registerAgents } from "./page/agents.ts";
import { registerAssets } from "./page/asset.ts";
import { registerCompare } from "./page/compare.ts";
import { registerHealth } from "./page/health.ts";
import { registerHelp } from "./page/help.ts";
import { registerLogs } from "./page/logs.ts";
import { registerLogin } from "./page/login.ts";
import { registerMemory } from "./page/memory.ts";
import { registerMetrics } from "./page/metrics.ts";
import { registerRun } from "./page/run.ts";
import { registerRunParts } from "./page/run-parts.ts";
import { registerRuns } from "./page/runs.ts";
import { registerSchedules } from "./page/schedules.ts";
import { registerSearch } from "./page/search.ts";
import { registerSettings } from "./page/settings.ts";
import { registerShortApi } from "./page/short-api.ts";
import { registerStatus } from "./page/status.ts";
import { registerTheme } from "./page/theme.ts";
import { registerWorkflowAssist } from "./page/workflow-assist.ts";
import { registerWorkflowEditor } from "./page/workflow-editor.ts";
import { registerWorkflowVersions } from "./page/workflow-versions.ts";
import { registerTokens } from "./page/tokens.ts";
import { registerWorkflows } from "./page/workflows.ts";
import { createSessions } from "./session.ts";
import { createStreamHub, STREAM_LIMITS } from "./sse.ts";
import { createThrottle, TOKEN_LIMITS } from "./throttle.ts";
import { createWorkflowReader } from "./workflow-reader.ts";

export interface WebApp {
  fetch(request: Request, server?: WebServer): Response | Promise<Response>;
  /** What is registered; a test walks it, so that no route is without a scenario. */
  readonly routes: readonly { readonly method: string; readonly path: string }[];
  /** Ends all live connections. */
  close(): void;
}

/** The dashboard: reads and starts, never executes a step. For `Bun.serve`; it never rejects. */
export function createWebApp(deps: WebDeps): WebApp {
  const access = createAccess({ ...deps, sessions: createSessions(deps) });
  const csrf = createCsrf(deps);
  const shell = createShell(deps, { csrf, access });
  const hub = createStreamHub({
    clock: deps.clock,
    changes: deps.changes,
    limits: deps.streamLimits ?? STREAM_LIMITS,
    reportError: deps.reportError,
  });
  const bulkJobs = createBulkJobs(deps);
  const kit: Kit = {
    deps,
    bulkJobs,
    access,
    hub,
    shell,
    throttle: createThrottle(deps.clock),
    reader: createWorkflowReader(deps.knownTools),
  };

  const app = new Hono<WebEnv>({ strict: false });
  app.onError(createErrorResponder({ shell, reportError: deps.reportError }));
  app.notFound(() => {
    throw new AppError("not_found", "There is no such page.", { fix: "Check the address." });
  });

  // The order matters: what is refused early costs little and reads nothing.
  app.use(securityHeaders());
  app.use(hostCheck(deps));
  app.use(originCheck());
  app.use(bodyLimit());
  app.use(tokenCheck({ ...deps, access, throttle: createThrottle(deps.clock, TOKEN_LIMITS) }));
  app.use(loginGuard(access));
  app.use(streamGuard(access));
  // Before the rest, because the chat checks its forms and its database itself.
  registerChatProxy(app, kit);
  app.use(csrfCheck(csrf));
  app.use(degradedMode(deps.health));

  registerHealth(app, kit);
  registerAssets(app);
  registerTheme(app);
  registerLogin(app, kit);
  registerStatus(app, kit);
  // Before the others, as "new" and "preview" are no ids.
  registerWorkflowAssist(app, kit);
  registerWorkflowEditor(app, kit);
  registerWorkflows(app, kit);
  registerSchedules(app, kit);
  registerWorkflowVersions(app, kit);
  registerRuns(app, kit);
  registerCompare(app, kit);
  registerRun(app, kit);
  registerRunParts(app, kit);
  registerAgents(app, kit);
  registerMemory(app, kit);
  registerMetrics(app, kit);
  registerLogs(app, kit);
  registerSettings(app, kit);
  registerSearch(app, kit);
  registerHelp(app, kit);
  registerTokens(app, kit);
  registerApi(app, kit);
  registerShortApi(app, kit);

  // What the last end has interrupted.
  bulkJobs.goOn();
  return {
    fetch: (request, server) => app.fetch(request, { server, request }),
    routes: app.routes.filter((route) => route.method !== "ALL"),
    close() {
      bulkJobs.close();
      hub.close();
    },
  };
}
