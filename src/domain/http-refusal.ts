/** What the refusal of a server means: come back later, or not at all. */
import { endSentence } from "../lib/end-sentence.ts";
import { defined } from "../lib/defined.ts";
import { retryAfterMs } from "../lib/retry-after.ts";
import { AppError, type ErrorCode } from "./error.ts";

/** Characters of an answer that an error shows. */
const BODY_SHOWN_CHARS = 300;

export interface HttpRefusal {
  /** Who answered, as the message begins: `GET https://example.com/items`. */
  readonly subject: string;
  /** Not 2xx. */
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
  /** Where another try is of no use. */
  readonly code: ErrorCode;
  readonly fixes: { readonly limited: string; readonly other: string };
}

/** `rate_limited` and `unavailable`, with the time to wait where the server told it, or `refusal.code`. */
export function httpRefusal(refusal: HttpRefusal, nowMs: number): AppError {
  const { subject, status, headers, code, fixes } = refusal;
  const said = bodyExcerpt(refusal.text);
  const message = `${subject} answered with status ${status}${said === "" ? "." : `: ${endSentence(said)}`}`;
  const wait = defined({ retryAfterMs: retryAfterMs(headers, nowMs) });
  if (status === 429) return new AppError("rate_limited", message, { fix: fixes.limited, ...wait });
  if (status === 408 || status >= 500)
    return new AppError("unavailable", message, { fix: "Try again later.", ...wait });
  const isDenied = status === 401 || status === 403;
  return new AppError(code, message, {
    fix: isDenied ? "Check the key that the node's `headers` send." : fixes.other,
  });
}

/** The beginning of an answer in one line, for an error. */
export function bodyExcerpt(text: string): string {
  const line = text.replace(/\s+/g, " ").trim();
  return line.length <= BODY_SHOWN_CHARS
    ? line
    : `${line.slice(0, BODY_SHOWN_CHARS).toWellFormed()}…`;
}
