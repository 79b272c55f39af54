import type { MiddlewareHandler } from "hono";
import type { DatabaseHealth } from "../../domain/service.ts";
import { degradedError } from "../error.ts";
import { API_PREFIX, PATTERNS } from "../routes.ts";
import { isUnsafe } from "./origin-check.ts";

/**
 * These write cookies, not the database, or nothing at all. The editor says by itself that nothing can be saved,
 * and keeps the text.
 */
const PATHS_ALLOWED: ReadonlySet<string> = new Set([
  PATTERNS.theme,
  PATTERNS.helpShortcuts,
  PATTERNS.login,
  PATTERNS.logout,
  PATTERNS.workflowNew,
  PATTERNS.workflowPreview,
  PATTERNS.workflowCompletions,
  PATTERNS.workflowHover,
  `${API_PREFIX}/validations`,
]);
const EDIT_PATH = /^\/workflows\/[^/]+\/edit$/;

/** While the database cannot be written: refuses changes with the reason, lets reads through. */
export function degradedMode(health: () => DatabaseHealth): MiddlewareHandler {
  return async (c, next) => {
    const current = health();
    const isAllowed = PATHS_ALLOWED.has(c.req.path) || EDIT_PATH.test(c.req.path);
    const isChange = isUnsafe(c.req.method) && !isAllowed;
    if (current.state === "degraded" && isChange) throw degradedError(current);
    await next();
  };
}
