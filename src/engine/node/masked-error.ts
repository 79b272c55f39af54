import { AppError } from "../../domain/error.ts";
import { defined } from "../../lib/defined.ts";
import type { Mask } from "../../lib/mask.ts";

/**
 * The error of a call without what must not be shown: errors quote what was sent. The reason of an abort and
 * what is no AppError stay as they are.
 */
export function maskedError(error: unknown, mask: Mask, { reason }: AbortSignal): unknown {
  if (!mask.hides || error === reason || !(error instanceof AppError)) return error;
  const { code, fix, retryAfterMs, cause } = error;
  return new AppError(code, mask.text(error.message), {
    ...defined({
      fix: fix === undefined ? undefined : mask.text(fix),
      retryAfterMs,
      cause: maskedCause(cause, mask),
    }),
  });
}

/** Only its text is left: a cause is shown as details and nothing else. */
function maskedCause(cause: unknown, mask: Mask): string | undefined {
  if (cause === undefined || cause === null) return undefined;
  return mask.text(typeof cause === "string" ? cause : Bun.inspect(cause));
}
