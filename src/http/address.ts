/** IP addresses as numbers, and which of them belong to the public internet. */
import { isIPv4, isIPv6 } from "node:net";

export interface Address {
  readonly family: 4 | 6;
  readonly value: bigint;
}

export interface Network extends Address {
  /** Leading bits that all of its addresses share. */
  readonly bits: number;
}

const WIDTH = { 4: 32, 6: 128 } as const;

/** Reads the usual spelling only (no octal, no hexadecimal, no zone); undefined for anything else. */
export function parseAddress(text: string): Address | undefined {
  if (isIPv4(text)) return { family: 4, value: parseIpv4(text) };
  if (!isIPv6(text) || text.includes("%")) return undefined;
  return { family: 6, value: parseIpv6(text) };
}

function parseIpv4(text: string): bigint {
  return text.split(".").reduce((value, part) => value * 256n + BigInt(part), 0n);
}

/** The text is an IPv6 address already: at most one `::`, at most one IPv4 part, at its end. */
function parseIpv6(text: string): bigint {
  const plain = text.replace(/[\d.]+\.\d+$/, (embedded) => {
    const value = parseIpv4(embedded);
    return `${(value >> 16n).toString(16)}:${(value & 0xffffn).toString(16)}`;
  });
  const [head = "", tail] = plain.split("::");
  const left = groupsOf(head);
  const right = groupsOf(tail ?? "");
  const gap = Array.from({ length: 8 - left.length - right.length }, () => 0n);
  return [...left, ...gap, ...right].reduce((value, group) => value * 65_536n + group, 0n);
}

function groupsOf(text: string): bigint[] {
  return text === "" ? [] : text.split(":").map((group) => BigInt(`0x${group}`));
}

/** Reads `10.0.0.0/8`; undefined for anything else. Bits behind the prefix count for nothing. */
export function parseNetwork(text: string): Network | undefined {
  const [, base = "", length = ""] = /^([^/]+)\/(\d{1,3})$/.exec(text) ?? [];
  const address = parseAddress(base);
  const bits = Number(length);
  if (address === undefined || bits > WIDTH[address.family]) return undefined;
  return { ...address, bits };
}

export function networkContains(network: Network, address: Address): boolean {
  if (network.family !== address.family) return false;
  const rest = BigInt(WIDTH[network.family] - network.bits);
  return network.value >> rest === address.value >> rest;
}

/** The network of this one address. */
export function networkOf(address: Address): Network {
  return { ...address, bits: WIDTH[address.family] };
}

const networks = (texts: readonly string[]) =>
  texts.map((text) => parseNetwork(text)).filter((network) => network !== undefined);

/** IANA's special-purpose registry for IPv4: all that is not reachable from everywhere, and multicast. */
const SPECIAL_IPV4 = networks([
  "0.0.0.0/8",
  "10.0.0.0/8",
  "100.64.0.0/10",
  "127.0.0.0/8",
  "169.254.0.0/16",
  "172.16.0.0/12",
  "192.0.0.0/24",
  "192.0.2.0/24",
  "192.88.99.0/24",
  "192.168.0.0/16",
  "198.18.0.0/15",
  "198.51.100.0/24",
  "203.0.113.0/24",
  "224.0.0.0/3",
]);
/** What is given out to the world; loopback, ULA, link-local and multicast lie outside of it. */
const GLOBAL_IPV6 = networks(["2000::/3"]);
/** Protocol assignments with Teredo, documentation, and 6to4, which can carry any IPv4 address. */
const SPECIAL_IPV6 = networks(["2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"]);
/** Their last 32 bits are an IPv4 address: mapped, and NAT64 as networks without IPv4 use it. */
const CARRIES_IPV4 = networks(["::ffff:0:0/96", "64:ff9b::/96"]);

const IPV4_MASK = 0xffff_ffffn;

/** True for an address of the public internet: not this machine, no private, local or special network. */
export function isPublic(address: Address): boolean {
  const isIn = (list: readonly Network[]) =>
    list.some((network) => networkContains(network, address));
  if (address.family === 4) return !isIn(SPECIAL_IPV4);
  if (isIn(CARRIES_IPV4)) return isPublic({ family: 4, value: address.value & IPV4_MASK });
  return isIn(GLOBAL_IPV6) && !isIn(SPECIAL_IPV6);
}

/** An IPv4 address that is spelled as an IPv6 one (`::ffff:10.0.0.1`) as what it is. */
export function withoutMapping(address: Address): Address {
  const isMapped = address.family === 6 && address.value >> 32n === 0xffffn;
  return isMapped ? { family: 4, value: address.value & IPV4_MASK } : address;
}
