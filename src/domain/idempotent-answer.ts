/** Requests that may be sent again: under the same key they act once and get the same answer. */

/** So long a key is kept. */
export const IDEMPOTENCY_KEPT_MS = 24 * 60 * 60 * 1000;
export const IDEMPOTENCY_KEY_LENGTH_MAX = 255;

export interface IdempotentAnswer {
  readonly status: number;
  readonly location: string | null;
  readonly body: string;
}

/** What is known of a key, as of now. `startedAt` is the time of its first request, also for a later one. */
export type IdempotencyState =
  /** The key is new, and taken by this request. */
  | { readonly state: "begun"; readonly startedAt: number }
  /** The first request has not answered: it is under way, or its process has died. */
  | { readonly state: "open"; readonly startedAt: number }
  | { readonly state: "answered"; readonly answer: IdempotentAnswer }
  /** It belongs to another request. */
  | { readonly state: "taken" };

/** All methods @throws AppError as `RunStore`. */
export interface IdempotencyStore {
  /** @param requestDigest Tells requests under the same key apart. */
  begin(key: string, requestDigest: string): Promise<IdempotencyState>;
  /** Keeps the answer for IDEMPOTENCY_KEPT_MS after `begin`. */
  finish(key: string, answer: IdempotentAnswer): Promise<void>;
  /** Frees the key: nothing was done. */
  abandon(key: string): Promise<void>;
}
