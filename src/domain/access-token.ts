/** Tokens with which programs prove to the API who they are. */

/** `read` may look, `write` may also start and change, `admin` may also see to tokens, keys and settings. */
export const TOKEN_SCOPES = ["read", "write", "admin"] as const;
export type TokenScope = (typeof TOKEN_SCOPES)[number];

export const TOKEN_NAME_LENGTH_MAX = 100;
/** Tokens at the same time, expired ones included. */
export const TOKEN_COUNT_MAX = 200;
/** When a token was last used is kept to the minute, so that reading costs no write. */
export const TOKEN_USE_STEP_MS = 60_000;

export interface AccessToken {
  readonly id: string;
  readonly name: string;
  readonly scope: TokenScope;
  readonly createdAt: number;
  /** To the minute. */
  readonly lastUsedAt: number | null;
  readonly expiresAt: number | null;
}

/** All methods @throws AppError as `RunStore`. */
export interface TokenStore {
  /**
   * @param token.digest SHA-256 of the token, hexadecimal: the token itself is never stored.
   * @throws AppError `limit_reached` for one more than TOKEN_COUNT_MAX.
   */
  create(
    token: Pick<AccessToken, "name" | "scope" | "expiresAt"> & { readonly digest: string },
  ): Promise<AccessToken>;
  /** Newest first. */
  list(): Promise<AccessToken[]>;
  /** The token with this digest, unless it has expired; notes that it was used. */
  use(digest: string): Promise<AccessToken | undefined>;
  /** @throws AppError `not_found`. */
  revoke(id: string): Promise<void>;
}
