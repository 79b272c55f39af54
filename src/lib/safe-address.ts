/** The host stands for the dashboard's own, so that it is seen when an address leaves it. */
const HERE = "http://dashboard.invalid";
/** A longer address is shown as the text that it is. */
const ADDRESS_CHARS_MAX = 2_000;
const SCHEMES = new Set(["http:", "https:", "mailto:"]);

/**
 * What may stand in `href` for an address that a stranger wrote: http, https, mailto, or a path of this very site.
 * It is written anew, so that browsers cannot read it in another way than this function did.
 *
 * @returns Undefined for everything else.
 */
export function safeAddress(address: string): string | undefined {
  const text = address.trim();
  if (text.length > ADDRESS_CHARS_MAX || /[\s\\\p{Cc}\p{Cf}]/u.test(text)) return undefined;
  if (!text.startsWith("/")) return /^[a-z]+:/i.test(text) ? foreignAddress(text) : undefined;
  const url = URL.parse(text, HERE);
  if (url?.origin !== HERE) return undefined;
  const path = `${url.pathname}${url.search}${url.hash}`;
  // A path such as `/.//host` loses its dots, and what is left would name another host.
  return path.startsWith("//") ? undefined : path;
}

function foreignAddress(text: string): string | undefined {
  const url = URL.parse(text);
  if (url === null || !SCHEMES.has(url.protocol)) return undefined;
  // A name before the host is only there to look like one.
  if (url.username !== "" || url.password !== "") return undefined;
  return url.href;
}
