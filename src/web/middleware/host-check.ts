import type { MiddlewareHandler } from "hono";
import { isLoopback } from "../../lib/loopback.ts";

/**
 * On a loopback address: refuses names other than this machine's own. Without it a foreign site could
 * point its name at 127.0.0.1 and read the dashboard as its own origin (DNS rebinding). The answer is
 * plain text, since nothing of the page may be readable there.
 */
export function hostCheck(options: { host: string; port: () => number }): MiddlewareHandler {
  const guarded = isLoopback(options.host);
  return async (c, next) => {
    if (guarded && !isAllowed(c.req.header("Host"), options)) {
      return c.text(
        `This address is not served here.\nFix: Open http://127.0.0.1:${options.port()}/ instead.\n`,
        403,
      );
    }
    await next();
    return undefined;
  };
}

function isAllowed(header: string | undefined, options: { host: string; port: () => number }) {
  const host = header?.toLowerCase() ?? "";
  const names = ["localhost", "127.0.0.1", "[::1]", options.host.toLowerCase()];
  return names.some((name) => host === name || host === `${name}:${options.port()}`);
}
