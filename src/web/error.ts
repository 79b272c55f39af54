import type { Context } from "hono";
import { ErrorFragment, ErrorPage } from "../../views/error.tsx";
import type { Shell } from "../../views/shell.ts";
import { AppError, ERROR_CODES, type ErrorCode, type ErrorRecord } from "../domain/error.ts";
import type { DatabaseHealth } from "../domain/service.ts";
import { isProgram } from "./program.ts";
import {
  isApiPath,
  problemAnswer,
  problemBody,
  RequestProblem,
  requestProblem,
  TITLES,
} from "./problem.ts";
import { html } from "./render.ts";
import { API_PREFIX, pathTo } from "./routes.ts";

/** True when the answer should be a whole page: not a program, not a part that htmx swaps. */
export function wantsPage(c: Context): boolean {
  return !wantsJson(c) && !wantsFragment(c);
}

/** A boosted link says `HX-Request` too, but replaces the whole page. */
export function wantsFragment(c: Context): boolean {
  return c.req.header("HX-Request") !== undefined && c.req.header("HX-Request-Type") !== "full";
}

function wantsJson(c: Context): boolean {
  if (isApiPath(c.req.path)) return c.req.path.startsWith(API_PREFIX) || !wantsFragment(c);
  const accept = c.req.header("Accept") ?? "";
  const asksJson = /\bapplication\/(?:problem\+)?json\b/.test(accept);
  return (asksJson && !accept.includes("text/html")) || isProgram(c);
}

/** The failure that a write gets in degraded mode. */
export function degradedError(health: DatabaseHealth & { state: "degraded" }): AppError {
  const { code, message, fix } = health;
  const known = isErrorCode(code) && ERROR_CODES[code].status === 503;
  return new AppError(known ? code : "unavailable", message, { fix });
}

function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(ERROR_CODES, code);
}

/**
 * The one translator from a failure to an HTTP answer: a page, the fragment that htmx asked for, or
 * problem details (RFC 9457). What is not expected is logged under an id, and only the id is shown.
 */
export function createErrorResponder(deps: {
  shell: (c: Context, title: string) => Shell;
  reportError: (error: unknown) => void;
}): (error: unknown, c: Context) => Response | Promise<Response> {
  return (error, c) => {
    if (error instanceof RequestProblem) return requestProblem(c, error);
    const failure = AppError.from(error);
    const { status } = ERROR_CODES[failure.code];
    const record = failure.code === "internal" ? hide(error, deps.reportError) : failure.toRecord();
    if (failure.retryAfterMs !== undefined) {
      c.header("Retry-After", String(Math.ceil(failure.retryAfterMs / 1000)));
    }
    if (failure.code === "unauthorized") {
      c.header("HX-Redirect", pathTo.login());
      if (isApiPath(c.req.path)) c.header("WWW-Authenticate", 'Bearer realm="agents"');
    }
    if (wantsJson(c)) return problemAnswer(c, problemBody(status, record), status);
    if (wantsFragment(c)) return html(c, ErrorFragment({ error: record }), status);
    const title = TITLES[status] ?? "Error";
    const page = ErrorPage({ shell: deps.shell(c, title), error: record, status });
    return html(c, page, status);
  };
}

function hide(error: unknown, reportError: (error: unknown) => void): ErrorRecord {
  const id = crypto.randomUUID().slice(0, 8);
  reportError(new Error(`request failed, error ${id}`, { cause: error }));
  return {
    code: "internal",
    message: "Internal error.",
    fix: `Try again; if it stays, look for error ${id} in the log and report it.`,
  };
}
