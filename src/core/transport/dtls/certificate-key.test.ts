import { X509Certificate } from "node:crypto";
import fc from "fast-check";
import { expect, test } from "vitest";
import { findP256Point } from "./certificate-key.ts";
import { createCertificate } from "./dtls-certificate.ts";
import { readPublicKey } from "./signature.ts";

const { der } = createCertificate({
  nowMs: 1_790_000_000_000,
  lifetimeMs: 86_400_000,
  random: (byteLength) => new Uint8Array(byteLength).fill(7),
});
const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString("base64url");

test("the key found is the one that OpenSSL finds", () => {
  const point = findP256Point(der);
  const { x, y } = new X509Certificate(der).publicKey.export({ format: "jwk" });
  expect([text(point!.x), text(point!.y)]).toEqual([x, y]);
  expect(readPublicKey(der)?.export({ format: "jwk" })).toMatchObject({ kty: "EC", crv: "P-256", x, y });
});

test("a certificate cut off anywhere before its key's end has none", () => {
  const end = Buffer.from(der).indexOf(Buffer.from(findP256Point(der)!.y)) + 32;
  for (let length = 0; length < end; length += 1) expect(findP256Point(der.subarray(0, length))).toBeNull();
});

test("a point that is not on the curve is no key", () => {
  const forged = Uint8Array.from(der);
  forged[Buffer.from(der).indexOf(Buffer.from(findP256Point(der)!.y)) + 31]! ^= 1;
  expect(readPublicKey(forged)).toBeNull();
});

test("whatever the bytes, nothing is thrown, and what is found lies in them", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(der.length - 1), fc.nat(255)), { maxLength: 8 }), (changes) => {
      const mutated = Uint8Array.from(der);
      for (const [index, byte] of changes) mutated[index] = byte;
      const point = findP256Point(mutated);
      if (point !== null) expect([point.x.length, point.y.length]).toEqual([32, 32]);
    }),
  );
});
