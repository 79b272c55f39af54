import type { Context } from "hono";
import { deleteCookie, getCookie, setCookie } from "hono/cookie";

/**
 * Names of cookies carry the port: browsers give the cookies of one host to all its ports, and two
 * products on one machine must not log each other out.
 */
export function readCookie(c: Context, name: string): string | undefined {
  const value = getCookie(c, name);
  return value === "" ? undefined : value;
}

/**
 * `SameSite=Lax`, not `Strict`: after a link from a mail or a chat the browser would send no cookie, the
 * page would ask for a login or make a new CSRF cookie, and the forms of every other tab would fail.
 * What changes something is a POST, which gets no Lax cookie from another site either.
 * `scripted`: the browser code may read and write it too. For nothing that is secret.
 */
export function writeCookie(
  c: Context,
  name: string,
  cookie: { value: string; maxAgeMs?: number; scripted?: boolean },
): void {
  setCookie(c, name, cookie.value, {
    path: "/",
    httpOnly: cookie.scripted !== true,
    sameSite: "Lax",
    secure: new URL(c.req.url).protocol === "https:",
    ...(cookie.maxAgeMs === undefined ? {} : { maxAge: Math.floor(cookie.maxAgeMs / 1000) }),
  });
}

export function clearCookie(c: Context, name: string): void {
  deleteCookie(c, name, { path: "/" });
}
