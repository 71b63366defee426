import type { Random } from "../../random.ts";
import type { Fingerprint } from "../../sdp/model.ts";
import type { SrtpMasterKey, SrtpProfile } from "../srtp/srtp-profile.ts";
import type { DtlsCertificate } from "./dtls-certificate.ts";

export type DtlsRole = "client" | "server";

export interface DtlsOptions {
  readonly role: DtlsRole;
  readonly certificate: DtlsCertificate;
  /** From the peer's SDP; its certificate must match one. */
  readonly remoteFingerprints: readonly Fingerprint[];
  /** By preference. Default: AEAD_AES_128_GCM, then AES128_CM_HMAC_SHA1_80. */
  readonly srtpProfiles?: readonly SrtpProfile[];
  readonly random: Random;
  /** Largest datagram that we make, in bytes: 128 to 16384, default 1200. */
  readonly mtuBytes?: number;
  /**
   * Server: answer a ClientHello without a cookie with HelloVerifyRequest (RFC 6347 §4.2.1), for peers whose address
   * nothing has proved. Default false: ICE has proved it.
   */
  readonly requiresCookie?: boolean;
}

/** What the handshake agreed on. */
export interface DtlsResult {
  readonly srtpProfile: SrtpProfile;
  readonly localSrtp: SrtpMasterKey;
  readonly remoteSrtp: SrtpMasterKey;
  readonly cipherSuite: string;
  readonly usesExtendedMasterSecret: boolean;
}

/** Why an association ended. */
export type DtlsEndReason =
  /** No progress for the whole retransmission time. */
  | "timeout"
  /** The peer's certificate is not the one of its SDP. */
  | "fingerprint-mismatch"
  /** Nothing in common: version, cipher suite, SRTP profile. */
  | "no-common-parameters"
  /** A message broke the protocol: bad signature, bad Finished, unexpected message. */
  | "protocol-error"
  /** The peer gave a fatal alert. */
  | "peer-alert"
  /** The peer sent close_notify. */
  | "peer-closed";

/** Where an association puts what it makes. Called during its own methods only. */
export interface DtlsSink {
  /** Send this datagram. The bytes are valid only during the call. */
  sendDtls(datagram: Uint8Array): void;
  /** The handshake is complete and the peer authenticated. Once. */
  onDtlsConnected(result: DtlsResult): void;
  /** Once, also after `onDtlsConnected`; not for our own `close`. */
  onDtlsEnd(reason: DtlsEndReason): void;
  /** Decrypted application data; WebRTC audio has none. */
  onDtlsData?(data: Uint8Array): void;
}

export interface DtlsStats {
  recordsReceived: number;
  /** Malformed, unauthentic, replayed, unexpected: dropped without a change of state. */
  recordsDropped: number;
  flightsRetransmitted: number;
}
