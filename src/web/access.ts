import type { Context } from "hono";
import { isLoopback } from "../lib/loopback.ts";
import { clearCookie, readCookie, writeCookie } from "./cookie.ts";
import { SESSION_MS, type Sessions } from "./session.ts";

/** Who may see what: on a loopback address everybody who can reach it, elsewhere only a session. */
export interface Access {
  readonly needsLogin: boolean;
  isAllowed(c: Context): boolean;
  /** The same for an answer that takes long: asked again, it tells whether the session still counts. */
  permit(c: Context): () => boolean;
  /** Gives the browser a session. */
  begin(c: Context): void;
  end(c: Context): void;
}

export function createAccess(deps: {
  sessions: Sessions;
  host: string;
  port: () => number;
}): Access {
  const needsLogin = !isLoopback(deps.host);
  const name = () => `agents-session-${deps.port()}`;
  const permit = (c: Context) => {
    if (!needsLogin) return () => true;
    const cookie = readCookie(c, name());
    return () => cookie !== undefined && deps.sessions.isValid(cookie);
  };
  return {
    needsLogin,
    isAllowed: (c) => permit(c)(),
    permit,
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
