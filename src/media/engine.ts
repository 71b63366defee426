import type { MediaDownReason } from "../core/call/types.ts";
import type { AudioDescription, LocalAudio } from "../core/sdp/model.ts";

/** What happened to a leg's transport. `connected`: ICE and DTLS are up, SRTP keys are in place. */
export type MediaLegState = "connected" | "disconnected" | "failed" | "closed";

export type { MediaDownReason };

/** Where a leg reports. Per-packet callbacks are plain functions: no event, no promise. */
export interface MediaLegListener {
  /** ICE has a working pair; DTLS may still be under way. At most once. */
  onIceConnected(): void;
  /** `reason` comes with `disconnected`, `failed` and `closed`, when the engine knows it. */
  onState(state: MediaLegState, reason?: MediaDownReason): void;
  /** A decrypted RTP packet; the bytes are valid only during the call. */
  onRtp(packet: Uint8Array): void;
  /** A decrypted compound RTCP packet; the bytes are valid only during the call. */
  onRtcp(packet: Uint8Array): void;
}

export interface MediaLegStats {
  readonly bytesSent: number;
  readonly bytesReceived: number;
  /** Packets that the transport refused to send (not connected, buffer full). */
  readonly sendsDropped: number;
  /** Latest round trip of an ICE check; null when none was measured. */
  readonly rttMs: number | null;
  /** Datagrams from the network that were dropped: malformed, not authentic, replayed, from an address that is not the peer's. */
  readonly datagramsDropped: number;
}

/** One call's secure media transport. */
export interface MediaLeg {
  /** Our side's parameters: complete, candidates included, when `openLeg` resolves. */
  readonly local: LocalAudio;
  /** Starts ICE checks and DTLS. Called once the peer knows our answer (it drops checks before). Idempotent. */
  connect(): void;
  /** Sends one RTP packet, encrypted. The bytes are free for reuse when it returns. False when it was not sent. */
  sendRtp(packet: Uint8Array): boolean;
  /** Sends one compound RTCP packet, encrypted. False when it was not sent. */
  sendRtcp(packet: Uint8Array): boolean;
  stats(): MediaLegStats;
  /** Releases sockets and keys. Idempotent; nothing is reported after it. */
  close(): void;
}

/**
 * Makes media legs. Two promises to the call above it: nothing leaves the machine before `connect`,
 * and RTP passes in both directions as it is, but for encryption.
 */
export interface MediaEngine {
  readonly name: string;
  /**
   * Opens our side of a leg toward the peer that `offer` describes.
   * @throws {RingbackError} `MEDIA_ENGINE_FAILED`.
   */
  openLeg(offer: AudioDescription, listener: MediaLegListener): Promise<MediaLeg>;
  /** Closes every leg. Idempotent. */
  close(): Promise<void>;
}
