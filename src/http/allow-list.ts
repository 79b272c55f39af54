/** The owner's exceptions: private addresses that steps and tools may call all the same. */
import { AppError } from "../domain/error.ts";
import {
  type Address,
  type Network,
  networkContains,
  networkOf,
  parseAddress,
  parseNetwork,
  withoutMapping,
} from "./address.ts";

export interface Destination {
  /** As the URL has it, in lower case; IPv6 without brackets. */
  readonly host: string;
  readonly port: number;
  readonly address: Address;
}

export type AllowList = (destination: Destination) => boolean;

const PORT_MAX = 65_535;

/**
 * Reads `host`, `host:port` and `network/bits`. A host name allows whatever it leads to; an address or a network allows
 * every name that leads there. @throws AppError `config_invalid`.
 */
export function parseAllowList(entries: readonly string[]): AllowList {
  const rules = entries.map(parseEntry);
  return (destination) => rules.some((rule) => rule(destination));
}

function parseEntry(entry: string): AllowList {
  const network = parseNetwork(entry);
  if (network !== undefined) return ({ address }) => inNetwork(network, address);
  const { host, port } = splitPort(entry) ?? fail(entry);
  const fits = (destination: Destination) => port === undefined || port === destination.port;
  const address = parseAddress(host);
  if (address !== undefined) {
    const single = networkOf(withoutMapping(address));
    return (destination) => fits(destination) && inNetwork(single, destination.address);
  }
  const name = hostName(host) ?? fail(entry);
  return (destination) => fits(destination) && destination.host === name;
}

function inNetwork(network: Network, address: Address): boolean {
  return networkContains(network, address) || networkContains(network, withoutMapping(address));
}

/** `a`, `a:1`, `[::1]`, `[::1]:1`, `::1`. */
function splitPort(entry: string): { host: string; port?: number } | undefined {
  if (parseAddress(entry) !== undefined) return { host: entry };
  const [, bracketed, plain, digits] =
    /^(?:\[([^\]]+)\]|([^:/\s]+))(?::(\d{1,5}))?$/.exec(entry) ?? [];
  const host = bracketed ?? plain;
  if (host === undefined || Number(digits ?? 0) > PORT_MAX) return undefined;
  return digits === undefined ? { host } : { host, port: Number(digits) };
}

/** A name as URLs carry it: lower case, punycode. */
function hostName(host: string): string | undefined {
  const text = `http://${host}/`;
  if (!URL.canParse(text)) return undefined;
  const { hostname, href } = new URL(text);
  return href === `http://${hostname}/` ? hostname : undefined;
}

function fail(entry: string): never {
  throw new AppError("config_invalid", `AGENTS_ALLOWED_ADDRESSES cannot hold \`${entry}\`.`, {
    fix: "Write host, host:port or network/bits, such as localhost:8080 or 10.1.0.0/16.",
  });
}
