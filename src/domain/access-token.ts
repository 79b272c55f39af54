/** Tokens with which programs prove to the API who they are. */

/** `read` may look, `write` may also start and change, `admin` may also see to tokens, keys and settings. */
export const TOKEN_SCOPES = ["read", "write", "admin"] as const;
export type TokenScope = (typeof TOKEN_SCOPES)[number];

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
  /** @param token.digest SHA-256 of the token, hexadecimal: the token itself is never stored. */
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
