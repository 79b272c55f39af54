import type { Context, MiddlewareHandler } from "hono";
import { AppError } from "../../domain/error.ts";

const METHODS_SAFE = new Set(["GET", "HEAD", "OPTIONS"]);

/** True for a request that may change something. */
export function isUnsafe(method: string): boolean {
  return !METHODS_SAFE.has(method);
}

/**
 * Refuses what another site makes a browser send: everything but a link that was followed. Programs
 * that are no browsers send neither header and are held by the CSRF token alone.
 */
export function originCheck(): MiddlewareHandler {
  return async (c, next) => {
    if (isForeign(c)) {
      throw new AppError("forbidden", "This request came from another site.", {
        fix: "Open the dashboard itself and try again there.",
      });
    }
    await next();
  };
}

/** True for what this check refuses. */
export function isForeign(c: Context): boolean {
  const site = c.req.header("Sec-Fetch-Site");
  const isOtherSite = site !== undefined && site !== "same-origin" && site !== "none";
  const isLink =
    !isUnsafe(c.req.method) &&
    c.req.header("Sec-Fetch-Mode") === "navigate" &&
    c.req.header("Sec-Fetch-Dest") === "document";
  const origin = c.req.header("Origin");
  const isOtherOrigin =
    isUnsafe(c.req.method) && origin !== undefined && !isOwnOrigin(origin, c.req.header("Host"));
  return (isOtherSite && !isLink) || isOtherOrigin;
}

function isOwnOrigin(origin: string, host: string | undefined): boolean {
  return URL.canParse(origin) && new URL(origin).host === host?.toLowerCase();
}
