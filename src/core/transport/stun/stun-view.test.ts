import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  RFC5769_IPV4_RESPONSE,
  RFC5769_IPV6_RESPONSE,
  RFC5769_PASSWORD,
  RFC5769_REQUEST,
} from "../../../../test/fixtures/stun/samples.ts";
import { writeUint16, writeUint32 } from "../bytes.ts";
import { fingerprintOf } from "./fingerprint.ts";
import { createIntegrityKey, integrityOf } from "./message-integrity.ts";
import { StunView } from "./stun-view.ts";
import { StunWriter } from "./stun-writer.ts";

const KEY = createIntegrityKey(RFC5769_PASSWORD);
const TRANSACTION = new Uint8Array(12).fill(7);
const SAMPLES = [
  ["request", RFC5769_REQUEST],
  ["IPv4 response", RFC5769_IPV4_RESPONSE],
  ["IPv6 response", RFC5769_IPV6_RESPONSE],
] as const;

function view(datagram: Uint8Array): StunView {
  const message = new StunView();
  expect(message.read(datagram)).toBeNull();
  return message;
}

/** A Binding message of raw attributes, with a right MESSAGE-INTEGRITY and FINGERPRINT where the types are named. */
function message(type: number, attributes: readonly (readonly [number, readonly number[]] | "mi" | "fp")[]) {
  const bytes = new Uint8Array(2_000);
  writeUint16(bytes, 0, type);
  writeUint32(bytes, 4, 0x2112a442);
  let length = 20;
  for (const attribute of attributes) {
    const [attributeType, value] =
      attribute === "mi"
        ? [8, integrityOf(bytes, length, KEY)]
        : attribute === "fp"
          ? [0x8028, uint32(fingerprintOf(bytes, length))]
          : attribute;
    writeUint16(bytes, length, attributeType);
    writeUint16(bytes, length + 2, value.length);
    bytes.set(value, length + 4);
    length += 4 + ((value.length + 3) & ~3);
  }
  writeUint16(bytes, 2, length - 20);
  return bytes.slice(0, length);
}

function uint32(value: number): number[] {
  const bytes = new Uint8Array(4);
  writeUint32(bytes, 0, value);
  return [...bytes];
}

describe("the samples of RFC 5769", () => {
  test("the request is read", () => {
    const request = view(RFC5769_REQUEST);
    expect(request).toMatchObject({
      messageClass: "request",
      hasFingerprint: true,
      priority: 0x6e0001ff,
      useCandidate: false,
      role: "controlled",
      tieBreakerHigh: 0x932ff9b1,
      tieBreakerLow: 0x51263b36,
      errorCode: 0,
      unknownTypeCount: 0,
    });
    expect(request.hasUsername(Buffer.from("evtj:h6vY"))).toBe(true);
    expect(request.hasUsername(Buffer.from("evtj:h6vX"))).toBe(false);
    expect(request.hasUsername(Buffer.from("evtj:h6v"))).toBe(false);
    expect(request.mappedAddress()).toBeNull();
  });

  test.each([
    ["IPv4", RFC5769_IPV4_RESPONSE, "192.0.2.1"],
    ["IPv6", RFC5769_IPV6_RESPONSE, "2001:db8:1234:5678:11:2233:4455:6677"],
  ])("the %s response says what address the request came from", (_, datagram, address) => {
    const response = view(datagram);
    expect(response.messageClass).toBe("success");
    expect(response.mappedAddress()).toEqual({ address, port: 32_853 });
    expect(response.hasTransactionId(RFC5769_REQUEST.subarray(8, 20))).toBe(true);
    expect(response.hasTransactionId(TRANSACTION)).toBe(false);
  });

  test.each(SAMPLES)("the %s is authentic under its password and no other", (_, datagram) => {
    expect(view(datagram).isAuthentic(KEY)).toBe(true);
    expect(view(datagram).isAuthentic(createIntegrityKey(`${RFC5769_PASSWORD}x`))).toBe(false);
  });

  test.each(SAMPLES)("no prefix of the %s is a message", (_, datagram) => {
    const message = new StunView();
    for (let length = 0; length < datagram.length; length += 1) {
      expect(message.read(datagram.subarray(0, length))).not.toBeNull();
    }
    expect(message.read(Buffer.concat([datagram, new Uint8Array(4)]))).toBe("length");
  });

  test.each(SAMPLES)("no single flipped bit of the %s passes", (_, datagram) => {
    const message = new StunView();
    for (let bit = 0; bit < datagram.length * 8; bit += 1) {
      const broken = Uint8Array.from(datagram);
      broken[bit >> 3]! ^= 1 << (bit & 7);
      const passes = message.read(broken) === null && message.hasFingerprint && message.isAuthentic(KEY);
      expect(passes).toBe(false);
    }
  });
});

