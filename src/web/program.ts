import type { Context } from "hono";

/** What agents call themselves, by the paths that they know from the replaced system. */
const PROGRAM_ROUTES: readonly (readonly [method: string, path: RegExp])[] = [
  ["POST", /^\/agents\/register$/],
  ["POST", /^\/agents\/[^/]+\/heartbeat$/],
  ["GET", /^\/agents(?:\/[^/]+)?$/],
  ["DELETE", /^\/agents\/[^/]+$/],
];

/** True where a program is answered in JSON: it asks for no page, and is no htmx. */
export function isProgram(c: Context): boolean {
  const { method, path } = c.req;
  if (!PROGRAM_ROUTES.some(([verb, route]) => verb === method && route.test(path))) return false;
  const accept = c.req.header("Accept") ?? "";
  return !accept.includes("text/html") && c.req.header("HX-Request") === undefined;
}

/**
 * True for a request that no browser can have been made to send: such a one needs no CSRF token. A browser
 * sends `Origin` with every request that may change something, `Sec-Fetch-Site` with every request at all,
 * and its cookies; and it sends no JSON to another site without asking there first.
 */
export function isFromProgram(c: Context): boolean {
  const isFromBrowser = ["Origin", "Sec-Fetch-Site", "Cookie"].some(
    (name) => c.req.header(name) !== undefined,
  );
  const type = c.req.header("Content-Type");
  return isProgram(c) && !isFromBrowser && (type === undefined || isJson(type));
}

export function isJson(type: string): boolean {
  return /^application\/json\b/i.test(type);
}
