/** How much may come to a run from outside in one signal; held by every store. */
import type { Json } from "../lib/json.ts";
import { AppError } from "./error.ts";

export const SIGNAL_NAME_CHARS_MAX = 300;
export const SIGNAL_BYTES_MAX = 64 * 1024;

/** @throws AppError `invalid` (no name, or a very long one), `too_large`. */
export function assertSignalFits({ name, payload }: { name: string; payload: Json }): void {
  if (name === "" || name.length > SIGNAL_NAME_CHARS_MAX) {
    throw new AppError("invalid", "This cannot be the name of a signal.", {
      fix: `Use a name of 1 to ${SIGNAL_NAME_CHARS_MAX} characters.`,
    });
  }
  if (Buffer.byteLength(JSON.stringify(payload)) > SIGNAL_BYTES_MAX) {
    throw new AppError("too_large", `A signal or comment may have ${SIGNAL_BYTES_MAX} bytes.`, {
      fix: "Send less: a name, a number or an address in place of the content.",
    });
  }
}
