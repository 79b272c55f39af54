/** Failures in the form in which they are kept with a step and a run. */
import { AppError, ERROR_CODES, type ErrorCode, type ErrorRecord } from "../domain/error.ts";
import { defined } from "../lib/defined.ts";
import { isJsonObject, type Json } from "../lib/json.ts";

export const ERROR_DETAILS_CHARS_MAX = 4_000;
/** Causes of causes that are written out. */
const CAUSE_DEPTH_MAX = 5;

/** The record of an error with its technical cause, which `redact` frees of secrets. */
export function toErrorRecord(error: AppError, redact: (text: string) => string): ErrorRecord {
  const details = redact(causeText(error.cause, 0)).slice(0, ERROR_DETAILS_CHARS_MAX);
  return error.toRecord(details === "" ? undefined : details);
}

/** An error read back from a journal or an event; its details become the cause. */
export function fromErrorRecord(record: ErrorRecord, retryAfterMs?: number): AppError {
  return new AppError(record.code, record.message, {
    ...defined({ fix: record.fix, cause: record.details, retryAfterMs }),
  });
}

/** Reads a record that was stored as JSON; undefined when it is none. */
export function readErrorRecord(json: Json | undefined): ErrorRecord | undefined {
  if (!isJsonObject(json)) return undefined;
  const { code, message, fix, details } = json;
  if (!isErrorCode(code) || typeof message !== "string") return undefined;
  return {
    code,
    message,
    ...(typeof fix === "string" ? { fix } : {}),
    ...(typeof details === "string" ? { details } : {}),
  };
}

function isErrorCode(value: Json | undefined): value is ErrorCode {
  return typeof value === "string" && Object.hasOwn(ERROR_CODES, value);
}

/** The last error of a step as its run shows it; the code stays, so exit codes and pages do too. */
export function finalStepError(
  record: ErrorRecord,
  step: { readonly key: string; readonly attempt: number },
): ErrorRecord {
  const tries = step.attempt === 1 ? "" : ` after ${step.attempt} tries`;
  return { ...record, message: `Step \`${step.key}\` failed${tries}: ${record.message}` };
}

function causeText(cause: unknown, depth: number): string {
  if (cause === undefined || cause === null || depth === CAUSE_DEPTH_MAX) return "";
  if (!(cause instanceof Error)) return typeof cause === "string" ? cause : Bun.inspect(cause);
  const text = cause instanceof AppError ? `${cause.code}: ${cause.message}` : stackOf(cause);
  const inner = causeText(cause.cause, depth + 1);
  return inner === "" ? text : `${text}\ncaused by: ${inner}`;
}

function stackOf(error: Error): string {
  return error.stack ?? `${error.name}: ${error.message}`;
}
