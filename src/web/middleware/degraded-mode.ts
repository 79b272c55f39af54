import type { MiddlewareHandler } from "hono";
import type { DatabaseHealth } from "../../domain/service.ts";
import { degradedError } from "../error.ts";
import { API_PREFIX, PATTERNS } from "../routes.ts";
import { isUnsafe } from "./origin-check.ts";

/** These write cookies or nothing, not the database. */
const PATHS_ALLOWED: ReadonlySet<string> = new Set([
  PATTERNS.theme,
  PATTERNS.helpShortcuts,
  PATTERNS.login,
  PATTERNS.logout,
  `${API_PREFIX}/validations`,
]);

/** While the database cannot be written: refuses changes with the reason, lets reads through. */
export function degradedMode(health: () => DatabaseHealth): MiddlewareHandler {
  return async (c, next) => {
    const current = health();
    const isChange = isUnsafe(c.req.method) && !PATHS_ALLOWED.has(c.req.path);
    if (current.state === "degraded" && isChange) throw degradedError(current);
    await next();
  };
}
