/** Tokens of the API: what they look like, and what is stored of them. */
import { createHash, randomBytes } from "node:crypto";
import type { TokenScope } from "../domain/access-token.ts";
import { TOKEN_SCOPES } from "../domain/access-token.ts";

/** Tells people and scanners of leaked secrets what it is. */
export const TOKEN_PREFIX = "agents_";
const TOKEN_BYTE_COUNT = 32;
const TOKEN = /^agents_[\w-]{43}$/;

export function newToken(): string {
  return TOKEN_PREFIX + randomBytes(TOKEN_BYTE_COUNT).toString("base64url");
}

export function isTokenText(text: string): boolean {
  return TOKEN.test(text);
}

/** No slow hash: 256 random bits cannot be guessed. */
export function tokenDigest(token: string): string {
  return createHash("sha256").update(token).digest("hex");
}

/** True when a token of scope `held` may do what needs `wanted`. */
export function includesScope(held: TokenScope, wanted: TokenScope): boolean {
  return TOKEN_SCOPES.indexOf(held) >= TOKEN_SCOPES.indexOf(wanted);
}
