import { expect, test } from "vitest";
import { type PrfHash, prf } from "./prf.ts";

// The vectors that circulate since the TLS list's message 03416 of 2009; `openssl kdf TLS1-PRF` gives the same.
const VECTORS: readonly { hash: PrfHash; secret: string; seed: string; output: string }[] = [
  {
    hash: "sha256",
    secret: "9bbe436ba940f017b17652849a71db35",
    seed: "a0ba9f936cda311827a6f796ffd5198c",
    output:
      "e3f229ba727be17b8d122620557cd453c2aab21d07c3d495329b52d4e61edb5a6b301791e90d35c9c9a46b4e14baf9af0fa022f7" +
      "077def17abfd3797c0564bab4fbc91666e9def9b97fce34f796789baa48082d122ee42c5a72e5a5110fff70187347b66",
  },
  {
    hash: "sha384",
    secret: "b80b733d6ceefcdc71566ea48e5567df",
    seed: "cd665cf6a8447dd6ff8b27555edb7465",
    output:
      "7b0c18e9ced410ed1804f2cfa34a336a1c14dffb4900bb5fd7942107e81c83cde9ca0faa60be9fe34f82b1233c9146a0e534cb40" +
      "0fed2700884f9dc236f80edd8bfa961144c9e8d792eca722a7b32fc3d416d473ebc2c5fd4abfdad05d9184259b5bf8cd4d90fa0d" +
      "31e2dec479e4f1a26066f2eea9a69236a3e52655c9e9aee691c8f3a26854308d5eaa3be85e0990703d73e56f",
  },
];

test.each(VECTORS)("the pseudorandom function with $hash gives the public vector", (vector) => {
  const expected = Buffer.from(vector.output, "hex");
  const secret = Buffer.from(vector.secret, "hex");
  const seed = Buffer.from(vector.seed, "hex");
  expect(Buffer.from(prf(vector.hash, secret, "test label", seed, expected.length))).toEqual(expected);
});

test("a shorter output is the beginning of a longer one", () => {
  const secret = Buffer.from("secret");
  const seed = Buffer.from("seed");
  const long = prf("sha256", secret, "label", seed, 104);
  for (const lengthBytes of [0, 1, 12, 31, 32, 33, 64, 103]) {
    expect(prf("sha256", secret, "label", seed, lengthBytes)).toEqual(long.subarray(0, lengthBytes));
  }
});
