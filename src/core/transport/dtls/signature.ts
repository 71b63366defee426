import { constants, createPublicKey, type KeyObject, sign, verify, X509Certificate } from "node:crypto";
import { findP256Point, type P256Point } from "./certificate-key.ts";

/**
 * TLS signature schemes that we take (RFC 8446 §4.2.3 names; RFC 5246 §7.4.1.4.1 pairs of hash and signature).
 * In TLS 1.2 the ECDSA ones name no curve: they fit every curve that we take.
 */
export const SIGNATURE_SCHEMES = {
  ecdsa_secp256r1_sha256: 0x0403,
  ecdsa_secp384r1_sha384: 0x0503,
  rsa_pss_rsae_sha256: 0x0804,
  rsa_pkcs1_sha256: 0x0401,
  rsa_pkcs1_sha384: 0x0501,
  rsa_pkcs1_sha512: 0x0601,
} as const;

interface Verification {
  readonly keyType: "ec" | "rsa";
  readonly hash: "sha256" | "sha384" | "sha512";
  readonly padding?: number;
}

const VERIFICATIONS: ReadonlyMap<number, Verification> = new Map<number, Verification>([
  [SIGNATURE_SCHEMES.ecdsa_secp256r1_sha256, { keyType: "ec", hash: "sha256" }],
  [SIGNATURE_SCHEMES.ecdsa_secp384r1_sha384, { keyType: "ec", hash: "sha384" }],
  [
    SIGNATURE_SCHEMES.rsa_pss_rsae_sha256,
    { keyType: "rsa", hash: "sha256", padding: constants.RSA_PKCS1_PSS_PADDING },
  ],
  [
    SIGNATURE_SCHEMES.rsa_pkcs1_sha256,
    { keyType: "rsa", hash: "sha256", padding: constants.RSA_PKCS1_PADDING },
  ],
  [
    SIGNATURE_SCHEMES.rsa_pkcs1_sha384,
    { keyType: "rsa", hash: "sha384", padding: constants.RSA_PKCS1_PADDING },
  ],
  [
    SIGNATURE_SCHEMES.rsa_pkcs1_sha512,
    { keyType: "rsa", hash: "sha512", padding: constants.RSA_PKCS1_PADDING },
  ],
]);

const CURVES: readonly string[] = ["prime256v1", "secp384r1"];
/** Below: too weak. Above: verifying costs a peer nothing and us much. */
const MIN_RSA_BITS = 2048;
const MAX_RSA_BITS = 8192;
const DER_SEQUENCE = 0x30;

/** The scheme of `signEcdsaSha256`. */
export const OWN_SIGNATURE_SCHEME: number = SIGNATURE_SCHEMES.ecdsa_secp256r1_sha256;

/** Signs with our P-256 key and SHA-256; the signature is DER as TLS has it. */
export function signEcdsaSha256(privateKey: KeyObject, data: Uint8Array): Uint8Array {
  return sign("sha256", data, privateKey);
}

/** The public key in a certificate; null when the bytes are no certificate with a key that we take. Never throws. */
export function readPublicKey(certificateDer: Uint8Array): KeyObject | null {
  if (certificateDer[0] !== DER_SEQUENCE) return null; // X509Certificate would take PEM too.
  try {
    const point = findP256Point(certificateDer);
    if (point !== null) return importPoint(point);
    const { publicKey } = new X509Certificate(certificateDer);
    return isTaken(publicKey) ? publicKey : null;
  } catch {
    return null; // No certificate, or a key that OpenSSL does not know.
  }
}

/** Throws when the point is not on the curve. */
function importPoint({ x, y }: P256Point): KeyObject {
  const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString("base64url");
  return createPublicKey({ format: "jwk", key: { kty: "EC", crv: "P-256", x: text(x), y: text(y) } });
}

function isTaken(key: KeyObject): boolean {
  const { namedCurve, modulusLength } = key.asymmetricKeyDetails ?? {};
  if (key.asymmetricKeyType === "ec") return namedCurve !== undefined && CURVES.includes(namedCurve);
  if (key.asymmetricKeyType !== "rsa" || modulusLength === undefined) return false;
  return modulusLength >= MIN_RSA_BITS && modulusLength <= MAX_RSA_BITS;
}

/** False also for schemes that we do not take or that do not fit the key. Never throws. */
export function verifySignature(
  scheme: number,
  publicKey: KeyObject,
  data: Uint8Array,
  signature: Uint8Array,
): boolean {
  const verification = VERIFICATIONS.get(scheme);
  if (verification === undefined || publicKey.asymmetricKeyType !== verification.keyType) return false;
  const { hash, padding } = verification;
  try {
    if (padding === undefined) return verify(hash, data, publicKey, signature);
    // RFC 8446 §4.2.3: the salt of RSA-PSS is as long as the hash. PKCS #1 v1.5 has none.
    const saltLength = constants.RSA_PSS_SALTLEN_DIGEST;
    return verify(hash, data, { key: publicKey, padding, saltLength }, signature);
  } catch {
    return false; // A key that cannot verify at all.
  }
}