describe("a STUN message", () => {
  test("is read as if the view were new", () => {
    const reused = view(RFC5769_REQUEST);
    expect(reused.read(message(0x0111, [[0x0009, [0, 0, 4, 1]], "fp"]))).toBeNull();
    expect(reused).toMatchObject({ messageClass: "error", errorCode: 401, role: null, priority: -1 });
    expect(reused.hasUsername(Buffer.from("evtj:h6vY"))).toBe(false);
    expect(reused.hasIntegrityAttribute).toBe(false);
    expect(reused.isAuthentic(KEY)).toBe(false);
  });

  test("has no attribute behind MESSAGE-INTEGRITY but FINGERPRINT", () => {
    const datagram = message(0x0001, ["mi", [0x0024, [0, 0, 0, 9]], [0x0025, []], [0x0003, []], "fp"]);
    expect(view(datagram)).toMatchObject({
      priority: -1,
      useCandidate: false,
      unknownTypeCount: 0,
      hasFingerprint: true,
    });
    expect(view(datagram).isAuthentic(KEY)).toBe(true);
  });

  test("ends with its FINGERPRINT", () => {
    expect(new StunView().read(message(0x0001, ["fp", [0x0025, []]]))).toBe("attribute");
  });

  test("counts the first of equal attributes", () => {
    const datagram = message(0x0101, [
      [0x0006, [0x61]],
      [0x0006, [0x62]],
      [0x0024, uint32(1)],
      [0x0024, uint32(2)],
      [0x802a, [0, 0, 0, 1, 0, 0, 0, 2]],
      [0x8029, [0, 0, 0, 3, 0, 0, 0, 4]],
      [0x0009, [0, 0, 4, 0]],
      [0x0009, [0, 0, 4, 87]],
      [0x0020, [0, 1, 0x21, 0x13, 0x21, 0x12, 0xa4, 0x43]],
      [0x0020, [0, 1, 0x21, 0x14, 0x21, 0x12, 0xa4, 0x44]],
    ]);
    const read = view(datagram);
    expect(read).toMatchObject({
      priority: 1,
      role: "controlling",
      tieBreakerHigh: 1,
      tieBreakerLow: 2,
      errorCode: 400,
    });
    expect(read.hasUsername(Buffer.from("a"))).toBe(true);
    expect(read.mappedAddress()).toEqual({ address: "0.0.0.1", port: 1 });
  });

  test("names the types that must be understood and are not", () => {
    const unknown = Array.from({ length: 20 }, (_, i) => [0x7000 + i, []] as const);
    const read = view(message(0x0001, [[0x8022, [1]], [0xc057, [1, 2, 3, 4]], ...unknown]));
    expect(read.unknownTypeCount).toBe(8);
    expect([...read.unknownTypes].slice(0, 3)).toEqual([0x7000, 0x7001, 0x7002]);
  });

  test.each([
    ["a short PRIORITY", [0x0024, [1, 2, 3]]],
    ["a long PRIORITY", [0x0024, [1, 2, 3, 4, 5]]],
    ["a short tie-breaker", [0x802a, [1, 2, 3, 4]]],
    ["a short MESSAGE-INTEGRITY", [0x0008, [1, 2, 3, 4]]],
    ["a short ERROR-CODE", [0x0009, [0, 0, 4]]],
    ["an ERROR-CODE of 200", [0x0009, [0, 0, 2, 0]]],
    ["an ERROR-CODE of 4 and 100", [0x0009, [0, 0, 4, 100]]],
    ["a short XOR-MAPPED-ADDRESS", [0x0020, [0, 2, 1, 1, 1, 1, 1, 1]]],
    ["an XOR-MAPPED-ADDRESS of no family", [0x0020, [0, 3, 1, 1, 1, 1, 1, 1]]],
    ["a long FINGERPRINT", [0x8028, [1, 2, 3, 4, 5]]],
  ] as const)("with %s is refused", (_, attribute) => {
    expect(new StunView().read(message(0x0001, [attribute]))).toBe("attribute");
  });

  test("is refused with another cookie, method, length or too many attributes", () => {
    const read = (change: (bytes: Uint8Array) => void) => {
      const bytes = Uint8Array.from(RFC5769_REQUEST);
      change(bytes);
      return new StunView().read(bytes);
    };
    expect(read((bytes) => writeUint32(bytes, 4, 0x2112a443))).toBe("cookie");
    expect(read((bytes) => writeUint16(bytes, 0, 0x0003))).toBe("type");
    expect(read((bytes) => writeUint16(bytes, 2, 0x54))).toBe("length");
    expect(read((bytes) => writeUint16(bytes, 22, 0xfff0))).toBe("attribute");
    expect(read((bytes) => writeUint32(bytes, bytes.length - 4, 0))).toBe("fingerprint");
    const many = Array.from({ length: 33 }, () => [0x8022, []] as const);
    expect(new StunView().read(message(0x0001, many))).toBe("attribute");
    expect(new StunView().read(message(0x0001, many.slice(1)))).toBeNull();
    expect(new StunView().read(message(0x0001, [[0x8022, new Array<number>(1_260).fill(0)]]))).toBe("length");
  });

  test("may be any bytes: reading never throws and never passes what has no right integrity", () => {
    const reused = new StunView();
    const datagram = fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      fc.tuple(fc.nat(RFC5769_REQUEST.length - 1), fc.uint8Array({ maxLength: 30 })).map(([at, bytes]) => {
        const mutated = Uint8Array.from(RFC5769_REQUEST);
        mutated.set(bytes.subarray(0, mutated.length - at), at);
        return mutated;
      }),
    );
    fc.assert(
      fc.property(datagram, (bytes) => {
        if (Buffer.compare(bytes, RFC5769_REQUEST) === 0) return;
        const passes = reused.read(bytes) === null && reused.hasFingerprint && reused.isAuthentic(KEY);
        expect(passes).toBe(false);
        reused.mappedAddress();
      }),
    );
  });
});

