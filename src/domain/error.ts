/**
 * Every expected failure of the product, in one table.
 *
 * Three places translate a code, no others: `web/error.ts` to an HTTP status, `cli/error.ts` to an
 * exit code, `engine/step.ts` to retry-or-fail. `retry` says that the same attempt may succeed later.
 */
export const ERROR_CODES = {
  run_failed: { status: 500, exit: 1, retry: false },
  usage: { status: 400, exit: 2, retry: false },
  invalid: { status: 422, exit: 2, retry: false },
  workflow_invalid: { status: 422, exit: 3, retry: false },
  not_found: { status: 404, exit: 4, retry: false },
  config_invalid: { status: 500, exit: 5, retry: false },
  port_in_use: { status: 500, exit: 6, retry: false },
  permission_denied: { status: 500, exit: 7, retry: false },
  disk_full: { status: 503, exit: 8, retry: true },
  read_only: { status: 503, exit: 9, retry: false },
  database_locked: { status: 503, exit: 10, retry: true },
  database_corrupt: { status: 503, exit: 11, retry: false },
  database_newer: { status: 503, exit: 12, retry: false },
  missing_key: { status: 422, exit: 13, retry: false },
  key_rejected: { status: 502, exit: 13, retry: false },
  unknown_model: { status: 422, exit: 14, retry: false },
  provider_unreachable: { status: 502, exit: 15, retry: true },
  provider_unavailable: { status: 502, exit: 15, retry: true },
  provider_rejected: { status: 502, exit: 15, retry: false },
  rate_limited: { status: 429, exit: 16, retry: true },
  output_invalid: { status: 502, exit: 17, retry: true },
  tool_failed: { status: 502, exit: 18, retry: false },
  timeout: { status: 504, exit: 19, retry: true },
  already_running: { status: 409, exit: 20, retry: false },
  not_running: { status: 409, exit: 21, retry: false },
  conflict: { status: 409, exit: 22, retry: false },
  worker_crashed: { status: 500, exit: 23, retry: false },
  unavailable: { status: 503, exit: 24, retry: true },
  forbidden: { status: 403, exit: 25, retry: false },
  unauthorized: { status: 401, exit: 25, retry: false },
  too_large: { status: 413, exit: 26, retry: false },
  lease_lost: { status: 409, exit: 27, retry: false },
  budget_exceeded: { status: 402, exit: 28, retry: false },
  sandbox_unavailable: { status: 422, exit: 29, retry: false },
  approval_rejected: { status: 409, exit: 30, retry: false },
  limit_reached: { status: 422, exit: 31, retry: false },
  condition_failed: { status: 422, exit: 32, retry: false },
  code_failed: { status: 422, exit: 33, retry: false },
  command_failed: { status: 502, exit: 34, retry: false },
  agent_failed: { status: 502, exit: 35, retry: false },
  cancelled: { status: 409, exit: 130, retry: false },
  internal: { status: 500, exit: 70, retry: false },
} as const satisfies Record<string, { status: number; exit: number; retry: boolean }>;

export type ErrorCode = keyof typeof ERROR_CODES;

export interface AppErrorOptions {
  /** One imperative sentence that the user can act on. */
  fix?: string;
  /** The technical cause: shown by `--verbose` and written to the log, never shown otherwise. */
  cause?: unknown;
  /** How long the other side asked us to wait, in milliseconds (Retry-After). */
  retryAfterMs?: number;
}

/** The form in which a failure is stored with a run or a step, and answered by the API. */
export interface ErrorRecord {
  readonly code: ErrorCode;
  readonly message: string;
  readonly fix?: string;
  /** Technical details, redacted. */
  readonly details?: string;
}

/** An expected failure: what happened, what the user can do, and the technical cause. */
export class AppError extends Error {
  override readonly name = "AppError";
  readonly code: ErrorCode;
  readonly fix: string | undefined;
  readonly retryAfterMs: number | undefined;

  constructor(code: ErrorCode, message: string, options: AppErrorOptions = {}) {
    super(message, { cause: options.cause });
    this.code = code;
    this.fix = options.fix;
    this.retryAfterMs = options.retryAfterMs;
  }

  /** The only way a foreign error enters the product: unknown failures become `internal`. */
  static from(error: unknown): AppError {
    if (error instanceof AppError) return error;
    return new AppError("internal", "Internal error.", { cause: error });
  }

  /** @param details Technical text to keep beside the message; the caller has redacted it. */
  toRecord(details?: string): ErrorRecord {
    return {
      code: this.code,
      message: this.message,
      ...(this.fix === undefined ? {} : { fix: this.fix }),
      ...(details === undefined ? {} : { details }),
    };
  }
}

/** True for the state of things, not of what was asked for: the database is in trouble, or too much is going on. */
export function isUnavailable(error: unknown): boolean {
  return error instanceof AppError && ERROR_CODES[error.code].status === 503;
}
