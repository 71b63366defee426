import { type KeyObject, timingSafeEqual } from "node:crypto";
import type { Random } from "../../random.ts";
import type { Fingerprint } from "../../sdp/model.ts";
import type { SrtpProfile } from "../srtp/srtp-profile.ts";
import { AlertDescription } from "./alert.ts";
import type { CipherSuite } from "./cipher-suites.ts";
import { type DtlsCertificate, matchesFingerprint } from "./dtls-certificate.ts";
import type { DtlsEndReason, DtlsResult, DtlsRole } from "./dtls-types.ts";
import type { Flight } from "./flight.ts";
import { type HandshakeMessage, HandshakeType } from "./handshake-message.ts";
import { parseCertificate } from "./key-messages.ts";
import { type HelloRandoms, KeySchedule } from "./key-schedule.ts";
import type { RecordCiphers } from "./record-layer.ts";
import { readPublicKey } from "./signature.ts";
import type { Transcript } from "./transcript.ts";

export interface HandshakeOptions {
  readonly certificate: DtlsCertificate;
  readonly remoteFingerprints: readonly Fingerprint[];
  /** By preference. */
  readonly srtpProfiles: readonly SrtpProfile[];
  readonly random: Random;
}

/** One side's handshake: takes the peer's messages in order, and says what to do. No retransmission, no records. */
export interface Handshake {
  /** Keys of epoch 1, as soon as there are some. */
  readonly ciphers: RecordCiphers | null;
  /** A client's first flight; null for a server, which waits. */
  begin(): Flight | null;
  /** True for types whose `message_seq` may be any now: around HelloVerifyRequests the peers count differently. */
  opensAnywhere(type: number): boolean;
  handle(message: HandshakeMessage): HandshakeStep;
}

export interface HandshakeFailure {
  readonly kind: "failed";
  readonly alert: AlertDescription;
  readonly reason: DtlsEndReason;
}

/** What a message led to. */
export type HandshakeStep =
  /** Nothing: a message that makes no sense here, and that anybody may have forged. */
  | { readonly kind: "ignored" }
  | { readonly kind: "taken" }
  /** An answer without a change of state: another message with the same number may follow. */
  | { readonly kind: "reply"; readonly flight: Flight }
  | { readonly kind: "flight"; readonly flight: Flight }
  | { readonly kind: "complete"; readonly result: DtlsResult; readonly flight: Flight | null }
  | HandshakeFailure;

export const IGNORED: HandshakeStep = { kind: "ignored" };
export const TAKEN: HandshakeStep = { kind: "taken" };

export function failure(alert: AlertDescription, reason: DtlsEndReason = "protocol-error"): HandshakeFailure {
  return { kind: "failed", alert, reason };
}

/** A message that the state does not call for. Only a Finished is authentic, and thus a fault of the peer's. */
export function outOfPlace(message: HandshakeMessage): HandshakeStep {
  if (message.type !== HandshakeType.finished) return IGNORED;
  return failure(AlertDescription.unexpectedMessage);
}

/** What the hellos agree on. */
export interface Negotiated {
  readonly suite: CipherSuite;
  readonly srtpProfile: SrtpProfile;
  readonly usesExtendedMasterSecret: boolean;
  readonly randoms: HelloRandoms;
}

/** The key of the peer's certificate once it proved to be the one of its SDP; else the step to take (RFC 8122 §6.2). */
export function authenticatePeer(
  message: HandshakeMessage,
  fingerprints: readonly Fingerprint[],
): { readonly kind: "authenticated"; readonly publicKey: KeyObject } | HandshakeStep {
  const der = parseCertificate(message.body);
  if (der === null) return IGNORED;
  // RFC 5246 §7.4.6: a client that has no certificate sends an empty list.
  if (der.length === 0) return failure(AlertDescription.handshakeFailure, "fingerprint-mismatch");
  if (!matchesFingerprint(der, fingerprints)) {
    return failure(AlertDescription.badCertificate, "fingerprint-mismatch");
  }
  const publicKey = readPublicKey(der);
  if (publicKey === null) return failure(AlertDescription.unsupportedCertificate);
  return { kind: "authenticated", publicKey };
}

/** @param transcript Up to and with the ClientKeyExchange: RFC 7627 §3 hashes just that. */
export function scheduleKeys(
  negotiated: Negotiated,
  premasterSecret: Uint8Array,
  transcript: Transcript,
): KeySchedule {
  const { suite, randoms, usesExtendedMasterSecret } = negotiated;
  const sessionHash = usesExtendedMasterSecret ? transcript.hash(suite.prfHash) : null;
  return new KeySchedule(suite, premasterSecret, randoms, sessionHash);
}

/** RFC 5246 §7.4.9, in constant time. */
export function isFinishedRight(message: HandshakeMessage, expected: Uint8Array): boolean {
  return message.body.length === expected.length && timingSafeEqual(message.body, expected);
}

export function handshakeResult(negotiated: Negotiated, keys: KeySchedule, role: DtlsRole): DtlsResult {
  const { suite, srtpProfile, usesExtendedMasterSecret } = negotiated;
  return {
    srtpProfile,
    ...keys.srtpKeys(srtpProfile, role),
    cipherSuite: suite.name,
    usesExtendedMasterSecret,
  };
}
