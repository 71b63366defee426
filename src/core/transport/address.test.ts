import { SocketAddress } from "node:net";
import fc from "fast-check";
import { expect, test } from "vitest";
import { canonicalAddress, isSameAddress } from "./address.ts";
import { formatIp, parseIp } from "./address-bytes.ts";

/** Goes through the same code of libuv that `rinfo.address` does. */
const asNode = (address: string): string => new SocketAddress({ address, family: "ipv6" }).address;

test.each([
  ["192.0.2.1", "192.0.2.1"],
  ["2001:DB8:0:0:0:0:0:1", "2001:db8::1"],
  ["2001:db8::0:1", "2001:db8::1"],
  ["1:0:0:2:0:0:0:3", "1:0:0:2::3"],
  ["1:0:0:2:0:0:3:4", "1::2:0:0:3:4"],
  ["1:0:2:3:4:5:6:7", "1:0:2:3:4:5:6:7"],
  ["0:0:0:0:0:0:0:0", "::"],
  ["0:0:0:0:0:0:0:1", "::1"],
  ["1:0:0:0:0:0:0:0", "1::"],
  ["64:ff9b::192.0.2.1", "64:ff9b::c000:201"],
  ["::ffff:192.0.2.1", "192.0.2.1"],
  ["::FFFF:c000:201", "192.0.2.1"],
  ["0:0:0:0:0:ffff:c000:0201", "192.0.2.1"],
  ["::1.2.3.4", "::1.2.3.4"],
])("%s is written %s", (text, canonical) => {
  expect(canonicalAddress(text)).toBe(canonical);
});

test.each([
  "",
  "localhost",
  "1b9b2e6e-5a9b-4b1e-8d5f-1a2b3c4d5e6f.local",
  "fe80::1%eth0",
  "192.0.2",
  "192.0.2.256",
  "192.0.2.01",
  "1:2:3:4:5:6:7",
  "1::2::3",
  "12345::",
  "[::1]",
])("%j is no IP literal", (text) => {
  expect(canonicalAddress(text)).toBeNull();
});

/** Zeros are frequent, as in real addresses: they are what the spelling is about. */
const group = fc.oneof(fc.constant(0), fc.constant(0xffff), fc.integer({ min: 0, max: 0xffff }));

test("every IPv6 address is spelled as Node's sockets spell it, and reads back", () => {
  fc.assert(
    fc.property(fc.array(group, { minLength: 8, maxLength: 8 }), (groups) => {
      const bytes = Uint8Array.from(groups.flatMap((value) => [value >> 8, value & 0xff]));
      const long = groups.map((value) => value.toString(16)).join(":");
      const text = formatIp(bytes);
      expect(text).toBe(asNode(long));

      const read = new Uint8Array(16).fill(0xaa);
      expect(parseIp(text, read, 0)).toBe(16);
      expect(read).toEqual(bytes);
    }),
  );
});

test("any text at all is either an address that stays as it is or null", () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.ipV4(), fc.ipV6()), (text) => {
      const canonical = canonicalAddress(text);
      if (canonical !== null) expect(canonicalAddress(canonical)).toBe(canonical);
    }),
  );
});

test("addresses are the same when both parts are", () => {
  const at = { address: "192.0.2.1", port: 5_000 };
  expect(isSameAddress(at, { ...at })).toBe(true);
  expect(isSameAddress(at, { ...at, port: 5_001 })).toBe(false);
  expect(isSameAddress(at, { ...at, address: "192.0.2.2" })).toBe(false);
});
