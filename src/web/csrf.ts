import type { Context } from "hono";
import { isForeign } from "./middleware/origin-check.ts";
import { isSame, sign } from "./signature.ts";
import { readCookie, writeCookie } from "./cookie.ts";

/** Tokens that only pages of this site can know. */
export interface Csrf {
  /** The token of this browser: the same on all its pages. A browser without one gets a cookie. */
  token(c: Context): string;
  isValid(c: Context, given: string): boolean;
}

/**
 * Signed double submit: an HttpOnly cookie holds a random id, the page holds its signature. Without
 * the secret nobody can make a pair, so a cookie planted from a sister host is worth nothing.
 */
export function createCsrf(deps: { secretKey: string; port: () => number }): Csrf {
  const name = () => `agents-csrf-${deps.port()}`;
  const minted = new WeakMap<Context, string>();
  return {
    token(c) {
      let id = readCookie(c, name()) ?? minted.get(c);
      if (id === undefined) {
        id = crypto.randomUUID();
        minted.set(c, id);
        // The browser has sent no cookie because of SameSite; a new one would replace it, and the forms of
        // the pages that are open would fail.
        if (!isForeign(c)) writeCookie(c, name(), { value: id });
      }
      return sign(deps.secretKey, "csrf", id);
    },
    isValid(c, given) {
      const id = readCookie(c, name());
      return id !== undefined && isSame(given, sign(deps.secretKey, "csrf", id));
    },
  };
}
