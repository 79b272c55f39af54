import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import {
  isPublic,
  networkContains,
  parseAddress,
  parseNetwork,
  withoutMapping,
} from "../../src/http/address.ts";

const publicText = (text: string) => {
  const address = parseAddress(text);
  return address === undefined ? undefined : isPublic(address);
};

describe("isPublic()", () => {
  test.each([
    "0.0.0.0",
    "10.0.0.1",
    "100.64.0.1",
    "100.127.255.255",
    "127.0.0.1",
    "127.255.255.254",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.170",
    "192.168.1.1",
    "198.18.0.1",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::ffff:127.0.0.1",
    "::ffff:a00:1",
    "::ffff:169.254.169.254",
    "64:ff9b::10.0.0.1",
    "64:ff9b::169.254.169.254",
    "64:ff9b:1::1",
    "100::1",
    "2001::1",
    "2001:db8::1",
    "2002:7f00:1::1",
    "3fff::1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fec0::1",
    "ff02::1",
  ])("%s is not", (text) => {
    expect(publicText(text)).toBe(false);
  });

  test.each([
    "1.1.1.1",
    "8.8.8.8",
    "100.63.255.255",
    "100.128.0.0",
    "172.15.255.255",
    "172.32.0.0",
    "223.255.255.255",
    "2606:4700:4700::1111",
    "2a00:1450:4001:82a::200e",
    "::ffff:8.8.8.8",
    "64:ff9b::808:808",
  ])("%s is", (text) => {
    expect(publicText(text)).toBe(true);
  });

  test("every spelling of a private IPv4 address inside IPv6 stays private", () => {
    const byte = fc.integer({ min: 0, max: 255 });
    const inside = fc.constantFrom([10], [127], [192, 168], [169, 254], [100, 64]);
    fc.assert(
      fc.property(inside, fc.tuple(byte, byte, byte, byte), (head, tail) => {
        const bytes = [...head, ...tail].slice(0, 4);
        const dotted = bytes.join(".");
        const hex = bytes.map((part) => part.toString(16).padStart(2, "0")).join("");
        const groups = `${hex.slice(0, 4)}:${hex.slice(4)}`;
        for (const prefix of ["::ffff:", "::", "64:ff9b::", "0:0:0:0:0:ffff:"]) {
          expect(publicText(`${prefix}${dotted}`)).toBe(false);
          expect(publicText(`${prefix}${groups}`)).toBe(false);
        }
        expect(publicText(`2002:${groups}::1`)).toBe(false);
      }),
    );
  });
});

describe("parseAddress()", () => {
  test.each([
    "",
    "localhost",
    "127.1",
    "0x7f.0.0.1",
    "0177.0.0.1",
    "2130706433",
    "1.2.3.4.5",
    "fe80::1%eth0",
    "[::1]",
    "1::2::3",
  ])("%j is no address", (text) => {
    expect(parseAddress(text)).toBeUndefined();
  });

  test("reads every IPv6 spelling to the same number", () => {
    fc.assert(
      fc.property(fc.ipV6(), (text) => {
        const address = parseAddress(text);
        if (address === undefined) throw new Error(`${text} was not read`);
        const groups = Array.from({ length: 8 }, (_, index) =>
          ((address.value >> BigInt(112 - 16 * index)) & 0xffffn).toString(16),
        );
        expect(parseAddress(groups.join(":"))).toEqual(address);
        // What URLs make of it is the same address; they do not take every spelling.
        const url = URL.parse(`http://[${text}]/`);
        if (url !== null) expect(parseAddress(url.hostname.slice(1, -1))).toEqual(address);
      }),
    );
  });
});

test("networkContains() compares the leading bits only", () => {
  const network = parseNetwork("10.1.128.0/17");
  const isIn = (text: string) => {
    const address = parseAddress(text);
    return network !== undefined && address !== undefined && networkContains(network, address);
  };
  expect(isIn("10.1.128.0")).toBe(true);
  expect(isIn("10.1.255.255")).toBe(true);
  expect(isIn("10.1.127.255")).toBe(false);
  expect(isIn("::ffff:10.1.128.0")).toBe(false);
  for (const text of ["10.0.0.0", "10.0.0.0/33", "a/8", "::/129"])
    expect(parseNetwork(text)).toBeUndefined();
});

test("withoutMapping() gives the IPv4 address", () => {
  const mapped = parseAddress("::ffff:1.2.3.4");
  expect(mapped === undefined ? undefined : withoutMapping(mapped)).toEqual({
    family: 4,
    value: 0x01020304n,
  });
});
