/** What is asked next after an answer that says "elsewhere". */

/** Headers that go to another origin too; all others may carry secrets, or mean something to the first one only. */
const HEADERS_FOR_ALL = new Set([
  "accept",
  "accept-language",
  "content-encoding",
  "content-language",
  "content-type",
  "range",
  "user-agent",
]);
const HEADERS_OF_BODIES = [
  "content-encoding",
  "content-language",
  "content-location",
  "content-type",
];
const REDIRECTS = new Set([301, 302, 303, 307, 308]);

export interface Hop {
  readonly method: string;
  readonly url: URL;
  readonly headers: Headers;
  readonly body: string | Uint8Array | undefined;
}

/** The address that an answer leads to; undefined when it is an answer for good. */
export function redirectOf(response: Response, url: URL): URL | undefined {
  const location = response.headers.get("location");
  if (!REDIRECTS.has(response.status) || location === null) return undefined;
  return URL.parse(location, url.href) ?? undefined;
}

/** The request that follows, with method and body as the fetch standard has it, and without secrets elsewhere. */
export function nextHop(hop: Hop, status: number, url: URL): Hop {
  const sameOrigin = url.origin === hop.url.origin;
  const kept = [...hop.headers].filter(([name]) => sameOrigin || HEADERS_FOR_ALL.has(name));
  const headers = new Headers(kept);
  const isGet =
    (status === 303 && hop.method !== "HEAD") || (status <= 302 && hop.method === "POST");
  if (isGet) for (const name of HEADERS_OF_BODIES) headers.delete(name);
  return isGet
    ? { method: "GET", url, headers, body: undefined }
    : { method: hop.method, url, headers, body: hop.body };
}
