import { describe, expect, it } from "vitest";
import {
  buildStunMessage,
  checkAttributes,
  hasValidIntegrity,
  parseStunMessage,
  xorMappedAddress,
} from "./stun.ts";

const bytes = (hex: string): Buffer => Buffer.from(hex.replaceAll(/\s/g, ""), "hex");

/** RFC 5769 §2: the password of its three short-term samples. */
const PASSWORD = "VOkJxbRl1RmTxUk/WvJxBt";

const REQUEST = bytes(`
  00010058 2112a442 b7e7a701bc34d686fa87dfae
  80220010 5354554e207465737420636c69656e74
  00240004 6e0001ff
  80290008 932ff9b151263b36
  00060009 6576746a3a68367659202020
  00080014 9aeaa70cbfd8cb56781ef2b5b2d3f249c1b571a2
  80280004 e57a3bcf`);

const RESPONSE_V4 = bytes(`
  0101003c 2112a442 b7e7a701bc34d686fa87dfae
  8022000b 7465737420766563746f7220
  00200008 0001a147e112a643
  00080014 2b91f599fd9e90c38c7489f92af9ba53f06be7d7
  80280004 c07d4c96`);

const RESPONSE_V6 = bytes(`
  01010048 2112a442 b7e7a701bc34d686fa87dfae
  8022000b 7465737420766563746f7220
  00200014 0002a1470113a9faa5d3f179bc25f4b5bed2b9d9
  00080014 a382954e4be67bf11784c97c8292c275bfe3ed41
  80280004 c8fb0b4c`);

describe("STUN", () => {
  it("reads the sample request of RFC 5769 §2.1", () => {
    const message = parseStunMessage(REQUEST)!;
    expect(message).toMatchObject({
      messageClass: "request",
      username: "evtj:h6vY",
      role: "controlled",
      hasFingerprint: true,
      useCandidate: false,
      unknownRequired: [],
    });
    expect(hasValidIntegrity(message, PASSWORD)).toBe(true);
    expect(hasValidIntegrity(message, `${PASSWORD}x`)).toBe(false);
  });

  it.each([
    ["IPv4 response of RFC 5769 §2.2", RESPONSE_V4, "192.0.2.1"],
    ["IPv6 response of RFC 5769 §2.3", RESPONSE_V6, "2001:db8:1234:5678:11:2233:4455:6677"],
  ])("reads the sample %s", (_name, response, address) => {
    const message = parseStunMessage(response)!;
    expect(message.messageClass).toBe("success");
    expect(message.mappedAddress).toEqual({ address, port: 32_853 });
    expect(hasValidIntegrity(message, PASSWORD)).toBe(true);
  });

  it.each(["192.0.2.1", "2001:db8:1234:5678:11:2233:4455:6677"])("writes %s as the samples do", (address) => {
    const transactionId = REQUEST.subarray(8, 20);
    const sample = address.includes(":") ? RESPONSE_V6 : RESPONSE_V4;
    const mapped = xorMappedAddress({ address, port: 32_853 }, transactionId);
    expect(sample.includes(Buffer.from(mapped.value))).toBe(true);
  });

  it("expands the zeros of a short IPv6 address", () => {
    const transactionId = new Uint8Array(12).fill(9);
    for (const [short, long] of [
      ["::1", "0:0:0:0:0:0:0:1"],
      ["fe80::7%eth0", "fe80:0:0:0:0:0:0:7"],
      ["::", "0:0:0:0:0:0:0:0"],
    ] as const) {
      const mapped = xorMappedAddress({ address: short, port: 1 }, transactionId);
      const message = buildStunMessage("success", transactionId, [mapped], null);
      expect(parseStunMessage(message)?.mappedAddress?.address).toBe(long);
    }
  });

  it("reads back what it writes", () => {
    const check = { username: "a:b", priority: 1, role: "controlling", useCandidate: true } as const;
    const message = buildStunMessage("request", new Uint8Array(12).fill(5), checkAttributes(check), "secret");
    const parsed = parseStunMessage(message)!;
    expect(parsed).toMatchObject({
      username: "a:b",
      role: "controlling",
      useCandidate: true,
      hasFingerprint: true,
    });
    expect(hasValidIntegrity(parsed, "secret")).toBe(true);
  });

  it("takes no message with a single bit changed", () => {
    for (let bit = 0; bit < REQUEST.length * 8; bit += 1) {
      const broken = Buffer.from(REQUEST);
      broken[bit >> 3]! ^= 1 << (bit & 7);
      const message = parseStunMessage(broken);
      const isTaken = message?.hasFingerprint === true && hasValidIntegrity(message, PASSWORD);
      expect(isTaken).toBe(false);
    }
  });

  it("takes no prefix of a message and nothing longer than it says", () => {
    for (let length = 0; length < REQUEST.length; length += 1) {
      expect(parseStunMessage(REQUEST.subarray(0, length))).toBeNull();
    }
    expect(parseStunMessage(Buffer.concat([REQUEST, Buffer.alloc(4)]))).toBeNull();
  });
});
