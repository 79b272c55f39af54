import type { TokenScope } from "../domain/access-token.ts";
import type { Access } from "./access.ts";
import type { WebContext } from "./kit.ts";
import { RequestProblem } from "./problem.ts";
import { includesScope } from "./token.ts";

/**
 * On loopback without a token everything is allowed, as on the pages, and so it is with a session.
 * @throws RequestProblem 403 for a token that may not.
 */
export function requireScope(
  c: WebContext,
  access: Pick<Access, "tokenOf">,
  scope: TokenScope,
): void {
  const token = access.tokenOf(c);
  if (token === undefined || includesScope(token.scope, scope)) return;
  throw new RequestProblem(403, "forbidden", {
    message: `This token may only ${token.scope}; this needs the scope ${scope}.`,
    fix: `Use a token with the scope ${scope}.`,
    headers: {
      "WWW-Authenticate": `Bearer realm="agents", error="insufficient_scope", scope="${scope}"`,
    },
  });
}
