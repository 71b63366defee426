import { createECDH, createHash, createPrivateKey, type KeyObject, timingSafeEqual } from "node:crypto";
import type { Random } from "../../random.ts";
import type { Fingerprint } from "../../sdp/model.ts";
import {
  derBitString,
  derExplicit,
  derInteger,
  derObjectIdentifier,
  derSequence,
  derSet,
  derTime,
  derUtf8String,
} from "./der.ts";
import { signEcdsaSha256 } from "./signature.ts";

/** Our certificate: self-signed, ECDSA on P-256 with SHA-256. */
export interface DtlsCertificate {
  readonly der: Uint8Array;
  readonly privateKey: KeyObject;
  /** Upper-case hex in pairs with colons, for the SDP. */
  readonly sha256Fingerprint: string;
  /** Wall time, ms since the Unix epoch. */
  readonly notAfterMs: number;
}

export interface CertificateOptions {
  /** Wall time, ms since the Unix epoch. */
  readonly nowMs: number;
  readonly lifetimeMs: number;
  readonly random: Random;
}

const ONE_DAY_MS = 86_400_000;
/** Nothing that tells one installation from another. */
const COMMON_NAME = "ringback";
const SERIAL_BYTES = 16;
const P256_FIELD_BYTES = 32;

/** Makes a key pair and a certificate for it, valid from a day ago, for peers whose clock is behind. About 0.1 ms. */
export function createCertificate({ nowMs, lifetimeMs, random }: CertificateOptions): DtlsCertificate {
  const { privateKey, publicKeyInfo } = createP256Key();
  const notAfterMs = nowMs + lifetimeMs;
  const signatureAlgorithm = derSequence(derObjectIdentifier("1.2.840.10045.4.3.2")); // ecdsa-with-SHA256
  const commonName = derSequence(derObjectIdentifier("2.5.4.3"), derUtf8String(COMMON_NAME));
  const name = derSequence(derSet(commonName));
  // RFC 5280 §4.1, TBSCertificate.
  const toBeSigned = derSequence(
    derExplicit(0, derInteger(Uint8Array.of(2))), // v3
    derInteger(serialNumber(random)),
    signatureAlgorithm,
    name, // issuer
    derSequence(derTime(nowMs - ONE_DAY_MS), derTime(notAfterMs)),
    name, // subject
    publicKeyInfo,
  );
  const signature = signEcdsaSha256(privateKey, toBeSigned);
  const der = derSequence(toBeSigned, signatureAlgorithm, derBitString(signature));
  return { der, privateKey, sha256Fingerprint: formatFingerprint(der), notAfterMs };
}

/** Not by generateKeyPairSync: see `EphemeralKey`. */
function createP256Key(): { readonly privateKey: KeyObject; readonly publicKeyInfo: Uint8Array } {
  const ecdh = createECDH("prime256v1");
  const point = ecdh.generateKeys();
  // RFC 7518 §6.2: all of full length, and `getPrivateKey` leaves leading zeros out.
  const d = Buffer.alloc(P256_FIELD_BYTES);
  const secret = ecdh.getPrivateKey();
  secret.copy(d, P256_FIELD_BYTES - secret.length);
  const text = (bytes: Buffer): string => bytes.toString("base64url");
  const x = text(point.subarray(1, 1 + P256_FIELD_BYTES));
  const y = text(point.subarray(1 + P256_FIELD_BYTES));
  const privateKey = createPrivateKey({
    format: "jwk",
    key: { kty: "EC", crv: "P-256", d: text(d), x, y },
  });
  // RFC 5480 §2: id-ecPublicKey with the curve's name.
  const algorithm = derSequence(
    derObjectIdentifier("1.2.840.10045.2.1"),
    derObjectIdentifier("1.2.840.10045.3.1.7"),
  );
  return { privateKey, publicKeyInfo: derSequence(algorithm, derBitString(point)) };
}

/** RFC 5280 §4.1.2.2: positive and unique. The second bit makes all of one length. */
function serialNumber(random: Random): Uint8Array {
  const serial = Uint8Array.from(random(SERIAL_BYTES));
  serial[0] = ((serial[0] ?? 0) & 0x3f) | 0x40;
  return serial;
}

/** RFC 8122 §5: pairs of upper-case hex digits with colons. */
function formatFingerprint(der: Uint8Array): string {
  const hex = createHash("sha256").update(der).digest("hex").toUpperCase();
  return hex.replace(/..(?!$)/g, "$&:");
}

/** As bytes that cross a thread boundary: DER of certificate and PKCS#8 key. */
export interface ExportedCertificate {
  readonly der: Uint8Array;
  readonly privateKeyDer: Uint8Array;
  readonly notAfterMs: number;
}

/** For another thread of this process. The private key lies open in it: it goes nowhere else. */
export function exportCertificate({ der, privateKey, notAfterMs }: DtlsCertificate): ExportedCertificate {
  return { der, privateKeyDer: privateKey.export({ type: "pkcs8", format: "der" }), notAfterMs };
}

/** The reverse of `exportCertificate`. */
export function importCertificate({ der, privateKeyDer, notAfterMs }: ExportedCertificate): DtlsCertificate {
  const key = Buffer.from(privateKeyDer); // Buffers arrive from another thread as plain Uint8Array.
  const privateKey = createPrivateKey({ key, type: "pkcs8", format: "der" });
  return { der, privateKey, sha256Fingerprint: formatFingerprint(der), notAfterMs };
}

/** Hashes whose fingerprints we trust. RFC 8122 §5 forbids md5 and md2; sha-1 has collisions. */
const TRUSTED_HASHES: ReadonlyMap<string, string> = new Map([
  ["sha-256", "sha256"],
  ["sha-384", "sha384"],
  ["sha-512", "sha512"],
]);

/**
 * True when a fingerprint with a hash that we trust (sha-256, sha-384, sha-512) is the certificate's.
 *
 * RFC 8122 §5.1 lets a peer list several hashes and several certificates, and asks for a match among those of the hash
 * that we prefer. We take a match with any: none of the three hashes is weaker than the signature that it pins.
 */
export function matchesFingerprint(der: Uint8Array, fingerprints: readonly Fingerprint[]): boolean {
  return fingerprints.some(({ algorithm, value }) => {
    const hash = TRUSTED_HASHES.get(algorithm.toLowerCase());
    if (hash === undefined) return false;
    const claimed = parseFingerprint(value);
    const actual = createHash(hash).update(der).digest();
    return claimed.length === actual.length && timingSafeEqual(claimed, actual);
  });
}

/** Empty when it is not pairs of hex digits with colons. */
function parseFingerprint(value: string): Uint8Array {
  const isWellFormed = /^[0-9a-f]{2}(:[0-9a-f]{2})*$/i.test(value);
  return Buffer.from(isWellFormed ? value.replaceAll(":", "") : "", "hex");
}
