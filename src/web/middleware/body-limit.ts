import type { MiddlewareHandler } from "hono";
import { bodyLimit as limitBody } from "hono/body-limit";
import { MESSAGE_FILE_BYTES_MAX, MESSAGE_FILE_COUNT_MAX } from "../../domain/conversation.ts";
import { WORKFLOW_SOURCE_BYTES_MAX } from "../../domain/workflow.ts";
import { AppError } from "../../domain/error.ts";
import { PATTERNS } from "../routes.ts";

/** Room for the largest workflow in a URL-encoded form, where a byte may take three. */
export const BODY_BYTES_MAX = 4 * WORKFLOW_SOURCE_BYTES_MAX;

/** A larger backup is put into its folder by other means. */
export const BACKUP_BYTES_MAX = 64 * 1024 * 1024;

/** A message with the files that may go with it. */
export const MESSAGE_BYTES_MAX = (MESSAGE_FILE_COUNT_MAX + 1) * MESSAGE_FILE_BYTES_MAX;

/** Refuses larger bodies by their length, and those without one while they are read. */
export function bodyLimit(): MiddlewareHandler {
  const usual = limitTo(BODY_BYTES_MAX);
  const forBackups = limitTo(BACKUP_BYTES_MAX);
  const forMessages = limitTo(MESSAGE_BYTES_MAX);
  return (c, next) => {
    const { path } = c.req;
    if (path === PATTERNS.backupUploads) return forBackups(c, next);
    return (path === PATTERNS.chat || MESSAGES.test(path) ? forMessages : usual)(c, next);
  };
}

const MESSAGES = /^\/chat\/[^/]+\/messages$/;

function limitTo(maxSize: number): MiddlewareHandler {
  return limitBody({
    maxSize,
    onError: () => {
      throw new AppError("too_large", "What was sent is too large.", {
        fix: `Send at most ${maxSize / 1024 / 1024} MiB.`,
      });
    },
  });
}
