/**
 * Decides which addresses a request may be sent to. A name is resolved once, here; the connection is made to the
 * addresses that were checked and to no other, so that a name which leads elsewhere a moment later gains nothing.
 */
import { lookup } from "node:dns/promises";
import { AppError } from "../domain/error.ts";
import { abortable } from "../lib/abortable.ts";
import { isPublic, parseAddress } from "./address.ts";
import { type AllowList, parseAllowList } from "./allow-list.ts";

/** The addresses of a host name. Rejects, or answers with none, when there are none. */
export type Resolve = (host: string) => Promise<readonly string[]>;

export interface GuardOptions {
  /** Private addresses that may be called: `host`, `host:port` or `network/bits`. */
  readonly allowedAddresses: readonly string[];
  /** The system's own resolver when left out. */
  readonly resolve?: Resolve;
}

export interface Target {
  /** Whether the owner's settings name this address: then it may be private. */
  readonly trusted: boolean;
  readonly signal: AbortSignal;
}

/** Addresses that may be tried, best first. @throws AppError `forbidden`, `unavailable`; the signal's reason. */
export type Guard = (url: URL, target: Target) => Promise<readonly string[]>;

/** @throws AppError `config_invalid` for an address list that cannot be read. */
export function createGuard({ allowedAddresses, resolve = systemResolve }: GuardOptions): Guard {
  const allows = parseAllowList(allowedAddresses);
  return async (url, { trusted, signal }) => {
    const host = url.hostname.replace(/^\[(.*)\]$/, "$1").replace(/\.$/, "");
    const found =
      parseAddress(host) === undefined ? await addressesOf(host, resolve, signal) : [host];
    const usable = trusted ? found : found.filter((text) => isAllowed(text, { url, host, allows }));
    if (usable.length > 0) return usable;
    throw new AppError(
      "forbidden",
      `\`${host}\` is an address of this machine or of a private network.`,
      {
        fix: `Add ${url.hostname}:${portOf(url)} to AGENTS_ALLOWED_ADDRESSES if steps and tools may call it.`,
        cause: new Error(`${host} is ${found.join(", ")}`),
      },
    );
  };
}

function isAllowed(
  text: string,
  { url, host, allows }: { readonly url: URL; readonly host: string; readonly allows: AllowList },
): boolean {
  const address = parseAddress(text);
  if (address === undefined) return false;
  return isPublic(address) || allows({ host, port: portOf(url), address });
}

/** IPv4 first: on many machines IPv6 leads nowhere, and finding that out may take long. */
async function addressesOf(
  host: string,
  resolve: Resolve,
  signal: AbortSignal,
): Promise<readonly string[]> {
  let found: readonly string[] = [];
  let cause: unknown;
  try {
    found = await abortable(signal, resolve(host));
  } catch (error) {
    signal.throwIfAborted();
    cause = error;
  }
  if (found.length === 0) {
    throw new AppError("unavailable", `The name \`${host}\` cannot be resolved.`, {
      fix: "Check the spelling and the network.",
      cause,
    });
  }
  return found.toSorted((left, right) => Number(left.includes(":")) - Number(right.includes(":")));
}

async function systemResolve(host: string): Promise<readonly string[]> {
  return (await lookup(host, { all: true })).map(({ address }) => address);
}

export function portOf(url: URL): number {
  if (url.port !== "") return Number(url.port);
  return url.protocol === "https:" ? 443 : 80;
}
