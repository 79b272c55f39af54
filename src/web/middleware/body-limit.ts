import type { MiddlewareHandler } from "hono";
import { bodyLimit as limitBody } from "hono/body-limit";
import { WORKFLOW_SOURCE_BYTES_MAX } from "../../domain/workflow.ts";
import { AppError } from "../../domain/error.ts";

/** Room for the largest workflow in a URL-encoded form, where a byte may take three. */
export const BODY_BYTES_MAX = 4 * WORKFLOW_SOURCE_BYTES_MAX;

/** Refuses larger bodies by their length, and those without one while they are read. */
export function bodyLimit(): MiddlewareHandler {
  return limitBody({
    maxSize: BODY_BYTES_MAX,
    onError: () => {
      throw new AppError("too_large", "What was sent is too large.", {
        fix: `Send at most ${BODY_BYTES_MAX / 1024 / 1024} MiB.`,
      });
    },
  });
}
