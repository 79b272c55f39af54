/**
 * `fetch` for addresses that workflows and models choose: checked, pinned to what was checked, no proxy of the
 * environment, redirects followed one by one through the same check.
 */
import { HTTP_BODY_BYTES_MAX, HTTP_REDIRECT_COUNT_MAX } from "../domain/http.ts";
import { AppError } from "../domain/error.ts";
import { errorCode } from "../lib/atomic-file.ts";
import { withLimitedBody } from "../lib/limited-body.ts";
import { createGuard, type Guard, type GuardOptions, type Target } from "./guard.ts";
import { type Hop, nextHop, redirectOf } from "./redirect.ts";

export interface GuardedRequest extends Target {
  readonly method: string;
  readonly url: string;
  readonly headers: Headers;
  readonly body: string | Uint8Array | undefined;
  /** `manual`: an answer that leads elsewhere is returned as it is. */
  readonly redirect: "follow" | "manual";
}

export interface GuardedResponse {
  readonly response: Response;
  /** After redirects. */
  readonly url: string;
}

/** @throws AppError as `HttpPort.request`; the signal's reason. The body is not read. */
export type GuardedFetch = (request: GuardedRequest) => Promise<GuardedResponse>;

/** They belong to the connection, which is made here. */
const HEADERS_OF_CONNECTION = [
  "connection",
  "content-length",
  "expect",
  "host",
  "keep-alive",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
];
const USER_AGENT = "agents";

/** @throws AppError `config_invalid`. */
export function createGuardedFetch(options: GuardOptions): GuardedFetch {
  const guard = createGuard(options);
  return async (request) => follow(guard, request, { hop: firstHop(request), count: 0 });
}

async function follow(
  guard: Guard,
  request: GuardedRequest,
  { hop, count }: { readonly hop: Hop; readonly count: number },
): Promise<GuardedResponse> {
  const { signal } = request;
  // The settings name one server, not where it sends us.
  const trusted = request.trusted && hop.url.origin === new URL(request.url).origin;
  const response = await sendHop(guard, hop, { trusted, signal });
  const target = request.redirect === "manual" ? undefined : redirectOf(response, hop.url);
  if (target === undefined) return { response, url: hop.url.href };
  await response.body?.cancel();
  assertWebAddress(target);
  if (count === HTTP_REDIRECT_COUNT_MAX) {
    throw new AppError(
      "unavailable",
      `\`${request.url}\` leads elsewhere more than ${HTTP_REDIRECT_COUNT_MAX} times.`,
      { fix: "Use the address that it finally leads to." },
    );
  }
  return follow(guard, request, { hop: nextHop(hop, response.status, target), count: count + 1 });
}

/** The same as a plain `fetch` function, for libraries that take one. Bodies are texts or bytes, answers not endless. */
export function createFetchFunction(
  options: GuardOptions,
): (url: string | URL, init?: RequestInit) => Promise<Response> {
  const send = createGuardedFetch(options);
  return async (url, init = {}) => {
    const { body } = init;
    const { response, url: from } = await send({
      method: init.method ?? "GET",
      url: String(url),
      headers: new Headers(init.headers),
      body: typeof body === "string" || body instanceof Uint8Array ? body : undefined,
      redirect: init.redirect === "manual" ? "manual" : "follow",
      signal: init.signal ?? new AbortController().signal,
      trusted: false,
    });
    return withLimitedBody(response, {
      bytesMax: HTTP_BODY_BYTES_MAX,
      streamBytesMax: Infinity,
      eventBytesMax: HTTP_BODY_BYTES_MAX,
      error: () => tooLarge(new URL(from)),
    });
  };
}

function firstHop({ method, url: text, headers: given, body }: GuardedRequest): Hop {
  const url = URL.parse(text);
  if (url === null) {
    throw new AppError("invalid", `\`${text}\` is not an address.`, {
      fix: "Give the whole address, such as https://example.com/page.",
    });
  }
  assertWebAddress(url);
  const headers = new Headers(given);
  for (const name of HEADERS_OF_CONNECTION) headers.delete(name);
  if (!headers.has("user-agent")) headers.set("user-agent", USER_AGENT);
  return { method: method.toUpperCase(), url, headers, body };
}

function assertWebAddress(url: URL): void {
  if (url.protocol !== "http:" && url.protocol !== "https:") {
    throw new AppError(
      "invalid",
      `An address that begins with \`${url.protocol}\` cannot be called.`,
      {
        fix: "Use http:// or https://.",
      },
    );
  }
  if (url.username !== "" || url.password !== "") {
    throw new AppError("invalid", "The address holds a name or a password.", {
      fix: "Send them in a header, such as Authorization.",
    });
  }
}

/** The next address is tried only when no connection was made, so nothing is ever sent twice. */
async function sendHop(guard: Guard, hop: Hop, target: Target): Promise<Response> {
  const addresses = await guard(hop.url, target);
  let failure: unknown;
  for (const address of addresses) {
    try {
      // One after the other on purpose.
      // oxlint-disable-next-line no-await-in-loop
      return await sendTo(address, hop, target.signal);
    } catch (error) {
      target.signal.throwIfAborted();
      failure = error;
      if (!NOT_CONNECTED.has(errorCode(error) ?? "")) break;
    }
  }
  throw unreachable(hop.url, failure);
}

const NOT_CONNECTED = new Set([
  "ECONNREFUSED",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "EADDRNOTAVAIL",
  "EAFNOSUPPORT",
]);

function sendTo(address: string, { method, url, headers, body }: Hop, signal: AbortSignal) {
  const dialled = new URL(url);
  dialled.hostname = address.includes(":") ? `[${address}]` : address;
  const isName = dialled.hostname !== url.hostname;
  const named = new Headers(headers);
  named.set("host", url.host);
  return fetch(dialled, {
    method,
    headers: named,
    ...(body === undefined ? {} : { body }),
    redirect: "manual",
    // A proxy would resolve the name anew, and is not what was checked.
    proxy: false,
    ...(isName && url.protocol === "https:" ? { tls: { serverName: url.hostname } } : {}),
    signal,
  });
}

export function unreachable(url: URL, cause: unknown): AppError {
  const code = errorCode(cause);
  return new AppError(
    "unavailable",
    `\`${url.host}\` cannot be reached${code === undefined ? "" : ` (${code})`}.`,
    { fix: "Check the address and the network.", cause },
  );
}

export function tooLarge(url: URL): AppError {
  const limit = HTTP_BODY_BYTES_MAX / 1024 / 1024;
  return new AppError("too_large", `The answer of \`${url.host}\` is longer than ${limit} MiB.`, {
    fix: "Ask for a part of it.",
  });
}
