/** Bodies of answers that a library reads to their end, whatever their length: held to limits on the way to it. */

const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;

export interface BodyLimits {
  /** Of a whole body. */
  readonly bytesMax: number;
  /** Of a whole stream of events (`text/event-stream`), which may go on for long. */
  readonly streamBytesMax: number;
  /** Of one event in it. */
  readonly eventBytesMax: number;
  /** What the reader gets beyond them. */
  readonly error: () => Error;
}

/** The same answer, with a body that fails beyond the limits. */
export function withLimitedBody(response: Response, limits: BodyLimits): Response {
  if (response.body === null) return response;
  const { streamBytesMax, eventBytesMax, error } = limits;
  const type = response.headers.get("content-type") ?? "";
  const isStream = /^text\/event-stream\b/i.test(type);
  const bytesMax = isStream ? streamBytesMax : limits.bytesMax;
  const eventBytes = isStream ? createEventMeasure() : () => 0;
  let bytes = 0;
  const limit = new TransformStream<Uint8Array, Uint8Array>({
    transform(chunk, controller) {
      bytes += chunk.length;
      if (bytes > bytesMax || eventBytes(chunk) > eventBytesMax) controller.error(error());
      else controller.enqueue(chunk);
    },
  });
  return new Response(response.body.pipeThrough(limit), response);
}

/** Bytes since the last empty line, which ends an event: the most that there were in a chunk. */
function createEventMeasure(): (chunk: Uint8Array) => number {
  let bytes = 0;
  let lineBytes = 0;
  return (chunk) => {
    let most = 0;
    for (const byte of chunk) {
      bytes += 1;
      most = Math.max(most, bytes);
      if (byte === LINE_FEED) {
        if (lineBytes === 0) bytes = 0;
        lineBytes = 0;
      } else if (byte !== CARRIAGE_RETURN) lineBytes += 1;
    }
    return most;
  };
}
