/** What the handlers share. */
import type { Context } from "hono";
import { assetUrl } from "../../views/assets.ts";
import type { BannerProps } from "../../views/part/banner.tsx";
import type { Shell, Theme } from "../../views/shell.ts";
import { AppError, isUnavailable } from "../domain/error.ts";
import type { DatabaseHealth } from "../domain/service.ts";
import type { Access } from "./access.ts";
import { readCookie } from "./cookie.ts";
import type { Csrf } from "./csrf.ts";
import type { BulkJobs } from "./bulk-jobs.ts";
import type { WebDeps, WebServer } from "./deps.ts";
import { isUnsafe } from "./middleware/origin-check.ts";
import { localPath, pathTo } from "./routes.ts";
import type { StreamHub } from "./sse.ts";
import type { Throttle } from "./throttle.ts";
import type { WorkflowReader } from "./workflow-reader.ts";

export interface WebEnv {
  Bindings: {
    readonly server: WebServer | undefined;
    /** As it came in: the context may hold a copy of it, which the server does not know. */
    readonly request: Request;
  };
  Variables: {
    /** Why a part of this page could not be read. */
    trouble: DatabaseHealth | undefined;
  };
}
export type WebContext = Context<WebEnv>;

export interface Kit {
  readonly deps: WebDeps;
  readonly access: Access;
  readonly hub: StreamHub;
  readonly bulkJobs: BulkJobs;
  /** For everything that checks a password. */
  readonly throttle: Throttle;
  readonly reader: WorkflowReader;
  readonly shell: (c: WebContext, title: string) => Shell;
}

export const THEME_COOKIE = "agents-theme";
export const SHORTCUTS_COOKIE = "agents-shortcuts";
const THEMES: readonly Theme[] = ["auto", "light", "dark"];

export function isTheme(text: string | undefined): text is Theme {
  return THEMES.some((theme) => theme === text);
}

/** Makes the function that fills in what every page needs. Call it after all reads of the page. */
export function createShell(
  deps: Pick<WebDeps, "version" | "health" | "demo" | "clock"> & Partial<Pick<WebDeps, "refresh">>,
  tools: { csrf: Csrf; access: Pick<Access, "needsLogin" | "isAllowed"> },
): Kit["shell"] {
  return (c, title) => {
    const theme = readCookie(c, THEME_COOKIE);
    const isAllowed = tools.access.isAllowed(c);
    return {
      title,
      path: pagePath(c),
      csrf: tools.csrf.token(c),
      theme: isTheme(theme) ? theme : "auto",
      shortcuts: readCookie(c, SHORTCUTS_COOKIE) !== "off",
      version: deps.version,
      // Its message names files of this machine.
      health: isAllowed ? (c.get("trouble") ?? deps.health()) : { state: "ok" },
      needsLogin: tools.access.needsLogin && isAllowed,
      demo: deps.demo(),
      asset: assetUrl,
      now: deps.clock.now(),
      pollMs: deps.refresh?.pollMs,
    };
  };
}

/** What the banners of an open page say; they change while it is open. */
export function bannersOf(deps: Pick<WebDeps, "health" | "demo">): BannerProps {
  return { health: deps.health(), demo: deps.demo() };
}

/** Where this page can be asked for again. The answer to a form is the page of the form. */
function pagePath(c: WebContext): string {
  const isForm = isUnsafe(c.req.method);
  const address = isForm ? c.req.header("Referer") : c.req.url;
  if (address === undefined || !URL.canParse(address)) return pathTo.status();
  const { pathname, search } = new URL(address);
  return localPath(pathname + search);
}

/**
 * Reads a part of a page. When the database cannot be read, the page is shown with `fallback` in that
 * place and the reason in its banner; every other failure is the page's failure.
 */
export async function readOr<T>(c: WebContext, read: Promise<T>, fallback: T): Promise<T> {
  try {
    return await read;
  } catch (error) {
    const failure = AppError.from(error);
    if (!isUnavailable(failure)) throw error;
    c.set("trouble", {
      state: "degraded",
      code: failure.code,
      message: failure.message,
      fix: failure.fix ?? "Run `agents doctor`.",
    });
    return fallback;
  }
}
