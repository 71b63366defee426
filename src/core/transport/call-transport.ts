import type { Random } from "../random.ts";
import type { DtlsSetup, Fingerprint } from "../sdp/model.ts";
import type { TransportAddress } from "./address.ts";
import { datagramKind } from "./demultiplex.ts";
import {
  DtlsAssociation,
  type DtlsEndReason,
  type DtlsResult,
  type DtlsRole,
} from "./dtls/dtls-association.ts";
import type { DtlsCertificate } from "./dtls/dtls-certificate.ts";
import { IceAgent, type IceCredentials, type IceEndReason, type RemoteIce } from "./ice/ice-agent.ts";
import { isRtcp, RTP_HEADER_BYTES } from "./rtp/rtp.ts";
import type { SrtpProfile } from "./srtp/srtp-profile.ts";
import { SrtpReceiver, type SrtpReceiverStats } from "./srtp/srtp-receiver.ts";
import { SrtpSender } from "./srtp/srtp-sender.ts";

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
  /** STUN or DTLS: rare. */
  send(datagram: Uint8Array, to: TransportAddress): void;
  /** Memory for one SRTP datagram to `to`, so that it is encrypted to where it is sent from; null when none can be sent now. */
  lend(to: TransportAddress): Uint8Array | null;
  /** Sends the first bytes of what `lend` gave last. */
  sendLent(lengthBytes: number, to: TransportAddress): boolean;
  onPeerAddress(at: TransportAddress): void;
  /** One that the peer has left long ago. */
  onPeerAddressForgotten(at: TransportAddress): void;
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
  /** Datagrams that were dropped, by reason; for `dtls`, records. */
  readonly dropped: Readonly<Record<TransportDrop, number>>;
}

/** Why a datagram was dropped. */
export const TRANSPORT_DROPS = [
  "before-connect",
  "unknown",
  "unexpected-address",
  "before-dtls",
  "stun",
  "dtls",
  "srtp-auth",
  "srtp-replay",
  "srtp-malformed",
] as const;

export type TransportDrop = (typeof TRANSPORT_DROPS)[number];

/** Counters at zero. */
export function noDrops(): Record<TransportDrop, number> {
  return Object.fromEntries(TRANSPORT_DROPS.map((reason) => [reason, 0])) as Record<TransportDrop, number>;
}

// RFC 6347 §4.2.4.1 has 1 s where nothing is known of the path, and allows less where something is.
const MAX_INITIAL_TIMEOUT_MS = 1_000;
/** Time for the peer to compute its flight. */
const MIN_INITIAL_TIMEOUT_MS = 50;

/** A ClientHello takes two datagrams at most; the rest is for its repetitions. */
const MAX_EARLY_DATAGRAMS = 4;

/** What the answerer makes of the offer's `a=setup`: active where it may choose, which saves a round trip (RFC 8842 §5.3). */
export function answerRole(offered: DtlsSetup): {
  readonly setup: "active" | "passive";
  readonly role: DtlsRole;
} {
  return offered === "active" ? { setup: "passive", role: "server" } : { setup: "active", role: "client" };
}

/** One call's secure media transport: ICE, then DTLS over the pair, then SRTP with its keys. Sans-IO. */
export class CallTransport {
  readonly #sink: CallTransportSink;
  readonly #ice: IceAgent;
  readonly #dtls: DtlsAssociation;
  #state: "new" | "running" | "over" = "new";
  #nowMs = 0;
  #selected: TransportAddress | null = null;
  /** DTLS that came before a pair was selected; copies. */
  #early: Uint8Array[] = [];
  #sender: SrtpSender | null = null;
  #receiver: SrtpReceiver | null = null;
  #srtpProfile: SrtpProfile | null = null;
  #srtpStats: SrtpReceiverStats | null = null;
  readonly #dropped = noDrops();

