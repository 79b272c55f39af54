/** Serves every page of `tests/views/pages.tsx` and the real assets under the product's own CSP. */
import { ASSETS } from "../../views/assets.ts";
import { PAGES } from "./pages.tsx";

const CSP =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/** A page with one fault of each kind, to prove that the checks can fail. */
export const PLANTED_PATH = "/planted";
export const PLANTED = `<!doctype html><html lang="en"><title>x</title><body>
<p style="width: 3000px">wide</p><div style="height: 1px"></div><img src="/assets/icon.svg">
<table width="3000"><tr><td>wide</table><button>x</button><script>alert(1)</script>`;

/** What was attached to a message: a picture of 6 × 4 pixels. */
const PICTURE = Uint8Array.fromBase64(
  "iVBORw0KGgoAAAANSUhEUgAAAAYAAAAECAIAAAAiZtkUAAAAP0lEQVR42g3IMQEAMAgEscqpEkTc/EqYEYGIn1GCmDZjzmWDFZtss8OeiwMLJ248+FcFJSqppob6pUBCiRoNelEjIjmRk3U7AAAAAElFTkSuQmCC",
);

export interface FixtureServer extends AsyncDisposable {
  readonly url: string;
  /** Sends a message to every open stream; one with an event name is no HTML. */
  send(html: string, event?: string): void;
  /** Ends every open stream; later ones are refused with 503 until `restore`. */
  breakStreams(): void;
  restore(): void;
  /** Paths that were asked for, in order. */
  readonly requests: string[];
}

/** @param options.fragment What a request of htmx for a part of a page gets. */
export function startFixtureServer(options: { fragment?: () => string } = {}): FixtureServer {
  const streams = new Set<ReadableStreamDefaultController<Uint8Array>>();
  const requests: string[] = [];
  let broken = false;
  let position = 0;

  function stream(): Response {
    if (broken) return new Response("away", { status: 503 });
    let own: ReadableStreamDefaultController<Uint8Array> | undefined;
    const body = new ReadableStream<Uint8Array>({
      start(controller) {
        own = controller;
        streams.add(controller);
        controller.enqueue(encode(": hello\n\n"));
      },
      cancel() {
        if (own !== undefined) streams.delete(own);
      },
    });
    return new Response(body, { headers: { "content-type": "text/event-stream" } });
  }

  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    idleTimeout: 0,
    async fetch(request) {
      const url = new URL(request.url);
      const path = url.pathname + url.search;
      requests.push(path);
      if (url.pathname.startsWith("/assets/")) return asset(url.pathname, request);
      if (url.pathname.endsWith("/stream")) return stream();
      if (url.pathname === PLANTED_PATH) return html(PLANTED, 200);
      const part = request.headers.get("HX-Request-Type") === "partial";
      if (part && options.fragment !== undefined) return html(options.fragment(), 200);
      if (url.search === "?view")
        return new Response(PICTURE, { headers: { "content-type": "image/png" } });
      const found = PAGES.find((page) => page.path === path);
      if (found === undefined) return html("", 404);
      return html(await found.render("auto"), found.name === "not-found" ? 404 : 200);
    },
  });

  return {
    url: server.url.origin,
    requests,
    send(text, event) {
      position += 1;
      const name = event === undefined ? "" : `event: ${event}\n`;
      const bytes = encode(
        `${name}id: ${position}\ndata: ${text.split("\n").join("\ndata: ")}\n\n`,
      );
      for (const controller of streams) controller.enqueue(bytes);
    },
    breakStreams() {
      broken = true;
      for (const controller of streams) controller.close();
      streams.clear();
    },
    restore() {
      broken = false;
    },
    async [Symbol.asyncDispose]() {
      await server.stop(true);
    },
  };
}

function encode(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function asset(path: string, request: Request): Response {
  const found = ASSETS[path.slice("/assets/".length)];
  if (found === undefined) return new Response("", { status: 404 });
  const headers: Record<string, string> = {
    "content-type": found.type,
    "cache-control": "public, max-age=31536000, immutable",
  };
  if (found.gzip === undefined || !request.headers.get("accept-encoding")?.includes("gzip"))
    return new Response(found.body, { headers });
  return new Response(found.gzip, { headers: { ...headers, "content-encoding": "gzip" } });
}

function html(text: string, status: number): Response {
  return new Response(Bun.gzipSync(Buffer.from(text)), {
    status,
    headers: {
      "content-type": "text/html; charset=utf-8",
      "content-encoding": "gzip",
      "content-security-policy": CSP,
      "x-content-type-options": "nosniff",
    },
  });
}
