import { X509Certificate } from "node:crypto";
import { createSelfSignedCertificate, HashAlgorithm, NamedCurveAlgorithm, SignatureAlgorithm } from "werift";

/** ECDSA on P-256, as WhatsApp recommends: an RSA certificate would fragment the handshake. */
export interface PhoneCertificate {
  readonly certPem: string;
  readonly keyPem: string;
  /** Upper-case hex in pairs with colons. */
  readonly sha256Fingerprint: string;
}

/** What werift wants to hear of the certificate's signature. */
export const CERTIFICATE_SIGNATURE: {
  signature: typeof SignatureAlgorithm.ecdsa_3;
  hash: typeof HashAlgorithm.sha256_4;
} = { signature: SignatureAlgorithm.ecdsa_3, hash: HashAlgorithm.sha256_4 };

let shared: Promise<PhoneCertificate> | null = null;

/** One certificate for all phones of the process: making one costs some 20 ms. */
export function sharedCertificate(): Promise<PhoneCertificate> {
  shared ??= createCertificate().catch((error: unknown) => {
    shared = null;
    throw error;
  });
  return shared;
}

async function createCertificate(): Promise<PhoneCertificate> {
  const made = await createSelfSignedCertificate(CERTIFICATE_SIGNATURE, NamedCurveAlgorithm.secp256r1_23);
  const sha256Fingerprint = new X509Certificate(made.certPem).fingerprint256;
  return { certPem: made.certPem, keyPem: made.keyPem, sha256Fingerprint };
}
