/** What models may answer at most: a server that never ends must not fill the memory of a worker, or the disk. */
import { AppError } from "../domain/error.ts";
import { withLimitedBody } from "../lib/limited-body.ts";

const MIBIBYTE = 1024 * 1024;
const BODY_BYTES_MAX = 16 * MIBIBYTE;
/** Events wrap each word in hundreds of bytes: room for the longest answers of today's models, twice. */
const STREAM_BYTES_MAX = 128 * MIBIBYTE;
/** Text, thoughts and arguments of tools together; four times what the largest models write. */
export const ANSWER_CHARS_MAX = 4_000_000;
/** Tools that one answer may ask for; far more than are called. */
export const TOOL_CALL_COUNT_MAX = 1_000;

export function answerTooLarge(): AppError {
  return new AppError("too_large", "The model's answer does not end: it was cut off.", {
    fix: "Look at the model server, or use another model.",
  });
}

/** `fetch` for the provider packages. */
export const limitedFetch: typeof fetch = Object.assign(
  async (...request: Parameters<typeof fetch>) =>
    withLimitedBody(await fetch(...request), {
      bytesMax: BODY_BYTES_MAX,
      streamBytesMax: STREAM_BYTES_MAX,
      eventBytesMax: BODY_BYTES_MAX,
      error: answerTooLarge,
    }),
  { preconnect: fetch.preconnect },
);
