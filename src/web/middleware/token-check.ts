import type { MiddlewareHandler } from "hono";
import type { TokenStore } from "../../domain/access-token.ts";
import type { Access } from "../access.ts";
import type { WebEnv } from "../kit.ts";
import { isApiPath, RequestProblem } from "../problem.ts";
import { isProgram } from "../program.ts";
import { addressOf } from "../remote-address.ts";
import { requireScope } from "../scope.ts";
import { isUnsafe } from "./origin-check.ts";
import type { Throttle } from "../throttle.ts";
import { isTokenText, tokenDigest } from "../token.ts";

/**
 * Lets the holder of a token in, and nobody with a wrong one, also where no token is needed: a program
 * that believes to have rights should learn that it has none.
 */
export function tokenCheck(deps: {
  tokens: TokenStore;
  access: Pick<Access, "admit" | "tokenOf">;
  /** Counts wrong tokens only. */
  throttle: Throttle;
}): MiddlewareHandler<WebEnv> {
  return async (c, next) => {
    const header = c.req.header("Authorization");
    if (header !== undefined && (isApiPath(c.req.path) || isProgram(c))) {
      const [, text = ""] = /^Bearer +(\S+)$/i.exec(header.trim()) ?? [];
      const token = isTokenText(text) ? await deps.tokens.use(tokenDigest(text)) : undefined;
      if (token === undefined) {
        await deps.throttle.attempt(addressOf(c), () => Promise.resolve(false));
        throw new RequestProblem(401, "unauthorized", {
          message: "This token is not known, has expired or was revoked.",
          fix: "Create a token on the page Settings, Tokens, and send it as `Authorization: Bearer TOKEN`.",
          headers: { "WWW-Authenticate": 'Bearer realm="agents", error="invalid_token"' },
        });
      }
      deps.access.admit(c, token);
      // The API asks by operation; what agents call by themselves is asked here.
      if (isProgram(c)) requireScope(c, deps.access, isUnsafe(c.req.method) ? "write" : "read");
    }
    await next();
  };
}
