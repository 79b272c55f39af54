import type { Context } from "hono";
import type { ContentfulStatusCode } from "hono/utils/http-status";

/** What hono/jsx makes of a view. */
export interface Rendered {
  toString(): string | Promise<string>;
}

export async function renderText(view: Rendered): Promise<string> {
  return view.toString();
}

/** Below this a compressed answer is no faster. */
const GZIP_LENGTH_MIN = 1024;
const GZIP_LEVEL = 4;

/** Answers with a view, a whole page or a fragment, compressed where the browser takes that. */
export async function html(
  c: Context,
  view: Rendered,
  status: ContentfulStatusCode = 200,
): Promise<Response> {
  const text = await renderText(view);
  c.header("Vary", "HX-Request, HX-Request-Type, Accept-Encoding");
  if (text.length < GZIP_LENGTH_MIN || !acceptsGzip(c)) return c.html(text, status);
  c.header("Content-Type", "text/html; charset=UTF-8");
  c.header("Content-Encoding", "gzip");
  return c.body(Bun.gzipSync(text, { level: GZIP_LEVEL }), status);
}

export function acceptsGzip(c: Context): boolean {
  return /\bgzip\b/.test(c.req.header("Accept-Encoding") ?? "");
}
