import { createHmac, timingSafeEqual } from "node:crypto";

/** HMAC-SHA256 in base64url; `purpose` keeps a signature for one use from passing for another. */
export function sign(secretKey: string, purpose: string, value: string): string {
  return createHmac("sha256", secretKey).update(`${purpose}\n${value}`).digest("base64url");
}

/** Compares in constant time. */
export function isSame(left: string, right: string): boolean {
  const a = Buffer.from(left);
  const b = Buffer.from(right);
  return a.length === b.length && timingSafeEqual(a, b);
}
