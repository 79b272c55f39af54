import type { MiddlewareHandler } from "hono";
import type { Access } from "../access.ts";

/**
 * Ends a live stream when its session has ended: by a logout, a new password, or time. Looked at with
 * every piece, of which the heartbeat is one.
 */
export function streamGuard(access: Pick<Access, "needsLogin" | "permit">): MiddlewareHandler {
  return async (c, next) => {
    const isPermitted = access.permit(c);
    await next();
    const { body, headers } = c.res;
    const isStream = headers.get("Content-Type")?.startsWith("text/event-stream") === true;
    if (!access.needsLogin || !isStream || body === null) return;
    c.res = new Response(
      endWhen(body, () => !isPermitted()),
      c.res,
    );
  };
}

function endWhen(
  body: ReadableStream<Uint8Array>,
  isOver: () => boolean,
): ReadableStream<Uint8Array> {
  const reader = body.getReader();
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const { done, value } = await reader.read();
        if (!done && !isOver()) return controller.enqueue(value);
        controller.close();
        if (!done) await reader.cancel();
      },
      cancel: (reason) => reader.cancel(reason),
    },
    { highWaterMark: 0 },
  );
}
