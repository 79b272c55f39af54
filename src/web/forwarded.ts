/**
 * How the chat process knows a request that the dashboard has let in. Behind a login only these count:
 * the dashboard has looked at the session, which may have been logged out, and at the host.
 */
import type { Context } from "hono";
import { isSame, sign } from "./signature.ts";

export const FORWARDED_HEADER = "X-Agents-Forwarded";

/** The mark of one request; it never reaches a browser. */
export function forwardedMark(secretKey: string, request: Request): string {
  const { pathname, search } = new URL(request.url);
  return sign(secretKey, "forwarded", `${request.method} ${pathname}${search}`);
}

export function isForwarded(c: Context, secretKey: string): boolean {
  const given = c.req.header(FORWARDED_HEADER);
  return given !== undefined && isSame(given, forwardedMark(secretKey, c.req.raw));
}
