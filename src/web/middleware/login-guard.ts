import type { MiddlewareHandler } from "hono";
import { AppError } from "../../domain/error.ts";
import type { Access } from "../access.ts";
import { wantsPage } from "../error.ts";
import { isApiPath } from "../problem.ts";
import { pathTo, PATTERNS } from "../routes.ts";
import { isUnsafe } from "./origin-check.ts";

/** Needed before there is a session, or by probes that cannot have one; none of them shows data. */
const PATHS_OPEN: ReadonlySet<string> = new Set([
  PATTERNS.login,
  PATTERNS.theme,
  PATTERNS.favicon,
  PATTERNS.health,
  PATTERNS.liveness,
  PATTERNS.readiness,
]);

/** Lets nobody in without a session where the address can be reached from other machines. */
export function loginGuard(access: Pick<Access, "isAllowed">): MiddlewareHandler {
  return async (c, next) => {
    const isOpen = PATHS_OPEN.has(c.req.path) || c.req.path.startsWith("/assets/");
    if (isOpen || access.isAllowed(c)) {
      await next();
      return undefined;
    }
    const url = new URL(c.req.url);
    const back = isUnsafe(c.req.method) ? undefined : url.pathname + url.search;
    if (wantsPage(c) && !isApiPath(c.req.path)) return c.redirect(pathTo.login(back), 303);
    throw new AppError("unauthorized", "You are not logged in.", {
      fix: isApiPath(c.req.path)
        ? "Send a token as `Authorization: Bearer TOKEN`; the page Settings, Tokens makes one."
        : "Log in, then try again.",
    });
  };
}