  constructor(options: CallTransportOptions, sink: CallTransportSink) {
    const { random } = options;
    this.#sink = sink;
    this.#ice = new IceAgent(
      { ...options.ice, random },
      {
        sendStun: (message, to) => sink.send(message, to),
        onSelected: (to) => this.#select(to),
        onPeerAddress: (at) => sink.onPeerAddress(at),
        onPeerAddressForgotten: (at) => sink.onPeerAddressForgotten(at),
        onEnd: (reason) => this.#end(`ice-${reason}`),
      },
    );
    this.#dtls = new DtlsAssociation(
      { ...options.dtls, random },
      {
        sendDtls: (datagram) => this.#sendDtls(datagram),
        onDtlsConnected: (result) => this.#onDtlsConnected(result),
        onDtlsEnd: (reason) => this.#end(`dtls-${reason}`),
      },
    );
  }

  /** Monotonic time at which `handleTimeout` wants to be called; Infinity when there is nothing to wait for. */
  get deadlineMs(): number {
    if (this.#state !== "running") return Number.POSITIVE_INFINITY;
    return Math.min(this.#ice.deadlineMs, this.#dtls.deadlineMs);
  }

  /** Starts ICE. Nothing is sent before. Idempotent. */
  connect(nowMs: number): void {
    if (this.#state !== "new") return;
    this.#state = "running";
    this.#nowMs = nowMs;
    this.#ice.start(nowMs);
  }

  /** Takes one datagram: STUN, DTLS or SRTP by its first byte (RFC 7983). Never throws. SRTP is decrypted in place. */
  receive(datagram: Uint8Array, from: TransportAddress, nowMs: number): void {
    if (this.#state !== "running") {
      this.#dropped["before-connect"] += 1;
      return;
    }
    this.#nowMs = nowMs;
    switch (datagramKind(datagram)) {
      case "srtp":
        this.#receiveSrtp(datagram, from);
        return;
      case "stun":
        this.#ice.receive(datagram, from, nowMs);
        return;
      case "dtls":
        this.#receiveDtls(datagram, from, nowMs);
        return;
      case "unknown":
        this.#dropped.unknown += 1;
    }
  }

  /** The system has refused to send there, what `send` or `sendLent` gave it: ICE goes on elsewhere at once. */
  onSendFailed(to: TransportAddress, nowMs: number): void {
    if (this.#state !== "running") return;
    this.#nowMs = nowMs;
    this.#ice.onSendFailed(to, nowMs);
  }

  handleTimeout(nowMs: number): void {
    if (this.#state !== "running") return;
    this.#nowMs = nowMs;
    if (this.#ice.deadlineMs <= nowMs) this.#ice.handleTimeout(nowMs);
    if (this.#dtls.deadlineMs <= nowMs) this.#dtls.handleTimeout(nowMs);
  }

  /** False when it is not connected, or cannot be sent now. The bytes are free for reuse when it returns. */
  sendRtp(packet: Uint8Array): boolean {
    const to = this.#selected;
    if (this.#sender === null || to === null || packet.length < RTP_HEADER_BYTES) return false;
    const out = this.#sink.lend(to);
    if (out === null) return false;
    const lengthBytes = this.#sender.protectRtp(packet, packet.length, out, 0);
    return lengthBytes > 0 && this.#sink.sendLent(lengthBytes, to);
  }

  /** The same for a compound RTCP packet. */
  sendRtcp(packet: Uint8Array): boolean {
    const to = this.#selected;
    if (this.#sender === null || to === null || packet.length < RTCP_HEADER_BYTES) return false;
    const out = this.#sink.lend(to);
    if (out === null) return false;
    const lengthBytes = this.#sender.protectRtcp(packet, packet.length, out, 0);
    return lengthBytes > 0 && this.#sink.sendLent(lengthBytes, to);
  }

  stats(): CallTransportStats {
    const srtp = this.#srtpStats;
    return {
      rttMs: this.#ice.rttMs,
      srtpProfile: this.#srtpProfile,
      dropped: {
        ...this.#dropped,
        stun: this.#ice.stats.dropped,
        dtls: this.#dtls.stats.recordsDropped,
        "srtp-auth": srtp?.unauthentic ?? 0,
        "srtp-replay": srtp?.replayed ?? 0,
        "srtp-malformed": (srtp?.malformed ?? 0) + (srtp?.excessSsrc ?? 0),
      },
    };
  }

  /** Says close_notify where DTLS is up. Nothing is sent or reported after it. Idempotent. */
  close(): void {
    if (this.#state === "over") return;
    this.#dtls.close();
    this.#state = "over";
    this.#release();
  }

  #receiveSrtp(datagram: Uint8Array, from: TransportAddress): void {
    if (!this.#ice.isPeerAddress(from)) {
      this.#dropped["unexpected-address"] += 1;
      return;
    }
    const receiver = this.#receiver;
    if (receiver === null) {
      this.#dropped["before-dtls"] += 1;
      return;
    }
    const isControl = isRtcp(datagram);
    const lengthBytes = isControl ? receiver.unprotectRtcp(datagram) : receiver.unprotectRtp(datagram);
    if (lengthBytes < 0) return;
    // Not `subarray`, which makes a Buffer of a Buffer in twice the time.
    const packet = new Uint8Array(datagram.buffer, datagram.byteOffset, lengthBytes);
    if (isControl) this.#sink.onRtcp(packet);
    else this.#sink.onRtp(packet);
  }

  #receiveDtls(datagram: Uint8Array, from: TransportAddress, nowMs: number): void {
    if (!this.#ice.isPeerAddress(from)) {
      this.#dropped["unexpected-address"] += 1;
    } else if (this.#selected !== null) {
      this.#dtls.receive(datagram, nowMs);
    } else if (this.#early.length < MAX_EARLY_DATAGRAMS) {
      // The peer's check has passed before ours: its ClientHello would otherwise be repeated a second later only.
      this.#early.push(Uint8Array.from(datagram));
    } else {
      this.#dropped["before-dtls"] += 1;
    }
  }

  #select(to: TransportAddress): void {
    const isFirst = this.#selected === null;
    this.#selected = to;
    if (!isFirst) return;
    this.#sink.onIceConnected();
    // The listener may have closed us.
    if (this.#isOver()) return;
    this.#dtls.start(this.#nowMs, initialTimeoutMs(this.#ice.rttMs));
    for (const datagram of this.#early.splice(0)) {
      if (!this.#isOver()) this.#dtls.receive(datagram, this.#nowMs);
    }
  }

  #isOver(): boolean {
    return this.#state === "over";
  }

  #sendDtls(datagram: Uint8Array): void {
    if (this.#selected !== null) this.#sink.send(datagram, this.#selected);
  }

  #onDtlsConnected({ srtpProfile, localSrtp, remoteSrtp }: DtlsResult): void {
    this.#srtpProfile = srtpProfile;
    this.#sender = new SrtpSender(srtpProfile, localSrtp);
    this.#receiver = new SrtpReceiver(srtpProfile, remoteSrtp);
    this.#srtpStats = this.#receiver.stats;
    this.#sink.onConnected();
  }

  #end(reason: TransportEndReason): void {
    if (this.#isOver()) return;
    // Before anything is said: a call whose consent has expired must send nothing more, close_notify included (RFC 7675 §5.1).
    this.#state = "over";
    this.#selected = null;
    this.#dtls.close();
    this.#release();
    this.#sink.onEnd(reason);
  }

  #release(): void {
    this.#ice.close();
    this.#selected = null;
    this.#sender = null;
    this.#receiver = null;
    this.#early = [];
  }
}

/** RFC 3550 §6.4.2: the least of them, a receiver report without blocks. */
const RTCP_HEADER_BYTES = 8;

function initialTimeoutMs(rttMs: number | null): number {
  if (rttMs === null) return MAX_INITIAL_TIMEOUT_MS;
  return Math.min(Math.max(2 * rttMs, MIN_INITIAL_TIMEOUT_MS), MAX_INITIAL_TIMEOUT_MS);
}
