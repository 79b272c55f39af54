import { assertPortFree, type PortWish } from "../process/port.ts";
import type { WebServer } from "../web/deps.ts";

/** Bodies above this are cut off by the server itself; pages have their own, lower limits. Room for a backup. */
const REQUEST_BYTES_MAX = 65 * 1024 * 1024;
/** Longer than the heartbeat of the live streams. */
const IDLE_TIMEOUT_S = 60;

/**
 * Serves on the address that is wished for; port 0 takes any.
 * @throws AppError `port_in_use`, `permission_denied`, `config_invalid`.
 */
export async function listen(
  wish: PortWish,
  fetch: (request: Request, server: WebServer) => Response | Promise<Response>,
) {
  try {
    return Bun.serve({
      hostname: wish.host,
      port: wish.port,
      maxRequestBodySize: REQUEST_BYTES_MAX,
      idleTimeout: IDLE_TIMEOUT_S,
      fetch,
    });
  } catch (error) {
    // Names the cause with its fix; should the port have become free meanwhile, the error stands.
    await assertPortFree(wish);
    throw error;
  }
}
