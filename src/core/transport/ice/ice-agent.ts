import type { Random } from "../../random.ts";
import type { IceCandidate } from "../../sdp/model.ts";
import type { TransportAddress } from "../address.ts";

export interface IceCredentials {
  readonly ufrag: string;
  readonly pwd: string;
}

/** What the peer's SDP says. */
export interface RemoteIce extends IceCredentials {
  readonly isLite: boolean;
  readonly candidates: readonly IceCandidate[];
}

export interface IceAgentOptions {
  readonly local: IceCredentials;
  readonly remote: RemoteIce;
  /** We are ICE-lite (RFC 8445 §2.5): we answer checks and send none. */
  readonly isLite: boolean;
  /** Our role at the start; a conflict may turn it (RFC 8445 §7.3.1.1). */
  readonly isControlling: boolean;
  /** IP versions that we have a socket for. */
  readonly ipVersions: readonly (4 | 6)[];
  readonly random: Random;
}

/** Where an agent puts what it makes. Called during its own methods only. */
export interface IceSink {
  /** Send this STUN message. The bytes are valid only during the call. */
  sendStun(message: Uint8Array, to: TransportAddress): void;
  /** Media goes here from now on: the first valid pair, then the nominated one, later a better one or the peer's new address. */
  onSelected(to: TransportAddress): void;
  /** An authenticated message has proved that this address is the peer's; for the demultiplexer. Once per address. */
  onPeerAddress(at: TransportAddress): void;
  /** Nothing more comes of it. The agent is then closed. */
  onEnd(reason: IceEndReason): void;
}

/** `no-pair`: no check was ever answered. `consent-expired`: RFC 7675, no answer for 30 s. */
export type IceEndReason = "no-pair" | "consent-expired";

export interface IceStats {
  checksSent: number;
  checksReceived: number;
  responsesReceived: number;
  /** Messages dropped: no STUN, wrong integrity, unknown transaction, not ours … */
  dropped: number;
}

/** One call's ICE agent (RFC 8445), sans-IO. */
export class IceAgent {
  readonly stats: IceStats = { checksSent: 0, checksReceived: 0, responsesReceived: 0, dropped: 0 };

  constructor(_options: IceAgentOptions, _sink: IceSink) {
    throw new Error("not built yet");
  }

  /** Monotonic time at which `handleTimeout` wants to be called; Infinity when there is nothing to wait for. */
  get deadlineMs(): number {
    throw new Error("not built yet");
  }

  /** Where media goes; null before the first valid pair. */
  get selected(): TransportAddress | null {
    throw new Error("not built yet");
  }

  /** Latest round trip of a check, null before the first one. */
  get rttMs(): number | null {
    throw new Error("not built yet");
  }

  /** Sends the first check at once. Before it, everything received is dropped and nothing is sent. */
  start(_nowMs: number): void {
    throw new Error("not built yet");
  }

  /** Takes a datagram whose first byte says STUN (RFC 7983). Never throws. */
  receive(_datagram: Uint8Array, _from: TransportAddress, _nowMs: number): void {
    throw new Error("not built yet");
  }

  handleTimeout(_nowMs: number): void {
    throw new Error("not built yet");
  }

  /** True when an authenticated message has proved the address; DTLS and SRTP from any other one is dropped. On the packet path. */
  isPeerAddress(_from: TransportAddress): boolean {
    throw new Error("not built yet");
  }

  /** Nothing is sent or reported after it. Idempotent. */
  close(): void {
    throw new Error("not built yet");
  }
}
