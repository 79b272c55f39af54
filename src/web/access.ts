import type { Context } from "hono";
import type { AccessToken } from "../domain/access-token.ts";
import type { Clock } from "../lib/clock.ts";
import { isLoopback } from "../lib/loopback.ts";
import { clearCookie, readCookie, writeCookie } from "./cookie.ts";
import { SESSION_MS, type Sessions } from "./session.ts";

/** Who may see what: on a loopback address everybody who can reach it, elsewhere only a session or a token. */
export interface Access {
  readonly needsLogin: boolean;
  isAllowed(c: Context): boolean;
  /** The same for an answer that takes long: asked again, it tells whether the session still counts. */
  permit(c: Context): () => boolean;
  /** From now on this request is that of the token's holder. */
  admit(c: Context, token: AccessToken): void;
  /** The token that the request came with; undefined for pages and on loopback without one. */
  tokenOf(c: Context): AccessToken | undefined;
  /** Ends the live answers of a token that was revoked. */
  endToken(id: string): void;
  /** Gives the browser a session. */
  begin(c: Context): void;
  end(c: Context): void;
}

/** Revoked tokens that are remembered for the answers which are still under way. */
const ENDED_COUNT_MAX = 10_000;

export function createAccess(deps: {
  sessions: Sessions;
  clock: Clock;
  host: string;
  port: () => number;
}): Access {
  const needsLogin = !isLoopback(deps.host);
  const name = () => `agents-session-${deps.port()}`;
  /** By the request as it came in: parts of the app have contexts of their own. */
  const holders = new WeakMap<object, AccessToken>();
  const ended = new Set<string>();
  const tokenOf = (c: Context) => holders.get(requestOf(c));
  const permit = (c: Context) => {
    const token = tokenOf(c);
    if (token !== undefined) {
      const { id, expiresAt } = token;
      return () => !ended.has(id) && (expiresAt === null || expiresAt > deps.clock.now());
    }
    if (!needsLogin) return () => true;
    const cookie = readCookie(c, name());
    return () => cookie !== undefined && deps.sessions.isValid(cookie);
  };
  return {
    needsLogin,
    isAllowed: (c) => permit(c)(),
    permit,
    admit: (c, token) => void holders.set(requestOf(c), token),
    tokenOf,
    endToken(id) {
      ended.add(id);
      const [oldest] = ended;
      if (ended.size > ENDED_COUNT_MAX && oldest !== undefined) ended.delete(oldest);
    },
    begin(c) {
      writeCookie(c, name(), { value: deps.sessions.issue(), maxAgeMs: SESSION_MS });
    },
    end(c) {
      const cookie = readCookie(c, name());
      if (cookie !== undefined) deps.sessions.revoke(cookie);
      clearCookie(c, name());
    },
  };
}

/** The context may hold a copy of it. */
function requestOf(c: Context): object {
  const env: { readonly request?: unknown } | undefined = c.env;
  return env?.request instanceof Request ? env.request : c.req.raw;
}
