import type { Random } from "../random.ts";
import type { DtlsSetup, Fingerprint } from "../sdp/model.ts";
import type { TransportAddress } from "./address.ts";
import type { DtlsEndReason, DtlsRole } from "./dtls/dtls-association.ts";
import type { DtlsCertificate } from "./dtls/dtls-certificate.ts";
import type { IceCredentials, IceEndReason, RemoteIce } from "./ice/ice-agent.ts";
import type { SrtpProfile } from "./srtp/srtp-profile.ts";

export interface CallTransportOptions {
  readonly ice: {
    readonly local: IceCredentials;
    readonly remote: RemoteIce;
    readonly isLite: boolean;
    readonly isControlling: boolean;
    readonly ipVersions: readonly (4 | 6)[];
  };
  readonly dtls: {
    readonly role: DtlsRole;
    readonly certificate: DtlsCertificate;
    readonly remoteFingerprints: readonly Fingerprint[];
    readonly srtpProfiles?: readonly SrtpProfile[];
  };
  readonly random: Random;
}

export type TransportEndReason = `ice-${IceEndReason}` | `dtls-${DtlsEndReason}`;

/** Where a call's transport puts what it makes. Bytes are valid only during the call. */
export interface CallTransportSink {
  send(datagram: Uint8Array, to: TransportAddress): void;
  onPeerAddress(at: TransportAddress): void;
  onIceConnected(): void;
  /** DTLS is done: SRTP flows. */
  onConnected(): void;
  onRtp(packet: Uint8Array): void;
  onRtcp(packet: Uint8Array): void;
  onEnd(reason: TransportEndReason): void;
}

export interface CallTransportStats {
  readonly rttMs: number | null;
  readonly srtpProfile: SrtpProfile | null;
  /** Datagrams that were dropped, by reason. */
  readonly dropped: Readonly<Record<TransportDrop, number>>;
}

export type TransportDrop =
  | "unknown"
  | "unexpected-address"
  | "before-dtls"
  | "stun"
  | "dtls"
  | "srtp-auth"
  | "srtp-replay"
  | "srtp-malformed";

/** RFC 8842 §5.3: what the answerer makes of the offer's `a=setup`. */
export function answerRole(_offered: DtlsSetup): {
  readonly setup: "active" | "passive";
  readonly role: DtlsRole;
} {
  throw new Error("not built yet");
}

/** One call's secure media transport: ICE, then DTLS over the pair, then SRTP with its keys. Sans-IO. */
export class CallTransport {
  constructor(_options: CallTransportOptions, _sink: CallTransportSink) {
    throw new Error("not built yet");
  }

  /** Monotonic time at which `handleTimeout` wants to be called; Infinity when there is nothing to wait for. */
  get deadlineMs(): number {
    throw new Error("not built yet");
  }

  /** Starts ICE. Nothing is sent before. Idempotent. */
  connect(_nowMs: number): void {
    throw new Error("not built yet");
  }

  /** Takes one datagram: STUN, DTLS or SRTP by its first byte (RFC 7983). Never throws. */
  receive(_datagram: Uint8Array, _from: TransportAddress, _nowMs: number): void {
    throw new Error("not built yet");
  }

  handleTimeout(_nowMs: number): void {
    throw new Error("not built yet");
  }

  /** False when it is not connected. The bytes are free for reuse when it returns. */
  sendRtp(_packet: Uint8Array): boolean {
    throw new Error("not built yet");
  }

  sendRtcp(_packet: Uint8Array): boolean {
    throw new Error("not built yet");
  }

  stats(): CallTransportStats {
    throw new Error("not built yet");
  }

  /** Says close_notify where DTLS is up. Nothing is sent or reported after it. Idempotent. */
  close(): void {
    throw new Error("not built yet");
  }
}
