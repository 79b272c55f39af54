import type { Kit, WebContext } from "./kit.ts";
import type { StreamSource } from "./sse.ts";

export interface StreamTopic {
  readonly key: string;
  readonly createSource: () => StreamSource;
  /** Position of the last message that the browser has. */
  readonly after: number | undefined;
}

/** Answers with a live stream, which the server's idle timeout does not end. */
export function openStream(c: WebContext, { hub }: Pick<Kit, "hub">, topic: StreamTopic): Response {
  // hono answers HEAD by GET and drops the body: its reader would stay for ever.
  if (c.req.raw.method === "HEAD") {
    return new Response(null, { headers: { "Content-Type": "text/event-stream; charset=utf-8" } });
  }
  c.env.server?.timeout(c.req.raw, 0);
  const { after } = topic;
  return hub.open(topic.key, topic.createSource, { after, signal: c.req.raw.signal });
}
