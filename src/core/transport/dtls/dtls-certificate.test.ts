import { execFileSync } from "node:child_process";
import { createHash, randomBytes, X509Certificate } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import {
  createCertificate,
  exportCertificate,
  importCertificate,
  matchesFingerprint,
} from "./dtls-certificate.ts";
import { readPublicKey, signEcdsaSha256, verifySignature } from "./signature.ts";

const DAY_MS = 86_400_000;
const NOW_MS = Date.UTC(2026, 10, 22, 12, 34, 56);

function create(random = randomBytes as (bytes: number) => Uint8Array) {
  return createCertificate({ nowMs: NOW_MS, lifetimeMs: 30 * DAY_MS, random });
}

function fingerprint(der: Uint8Array, hash: string): string {
  return createHash(hash).update(der).digest("hex").toUpperCase().match(/../g)!.join(":");
}

test("the certificate is self-signed, valid from yesterday and says nothing about its owner", () => {
  const certificate = create();
  const x509 = new X509Certificate(certificate.der);
  expect(x509.verify(x509.publicKey)).toBe(true);
  expect(x509.checkPrivateKey(certificate.privateKey)).toBe(true);
  expect(x509.subject).toBe("CN=ringback");
  expect(x509.issuer).toBe("CN=ringback");
  expect(Date.parse(x509.validFrom)).toBe(NOW_MS - DAY_MS);
  expect(Date.parse(x509.validTo)).toBe(NOW_MS + 30 * DAY_MS);
  expect(certificate.notAfterMs).toBe(NOW_MS + 30 * DAY_MS);
  expect(x509.fingerprint256).toBe(certificate.sha256Fingerprint);
  expect(x509.publicKey.asymmetricKeyDetails).toEqual({ namedCurve: "prime256v1" });
});

test("the serial number is positive and of 16 bytes, whatever the random bytes", () => {
  const serial = (fill: number) =>
    new X509Certificate(create((bytes) => new Uint8Array(bytes).fill(fill)).der).serialNumber;
  expect(serial(0x00)).toBe(`40${"00".repeat(15)}`);
  expect(serial(0xff)).toBe(`7F${"FF".repeat(15)}`);
});

test("a certificate that ends after 2049 is valid until then", () => {
  const lifetimeMs = Date.UTC(2051, 0, 1) - NOW_MS;
  const { der } = createCertificate({ nowMs: NOW_MS, lifetimeMs, random: randomBytes });
  expect(Date.parse(new X509Certificate(der).validTo)).toBe(Date.UTC(2051, 0, 1));
});

function hasOpenssl(): boolean {
  try {
    execFileSync("openssl", ["version"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

test.skipIf(!hasOpenssl())("OpenSSL reads and verifies the certificate", () => {
  const folder = mkdtempSync(join(tmpdir(), "ringback-"));
  try {
    const file = join(folder, "certificate.pem");
    writeFileSync(file, new X509Certificate(create().der).toString());
    const text = execFileSync("openssl", ["x509", "-in", file, "-noout", "-text"], { encoding: "utf8" });
    expect(text).toMatch(/Version: 3/);
    expect(text).toMatch(/Signature Algorithm: ecdsa-with-SHA256/);
    expect(text).toMatch(/Not Before: Nov 21 12:34:56 2026 GMT/);
    expect(text).toMatch(/ASN1 OID: prime256v1/);
    const at = String(NOW_MS / 1000);
    const verify = ["verify", "-x509_strict", "-check_ss_sig", "-attime", at, "-CAfile", file, file];
    expect(execFileSync("openssl", verify, { encoding: "utf8" })).toMatch(/: OK/);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("a certificate survives a structured clone on its way to another thread", () => {
  const original = create();
  const imported = importCertificate(structuredClone(exportCertificate(original)));
  expect(imported.sha256Fingerprint).toBe(original.sha256Fingerprint);
  expect(imported.notAfterMs).toBe(original.notAfterMs);
  const data = Buffer.from("data");
  const signature = signEcdsaSha256(imported.privateKey, data);
  expect(verifySignature(0x0403, readPublicKey(original.der)!, data, signature)).toBe(true);
});

test.each(["sha256", "sha384", "sha512"])("a fingerprint with %s matches in either case", (hash) => {
  const { der } = create();
  const algorithm = hash.replace("sha", "sha-");
  const value = fingerprint(der, hash);
  expect(matchesFingerprint(der, [{ algorithm, value }])).toBe(true);
  expect(matchesFingerprint(der, [{ algorithm: algorithm.toUpperCase(), value: value.toLowerCase() }])).toBe(
    true,
  );
});

test.each(["sha1", "md5", "sha224"])("a fingerprint with %s never matches", (hash) => {
  const { der } = create();
  const value = fingerprint(der, hash);
  expect(matchesFingerprint(der, [{ algorithm: hash, value }])).toBe(false);
  expect(matchesFingerprint(der, [{ algorithm: hash.replace("sha", "sha-"), value }])).toBe(false);
});

test("one match among several fingerprints is enough, and none is none", () => {
  const { der } = create();
  const mine = { algorithm: "sha-256", value: fingerprint(der, "sha256") };
  const other = { algorithm: "sha-256", value: fingerprint(create().der, "sha256") };
  const unknown = { algorithm: "sha3-256", value: fingerprint(der, "sha3-256") };
  expect(matchesFingerprint(der, [unknown, other, mine])).toBe(true);
  expect(matchesFingerprint(der, [unknown, other])).toBe(false);
  expect(matchesFingerprint(der, [])).toBe(false);
});

test("a malformed fingerprint never matches", () => {
  const { der } = create();
  const right = fingerprint(der, "sha256");
  const values = [
    "",
    ":",
    right.slice(0, -3),
    `${right}:00`,
    right.replaceAll(":", ""),
    `${right} `,
    `${right}\n`,
  ];
  for (const value of values) expect(matchesFingerprint(der, [{ algorithm: "sha-256", value }])).toBe(false);
});
