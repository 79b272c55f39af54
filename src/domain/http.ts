/**
 * Outgoing HTTP of steps and tools. Refuses addresses of this machine and of private networks unless the
 * owner has allowed them: names are resolved here, and every redirect is checked again.
 */

/** Bytes of an answer's body that are read; a longer one is an error. */
export const HTTP_BODY_BYTES_MAX = 10 * 1024 * 1024;
export const HTTP_REDIRECT_COUNT_MAX = 5;

export interface HttpRequest {
  readonly method: string;
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  readonly signal: AbortSignal;
  /**
   * The address comes from the owner's settings, so it may be private. Never for one that a workflow or a
   * model has chosen. Redirects are checked all the same.
   */
  readonly trusted?: true;
}

export interface HttpResponse {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
  /** After redirects. */
  readonly url: string;
}

export interface HttpPort {
  /**
   * Answers of every status are returned. @throws AppError `forbidden` (private address), `invalid` (not an
   * http address), `unavailable` (cannot be reached, broke off), `too_large`; the signal's reason.
   */
  request(request: HttpRequest): Promise<HttpResponse>;
}
