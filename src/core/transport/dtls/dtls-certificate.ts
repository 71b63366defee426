import type { KeyObject } from "node:crypto";
import type { Random } from "../../random.ts";
import type { Fingerprint } from "../../sdp/model.ts";

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

export function createCertificate(_options: CertificateOptions): DtlsCertificate {
  throw new Error("not built yet");
}

/** As text that crosses a thread boundary: DER of certificate and PKCS#8 key. */
export interface ExportedCertificate {
  readonly der: Uint8Array;
  readonly privateKeyDer: Uint8Array;
  readonly notAfterMs: number;
}

export function exportCertificate(_certificate: DtlsCertificate): ExportedCertificate {
  throw new Error("not built yet");
}

export function importCertificate(_exported: ExportedCertificate): DtlsCertificate {
  throw new Error("not built yet");
}

/** True when a fingerprint with a hash that we trust (sha-256, sha-384, sha-512) is the certificate's (RFC 8122 §5.1). */
export function matchesFingerprint(_der: Uint8Array, _fingerprints: readonly Fingerprint[]): boolean {
  throw new Error("not built yet");
}
