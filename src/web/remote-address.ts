import type { WebContext } from "./kit.ts";

/** Who has connected; "" when that is not known any more. */
export function addressOf(c: WebContext): string {
  return c.env.server?.requestIP(c.env.request)?.address ?? "";
}
