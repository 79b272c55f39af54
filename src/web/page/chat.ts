/**
 * The chat inside the dashboard: what is asked for is passed on to the chat's own process, as it is, and
 * what it answers is passed back as it comes. While that process is away, everything else goes on.
 */
import type { Hono } from "hono";
import { ChatAwayPage } from "../../../views/chat.tsx";
import { AppError } from "../../domain/error.ts";
import type { ServiceStatus } from "../../domain/service.ts";
import { wantsPage } from "../error.ts";
import { FORWARDED_HEADER, forwardedMark } from "../forwarded.ts";
import type { Kit, WebContext, WebEnv } from "../kit.ts";
import { isUnsafe } from "../middleware/origin-check.ts";
import { html } from "../render.ts";
import { CHAT_ROUTES } from "../routes.ts";

const SERVICE = "chat";
/** They belong to one connection, or are written anew by this server. */
const HEADERS_OWN = [
  "connection",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
  "date",
  "expect",
];

export function registerChatProxy(app: Hono<WebEnv>, kit: Kit): void {
  for (const [method, pattern] of CHAT_ROUTES) {
    app.on(method, pattern, async (c) => {
      const service = kit.deps.services().find(({ name }) => name === SERVICE) ?? MISSING;
      const { state, url } = service;
      const answer = state === "running" && url !== null ? await pass(c, kit, url) : undefined;
      return answer ?? away(c, kit, service);
    });
  }
}

const MISSING: ServiceStatus = {
  name: SERVICE,
  state: "stopped",
  pid: null,
  url: null,
  restartCount: 0,
  since: null,
  message: "The chat was not started.",
  fix: "Restart agents.",
};

/** @returns undefined when the other process does not answer. */
async function pass(c: WebContext, { deps }: Kit, origin: string): Promise<Response | undefined> {
  const { raw } = c.req;
  const { pathname, search } = new URL(raw.url);
  const headers = withoutOwn(raw.headers);
  // The name that the browser knows: what is made of it, such as the check of the origin, must fit.
  headers.set("Host", c.req.header("Host") ?? "");
  headers.set(FORWARDED_HEADER, forwardedMark(deps.secretKey, raw));
  try {
    const response = await fetch(new URL(pathname + search, origin), {
      method: raw.method,
      headers,
      redirect: "manual",
      // Compressed answers are passed on as they are.
      decompress: false,
      signal: raw.signal,
      // A live stream may be quiet for longer than any limit that suits the rest.
      timeout: false,
      ...(isUnsafe(raw.method) ? { body: await raw.arrayBuffer() } : {}),
    });
    const type = response.headers.get("Content-Type") ?? "";
    const isStream = type.startsWith("text/event-stream") && response.body !== null;
    if (isStream) c.env.server?.timeout(raw, 0);
    return new Response(isStream ? passStream(response.body) : await response.arrayBuffer(), {
      status: response.status,
      headers: withoutOwn(response.headers),
    });
  } catch (error) {
    // It died a moment ago, or the browser has gone: in both cases there is nothing to pass on.
    if (error instanceof AppError) throw error;
    return undefined;
  }
}

/** Each piece as it comes. When the other process dies the stream just ends: the browser comes back. */
function passStream(body: ReadableStream<Uint8Array>): ReadableStream<Uint8Array> {
  const reader = body.getReader();
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const { done, value } = await reader.read();
          if (done) controller.close();
          else controller.enqueue(value);
        } catch {
          // See above.
          controller.close();
        }
      },
      cancel: (reason) => reader.cancel(reason),
    },
    { highWaterMark: 0 },
  );
}

function withoutOwn(headers: Headers): Headers {
  const kept = new Headers(headers);
  for (const name of HEADERS_OWN) kept.delete(name);
  return kept;
}

/** Says that it is away, why, and what to do. */
function away(c: WebContext, kit: Kit, service: ServiceStatus): Promise<Response> {
  if (isUnsafe(c.req.method) || !wantsPage(c)) {
    throw new AppError("unavailable", service.message ?? "The chat is not running.", {
      fix: service.fix ?? "Wait a moment, then try again.",
    });
  }
  return html(c, ChatAwayPage({ shell: kit.shell(c, "Chat"), service }), 503);
}
