import fc from "fast-check";
import { expect, test } from "vitest";
import { readCapture } from "../../../../test/fixtures/dtls/flights.ts";
import { HelloCookie } from "./hello-cookie.ts";
import type { HelloExtensions } from "./hello-extensions.ts";
import {
  encodeClientHello,
  encodeHelloVerifyRequest,
  encodeServerHello,
  parseClientHello,
  parseHelloVerifyRequest,
  parseServerHello,
} from "./hello-messages.ts";

const bytes = (minLength: number, maxLength = minLength) => fc.uint8Array({ minLength, maxLength });
const uint16 = fc.integer({ min: 0, max: 0xffff });
const uint16List = fc.array(uint16, { maxLength: 50 });
const extensions: fc.Arbitrary<HelloExtensions> = fc.record(
  {
    supportedGroups: uint16List,
    ecPointFormats: fc.array(fc.nat(255), { maxLength: 20 }),
    signatureSchemes: uint16List,
    useSrtp: fc.record({ profiles: uint16List, mki: bytes(0, 255) }),
    extendedMasterSecret: fc.constant(true),
    renegotiationInfo: bytes(0, 255),
  },
  { requiredKeys: [] },
);

test("a ClientHello that was written reads back the same", () => {
  const hello = fc.record({ random: bytes(32), cookie: bytes(0, 255), cipherSuites: uint16List, extensions });
  fc.assert(
    fc.property(hello, (written) => {
      const read = parseClientHello(encodeClientHello(written));
      expect(read).toEqual({
        ...written,
        version: 0xfefd,
        sessionId: new Uint8Array(0),
        compressionMethods: Uint8Array.of(0),
        extensions: { ...written.extensions, hasUnknown: false },
      });
    }),
  );
});

test("a ServerHello that was written reads back the same", () => {
  const hello = fc.record({ random: bytes(32), cipherSuite: uint16, extensions });
  fc.assert(
    fc.property(hello, (written) => {
      const read = parseServerHello(encodeServerHello(written));
      const hasUnknown = false;
      expect(read).toEqual({
        ...written,
        version: 0xfefd,
        compressionMethod: 0,
        extensions: { ...written.extensions, hasUnknown },
      });
    }),
  );
});

test("a cookie that was written reads back the same", () => {
  fc.assert(
    fc.property(bytes(0, 255), (cookie) => {
      expect(parseHelloVerifyRequest(encodeHelloVerifyRequest(cookie))).toEqual(cookie);
    }),
  );
});

test("any bytes at all are a hello or none, and never more than that", () => {
  fc.assert(
    fc.property(bytes(0, 300), (body) => {
      parseClientHello(body);
      parseServerHello(body);
      parseHelloVerifyRequest(body);
    }),
  );
});

test("OpenSSL's ClientHello", () => {
  const [first] = readCapture("openssl-client-ecdsa").datagrams;
  expect(parseClientHello(first!.bytes.subarray(25))).toMatchObject({
    version: 0xfefd,
    compressionMethods: Uint8Array.of(0),
    extensions: {
      extendedMasterSecret: true,
      supportedGroups: expect.arrayContaining([29, 23]),
      signatureSchemes: expect.arrayContaining([0x0403]),
      useSrtp: { profiles: [7, 1], mki: new Uint8Array(0) },
      hasUnknown: true,
    },
  });
});

test("a cookie is good for the same parameters, of the server that gave it, and for nothing else", () => {
  const random = (byteLength: number) => new Uint8Array(byteLength).fill(1);
  const other = (byteLength: number) => new Uint8Array(byteLength).fill(2);
  const cookie = new HelloCookie(random);
  const hello = parseClientHello(
    encodeClientHello({
      random: random(32),
      cookie: new Uint8Array(0),
      cipherSuites: [1, 2],
      extensions: {},
    }),
  )!;
  const withCookie = { ...hello, cookie: cookie.create(hello) };
  expect(cookie.isOurs(withCookie)).toBe(true);
  expect(new HelloCookie(other).isOurs(withCookie)).toBe(false);
  expect(cookie.isOurs(hello)).toBe(false);
  expect(cookie.isOurs({ ...withCookie, cookie: withCookie.cookie.subarray(1) })).toBe(false);
  expect(cookie.isOurs({ ...withCookie, random: other(32) })).toBe(false);
  expect(cookie.isOurs({ ...withCookie, cipherSuites: [1, 3] })).toBe(false);
  expect(cookie.isOurs({ ...withCookie, sessionId: Uint8Array.of(1) })).toBe(false);
});
