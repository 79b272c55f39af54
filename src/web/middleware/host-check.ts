import type { Context, MiddlewareHandler } from "hono";
import { isApiPath, RequestProblem, requestProblem } from "../problem.ts";
import { isLoopback } from "../../lib/loopback.ts";

export interface HostOptions {
  readonly host: string;
  readonly port: () => number;
  /** Ports of this machine that pass requests on to this one. */
  readonly otherPorts?: readonly number[];
  /** The host of this request was checked already, by whoever passed it on. */
  readonly isTrusted?: (c: Context) => boolean;
}

/**
 * Refuses what is no host, and on a loopback address names other than this machine's own. Without it a foreign site could
 * point its name at 127.0.0.1 and read the dashboard as its own origin (DNS rebinding). The answer is
 * plain text, since nothing of the page may be readable there.
 */
export function hostCheck(options: HostOptions): MiddlewareHandler {
  const guarded = isLoopback(options.host);
  return async (c, next) => {
    const isTrusted = options.isTrusted?.(c) === true;
    // What is no name at all leaves a request without an address, which nothing after this expects.
    const isName = URL.canParse(c.req.url);
    if (!isName || (guarded && !isTrusted && !isAllowed(c.req.header("Host"), options))) {
      const message = "This address is not served here.";
      const fix = `Open http://127.0.0.1:${options.port()}/ instead.`;
      const isApi = isApiPath(c.req.path);
      if (isApi) return requestProblem(c, new RequestProblem(403, "forbidden", { message, fix }));
      return c.text(`${message}\nFix: ${fix}\n`, 403);
    }
    await next();
    return undefined;
  };
}

function isAllowed(header: string | undefined, options: HostOptions): boolean {
  const host = header?.toLowerCase() ?? "";
  const names = ["localhost", "127.0.0.1", "[::1]", options.host.toLowerCase()];
  const ports = [options.port(), ...(options.otherPorts ?? [])];
  return names.some((name) => host === name || ports.some((port) => host === `${name}:${port}`));
}
