import { type Context, Hono } from "hono";
import { AppError } from "../../domain/error.ts";
import { TOOL_NAMES } from "../../domain/tool.ts";
import type { ChangeSignal } from "../../domain/run.ts";
import { isLoopback } from "../../lib/loopback.ts";
import type { WebApp } from "../app.ts";
import { createCsrf } from "../csrf.ts";
import { createErrorResponder } from "../error.ts";
import { isForwarded } from "../forwarded.ts";
import { createShell, type WebContext, type WebEnv } from "../kit.ts";
import { bodyLimit } from "../middleware/body-limit.ts";
import { csrfCheck } from "../middleware/csrf-check.ts";
import { degradedMode } from "../middleware/degraded-mode.ts";
import { hostCheck } from "../middleware/host-check.ts";
import { loginGuard } from "../middleware/login-guard.ts";
import { isUnsafe, originCheck } from "../middleware/origin-check.ts";
import { securityHeaders } from "../middleware/security-headers.ts";
import { registerAssets } from "../page/asset.ts";
import { registerTheme } from "../page/theme.ts";
import { pathTo } from "../routes.ts";
import { createStreamHub, STREAM_LIMITS } from "../sse.ts";
import { createWorkflowReader } from "../workflow-reader.ts";
import { createAbandonedWatch } from "./abandoned.ts";
import { createAnswers } from "./answers.ts";
import { stateBefore, viewCall } from "./call-view.ts";
import type { ChatDeps } from "./deps.ts";
import { registerChat } from "./pages.ts";
import { createAnswerReader } from "./reading.ts";

export interface ChatApp extends Omit<WebApp, "close"> {
  /** Ends the live connections, then all answers as interrupted. */
  close(): Promise<void>;
}

/**
 * The chat's own web app. It is reached through the dashboard, whose cookies count here, and on an
 * address of its own where no login is needed. What it does not have is at the dashboard.
 */
export function createChatApp(deps: ChatDeps): ChatApp {
  const needsLogin = !isLoopback(deps.dashboard.host);
  const isLetIn = (c: WebContext) => isForwarded(c, deps.secretKey);
  const access = {
    needsLogin,
    isAllowed: (c: WebContext) => !needsLogin || isLetIn(c),
  };
  const csrf = createCsrf({ secretKey: deps.secretKey, port: () => deps.dashboard.port });
  const shell = createShell(deps, { csrf, access });
  const bell = createBell(deps.changes);
  const hub = createStreamHub({
    clock: deps.clock,
    changes: bell,
    limits: deps.streamLimits ?? STREAM_LIMITS,
    reportError: deps.reportError,
  });
  const reader = createAnswerReader(async () => (await deps.facts()).tools.map(({ name }) => name));
  const workflowReader = createWorkflowReader(TOOL_NAMES);
  const answers = createAnswers({ ...deps, reader, onChange: bell.ring });
  const abandoned = createAbandonedWatch({ ...deps, isActive: (id) => answers.isActive(id) });

  const app = new Hono<WebEnv>({ strict: false });
  app.onError(createErrorResponder({ shell, reportError: deps.reportError }));
  app.notFound((c) => elsewhere(c, deps));

  // The same order as in the dashboard, which leaves the CSRF token and the database to this app.
  app.use(securityHeaders((c) => dashboardOrigin(c, deps)));
  app.use(hostCheck({ ...deps, otherPorts: [deps.dashboard.port], isTrusted: isLetIn }));
  app.use(originCheck());
  app.use(bodyLimit());
  app.use(loginGuard(access));
  app.use(csrfCheck(csrf));
  app.use(degradedMode(deps.health));

  registerAssets(app);
  registerTheme(app);
  app.get("/", (c) => c.redirect(pathTo.chat(), 302));
  registerChat(app, {
    deps,
    hub,
    shell,
    answers,
    reader,
    result: { ...deps, reader, workflowReader },
    stateBefore: (call) => stateBefore({ ...deps, reader: workflowReader }, call),
    viewCall: (ordinal, call) => viewCall({ ...deps, reader: workflowReader }, ordinal, call),
    abandoned,
    notify: bell.ring,
    conversations: deps.conversations,
    workflows: deps.workflows,
  });

  return {
    fetch: (request, server) => app.fetch(request, { server, request }),
    routes: app.routes.filter((route) => route.method !== "ALL"),
    async close() {
      hub.close();
      await answers.close();
    },
  };
}

/** Rings for what the store does not have yet, and for what any process has stored. */
function createBell(stored: ChangeSignal): ChangeSignal & { readonly ring: () => void } {
  const listeners = new Set<() => void>();
  return {
    ring() {
      for (const listener of listeners) listener();
    },
    onChange(listener) {
      const entry = () => listener();
      const stopListening = stored.onChange(entry);
      listeners.add(entry);
      return () => {
        listeners.delete(entry);
        stopListening();
      };
    },
  };
}

/** Every other page is the dashboard's: sends the browser there, also one that fetches by script. */
function elsewhere(c: WebContext, deps: ChatDeps): Response {
  if (isUnsafe(c.req.method)) {
    throw new AppError("not_found", "There is no such page.", { fix: "Check the address." });
  }
  const { pathname, search } = new URL(c.req.url);
  const url = dashboardOrigin(c, deps) + pathname + search;
  if (c.req.header("HX-Request") === undefined) return c.redirect(url, 302);
  return c.body(null, 200, { "HX-Redirect": url });
}

/** The dashboard by the name that the browser has for this machine, where it has that name too. */
function dashboardOrigin(c: Context, { dashboard }: ChatDeps): string {
  const hasOwnName = isLoopback(dashboard.host) || /^(?:0\.0\.0\.0|::)$/.test(dashboard.host);
  const name = hasOwnName ? new URL(c.req.url).hostname : dashboard.host;
  const host = name.includes(":") && !name.startsWith("[") ? `[${name}]` : name;
  return `http://${host}:${dashboard.port}`;
}
