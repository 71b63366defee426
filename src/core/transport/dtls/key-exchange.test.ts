import { createECDH, createPublicKey, diffieHellman, generateKeyPairSync } from "node:crypto";
import { expect, test } from "vitest";
import { EphemeralKey, type NamedGroup } from "./key-exchange.ts";

const GROUPS: readonly NamedGroup[] = ["x25519", "secp256r1", "secp384r1"];

test.each(GROUPS)("two sides with %s keys agree on one secret", (group) => {
  const ours = EphemeralKey.create(group);
  const theirs = EphemeralKey.create(group);
  const secret = ours.computeSecret(theirs.publicKey);
  expect(secret).toHaveLength(group === "secp384r1" ? 48 : 32);
  expect(theirs.computeSecret(ours.publicKey)).toEqual(secret);
});

test("X25519 agrees with a key that went in as DER", () => {
  const theirs = generateKeyPairSync("x25519");
  const ours = EphemeralKey.create("x25519");
  const raw = theirs.publicKey.export({ type: "spki", format: "der" }).subarray(-32);
  const spki = Buffer.concat([Buffer.from("302a300506032b656e032100", "hex"), ours.publicKey]);
  const publicKey = createPublicKey({ key: spki, format: "der", type: "spki" });
  expect(ours.computeSecret(raw)).toEqual(diffieHellman({ privateKey: theirs.privateKey, publicKey }));
});

test.each(GROUPS)("a %s key of another length gives no secret", (group) => {
  const key = EphemeralKey.create(group);
  const peer = Buffer.from(EphemeralKey.create(group).publicKey);
  expect(key.computeSecret(new Uint8Array(0))).toBeNull();
  expect(key.computeSecret(peer.subarray(1))).toBeNull();
  expect(key.computeSecret(Buffer.concat([peer, Buffer.alloc(1)]))).toBeNull();
});

test.each([
  // The points of low order that public lists have, with their forms above the prime.
  "0000000000000000000000000000000000000000000000000000000000000000",
  "0100000000000000000000000000000000000000000000000000000000000000",
  "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
  "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
  "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
])("the X25519 point of low order %s gives no secret", (point) => {
  expect(EphemeralKey.create("x25519").computeSecret(Buffer.from(point, "hex"))).toBeNull();
});

test.each([
  ["secp256r1", "prime256v1", 32],
  ["secp384r1", "secp384r1", 48],
] as const)(
  "a %s point that is off the curve, compressed, hybrid or at infinity gives no secret",
  (group, curve, bytes) => {
    const key = EphemeralKey.create(group);
    const ecdh = createECDH(curve);
    const point = ecdh.generateKeys();
    const offCurve = Buffer.from(point);
    offCurve[2 * bytes]! ^= 1;
    expect(key.computeSecret(offCurve)).toBeNull();
    expect(key.computeSecret(ecdh.getPublicKey(null, "compressed"))).toBeNull();
    expect(key.computeSecret(ecdh.getPublicKey(null, "hybrid"))).toBeNull();
    expect(key.computeSecret(Buffer.alloc(1 + 2 * bytes))).toBeNull();
    expect(key.computeSecret(point)).toHaveLength(bytes);
  },
);
