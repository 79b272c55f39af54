/**
 * Login sessions without a table: the cookie holds an id and an end, signed. The key includes the
 * password's hash, so that a new password ends every session. A session that was logged out is
 * remembered until it would have ended; that memory does not survive a restart.
 */
import type { Clock } from "../lib/clock.ts";
import { isSame, sign } from "./signature.ts";

export const SESSION_MS = 12 * 60 * 60 * 1000;
export const SESSION_REVOKED_COUNT_MAX = 10_000;

export interface Sessions {
  issue(): string;
  isValid(cookie: string): boolean;
  revoke(cookie: string): void;
}

export function createSessions(deps: {
  clock: Clock;
  secretKey: string;
  adminPasswordHash: () => string | undefined;
  /** Those that were begun before have ended. */
  sessionsSince: () => number;
}): Sessions {
  const revoked = new Set<string>();
  const signature = (value: string) =>
    sign(deps.secretKey, `session ${deps.adminPasswordHash() ?? ""}`, value);
  return {
    issue() {
      const value = `${crypto.randomUUID()}.${deps.clock.now() + SESSION_MS}`;
      return `${value}.${signature(value)}`;
    },
    isValid(cookie) {
      const [id = "", end = "", given = ""] = cookie.split(".");
      if (!isSame(given, signature(`${id}.${end}`))) return false;
      const begunAt = Number(end) - SESSION_MS;
      if (begunAt < deps.sessionsSince()) return false;
      return Number(end) > deps.clock.now() && !revoked.has(id);
    },
    revoke(cookie) {
      const [id = "", end = "", given = ""] = cookie.split(".");
      if (!isSame(given, signature(`${id}.${end}`))) return;
      revoked.add(id);
      const [oldest] = revoked;
      if (revoked.size > SESSION_REVOKED_COUNT_MAX && oldest !== undefined) revoked.delete(oldest);
    },
  };
}