describe("the writer", () => {
  test.each([
    ["192.0.2.1", RFC5769_IPV4_RESPONSE],
    ["2001:db8:1234:5678:11:2233:4455:6677", RFC5769_IPV6_RESPONSE],
  ])("writes the address %s as the sample does", (address, sample) => {
    const writer = new StunWriter();
    writer.begin("success", sample.subarray(8, 20));
    writer.xorMappedAddress({ address, port: 32_853 });
    const written = writer.finish(KEY);
    const attributeBytes = address.includes(":") ? 24 : 12;
    expect(Buffer.from(written.subarray(20, 20 + attributeBytes))).toEqual(
      Buffer.from(sample.subarray(36, 36 + attributeBytes)),
    );
    expect(view(written).isAuthentic(KEY)).toBe(true);
  });

  test("writes what the view reads back, into a buffer that was used before", () => {
    const writer = new StunWriter();
    writer.begin("request", new Uint8Array(12).fill(0xff));
    writer.username(new Uint8Array(513).fill(0xff));
    writer.finish(KEY);

    writer.begin("request", TRANSACTION);
    writer.username(Buffer.from("them:us"));
    writer.priority(0x6e7fffff);
    writer.role(true, 0xfedcba98, 0x76543210);
    writer.useCandidate();
    const read = view(writer.finish(KEY));
    expect(read).toMatchObject({
      messageClass: "request",
      hasFingerprint: true,
      priority: 0x6e7fffff,
      useCandidate: true,
      role: "controlling",
      tieBreakerHigh: 0xfedcba98,
      tieBreakerLow: 0x76543210,
    });
    expect(read.hasUsername(Buffer.from("them:us"))).toBe(true);
    expect(read.hasTransactionId(TRANSACTION)).toBe(true);
    expect(read.isAuthentic(KEY)).toBe(true);
    expect(read.bytes.length).toBe(20 + 12 + 8 + 12 + 4 + 24 + 8);
  });

  test("writes an error without integrity and with unknown types", () => {
    const writer = new StunWriter();
    writer.begin("error", TRANSACTION);
    writer.errorCode(420);
    writer.unknownAttributes(Uint16Array.of(0x7000, 0x7001, 0x7002), 3);
    const datagram = writer.finish(null);
    expect(view(datagram)).toMatchObject({
      messageClass: "error",
      errorCode: 420,
      hasIntegrityAttribute: false,
    });
    expect(Buffer.from(datagram.subarray(28, 40)).toString("hex")).toBe("000a00067000700170020000");
  });
});
