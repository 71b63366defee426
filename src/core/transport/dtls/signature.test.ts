import { execFileSync, spawnSync } from "node:child_process";
import {
  constants,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  sign,
  X509Certificate,
} from "node:crypto";
import { expect, test } from "vitest";
import { createCertificate } from "./dtls-certificate.ts";
import { readPublicKey, SIGNATURE_SCHEMES, signEcdsaSha256, verifySignature } from "./signature.ts";

const DATA = Buffer.from("client random, server random, parameters");
const P256 = generateKeyPairSync("ec", { namedCurve: "P-256" });
const P384 = generateKeyPairSync("ec", { namedCurve: "P-384" });
const RSA = generateKeyPairSync("rsa", { modulusLength: 2048 });
const PSS = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST };

const SIGNATURES: readonly {
  scheme: keyof typeof SIGNATURE_SCHEMES;
  publicKey: KeyObject;
  signature: Buffer;
}[] = [
  {
    scheme: "ecdsa_secp256r1_sha256",
    publicKey: P256.publicKey,
    signature: sign("sha256", DATA, P256.privateKey),
  },
  {
    scheme: "ecdsa_secp384r1_sha384",
    publicKey: P384.publicKey,
    signature: sign("sha384", DATA, P384.privateKey),
  },
  { scheme: "rsa_pkcs1_sha256", publicKey: RSA.publicKey, signature: sign("sha256", DATA, RSA.privateKey) },
  { scheme: "rsa_pkcs1_sha384", publicKey: RSA.publicKey, signature: sign("sha384", DATA, RSA.privateKey) },
  { scheme: "rsa_pkcs1_sha512", publicKey: RSA.publicKey, signature: sign("sha512", DATA, RSA.privateKey) },
  {
    scheme: "rsa_pss_rsae_sha256",
    publicKey: RSA.publicKey,
    signature: sign("sha256", DATA, { key: RSA.privateKey, ...PSS }),
  },
];

test.each(SIGNATURES)(
  "$scheme verifies its signature under no other scheme",
  ({ scheme, publicKey, signature }) => {
    for (const [name, id] of Object.entries(SIGNATURE_SCHEMES)) {
      expect(verifySignature(id, publicKey, DATA, signature)).toBe(name === scheme);
    }
  },
);

test.each(SIGNATURES)(
  "$scheme refuses other data and a changed signature",
  ({ scheme, publicKey, signature }) => {
    const id = SIGNATURE_SCHEMES[scheme];
    expect(verifySignature(id, publicKey, Buffer.concat([DATA, DATA]), signature)).toBe(false);
    expect(verifySignature(id, publicKey, DATA, new Uint8Array(0))).toBe(false);
    const changed = Buffer.from(signature);
    changed[changed.length - 1]! ^= 1;
    expect(verifySignature(id, publicKey, DATA, changed)).toBe(false);
  },
);

test("a scheme that we do not take verifies nothing", () => {
  const sha1 = sign("sha1", DATA, P256.privateKey);
  expect(verifySignature(0x0203, P256.publicKey, DATA, sha1)).toBe(false);
});

test("our own signature is DER and verifies", () => {
  const signature = signEcdsaSha256(P256.privateKey, DATA);
  expect(signature[0]).toBe(0x30);
  expect(verifySignature(0x0403, P256.publicKey, DATA, signature)).toBe(true);
});

test("the key of a certificate is read, and that of no prefix of it", () => {
  const { der } = createCertificate({ nowMs: Date.UTC(2026, 0, 1), lifetimeMs: 1000, random: randomBytes });
  expect(readPublicKey(der)?.asymmetricKeyType).toBe("ec");
  for (let bytes = 0; bytes < der.length; bytes++) expect(readPublicKey(der.subarray(0, bytes))).toBeNull();
});

test("a certificate as text is none", () => {
  const { der } = createCertificate({ nowMs: Date.UTC(2026, 0, 1), lifetimeMs: 1000, random: randomBytes });
  expect(readPublicKey(Buffer.from(new X509Certificate(der).toString()))).toBeNull();
});

const hasOpenssl = spawnSync("openssl", ["version"]).status === 0;

/** @param newKey As `openssl req -newkey` takes it. */
function createForeignCertificate(newKey: readonly string[]): Uint8Array {
  const key = ["-newkey", ...newKey, "-nodes", "-keyout", "/dev/null"];
  return execFileSync("openssl", ["req", "-x509", "-outform", "DER", "-subj", "/CN=peer", ...key], {
    stdio: ["ignore", "pipe", "ignore"],
  });
}

test.skipIf(!hasOpenssl)("keys of the kinds and sizes that peers have are taken", () => {
  for (const newKey of [["rsa:2048"], ["ec", "-pkeyopt", "ec_paramgen_curve:P-384"]]) {
    expect(readPublicKey(createForeignCertificate(newKey))).not.toBeNull();
  }
});

test.skipIf(!hasOpenssl)("keys that are too weak, or of another kind, are not", () => {
  for (const newKey of [["rsa:1024"], ["ec", "-pkeyopt", "ec_paramgen_curve:P-521"], ["ed25519"]]) {
    expect(readPublicKey(createForeignCertificate(newKey))).toBeNull();
  }
});
