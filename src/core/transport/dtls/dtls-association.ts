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
  /** Largest datagram that we make, in bytes. Default 1200. */
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

/** One call's DTLS 1.2 association (RFC 6347), client or server, sans-IO. */
export class DtlsAssociation {
  readonly stats: DtlsStats = { recordsReceived: 0, recordsDropped: 0, flightsRetransmitted: 0 };

  constructor(_options: DtlsOptions, _sink: DtlsSink) {
    throw new Error("not built yet");
  }

  /** Monotonic time at which `handleTimeout` wants to be called; Infinity when there is nothing to wait for. */
  get deadlineMs(): number {
    throw new Error("not built yet");
  }

  /**
   * The path is there: a client sends its ClientHello, a server waits for one (what it got before is dropped).
   * @param initialTimeoutMs First retransmission timeout, doubled each time. RFC 6347 §4.2.4.1 has 1000; with a path whose round trip is known less is right.
   */
  start(_nowMs: number, _initialTimeoutMs: number): void {
    throw new Error("not built yet");
  }

  /** Takes a datagram whose first byte says DTLS (RFC 7983). Never throws. */
  receive(_datagram: Uint8Array, _nowMs: number): void {
    throw new Error("not built yet");
  }

  handleTimeout(_nowMs: number): void {
    throw new Error("not built yet");
  }

  /** Sends application data; false before the handshake is complete. */
  sendData(_data: Uint8Array): boolean {
    throw new Error("not built yet");
  }

  /** Sends close_notify when connected. Nothing is sent or reported after it. Idempotent. */
  close(): void {
    throw new Error("not built yet");
  }
}
