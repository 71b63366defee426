import type { LocalAudio } from "../core/sdp/model.ts";
import type { TransportAddress } from "../core/transport/address.ts";
import {
  CallTransport,
  type CallTransportOptions,
  type CallTransportSink,
  type CallTransportStats,
  type TransportEndReason,
} from "../core/transport/call-transport.ts";
import { WheelEntry } from "../core/transport/timer-wheel.ts";
import type { Logger } from "../logger.ts";
import type { Clock } from "../platform/clock.ts";
import type { UdpSocket } from "../platform/udp.ts";
import type { MediaDownReason, MediaLeg, MediaLegListener, MediaLegState, MediaLegStats } from "./engine.ts";
import type { TransportDeadlines } from "./transport-deadlines.ts";
import type { DatagramReceiver, PortLease } from "./transport-port.ts";

export interface TransportLegOptions {
  readonly local: LocalAudio;
  readonly lease: PortLease;
  readonly listener: MediaLegListener;
  readonly deadlines: TransportDeadlines;
  readonly clock: Clock;
  readonly logger: Logger;
  /** It takes part in nothing any more: closed, or down by itself. Once. */
  readonly onOver: (leg: TransportLeg) => void;
}

/** The smallest first byte of SRTP (RFC 7983 §7): what is below may set a deadline. */
const FIRST_SRTP_BYTE = 128;

/** One call's transport, joined with its place on a port, its deadline and its listener. */
export class TransportLeg implements MediaLeg, DatagramReceiver {
  readonly local: LocalAudio;
  readonly #listener: MediaLegListener;
  readonly #deadlines: TransportDeadlines;
  readonly #deadline: WheelEntry;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #onOver: (leg: TransportLeg) => void;
  #lease: PortLease;
  #transport: CallTransport | null = null;
  #mayConnect = false;
  #isOver = false;
  #bytesSent = 0;
  #bytesReceived = 0;
  #sendsDropped = 0;
  /** The socket to `#sentTo`, which changes rarely. */
  #socket: UdpSocket | null = null;
  #sentTo: TransportAddress | null = null;

  constructor(options: TransportLegOptions) {
    this.local = options.local;
    this.#lease = options.lease;
    this.#listener = options.listener;
    this.#deadlines = options.deadlines;
    this.#clock = options.clock;
    this.#logger = options.logger;
    this.#onOver = options.onOver;
    this.#deadline = new WheelEntry((nowMs) => this.#run((transport) => transport.handleTimeout(nowMs)));
    this.#lease.receiver = this;
  }

  get lease(): PortLease {
    return this.#lease;
  }

  /** True until `join` or the end. */
  get isWaitingForPeer(): boolean {
    return this.#transport === null && !this.#isOver;
  }

  /** Says who the peer is, once. `lease` is where its addresses belong to this leg. */
  join(options: CallTransportOptions, lease: PortLease): void {
    if (lease !== this.#lease) this.#lease.release();
    this.#lease = lease;
    lease.receiver = this;
    this.#transport = new CallTransport(options, this.#sink);
    if (this.#mayConnect) this.connect();
  }

  connect(): void {
    this.#mayConnect = true;
    this.#run((transport) => transport.connect(this.#clock.nowMs()));
  }

  sendRtp(packet: Uint8Array): boolean {
    return this.#countSend(packet, this.#transport?.sendRtp(packet) ?? false);
  }

  sendRtcp(packet: Uint8Array): boolean {
    return this.#countSend(packet, this.#transport?.sendRtcp(packet) ?? false);
  }

  receive(datagram: Uint8Array, from: TransportAddress): void {
    const transport = this.#transport;
    if (transport === null) return;
    try {
      transport.receive(datagram, from, this.#clock.nowMs());
    } catch (error) {
      this.#breakDown(error);
      return;
    }
    if ((datagram[0] ?? 0) < FIRST_SRTP_BYTE) this.#setDeadline(transport);
  }

  onSendFailed(to: TransportAddress): void {
    this.#run((transport) => transport.onSendFailed(to, this.#clock.nowMs()));
  }

  stats(): MediaLegStats {
    const transport = this.transportStats();
    return {
      bytesSent: this.#bytesSent,
      bytesReceived: this.#bytesReceived,
      sendsDropped: this.#sendsDropped,
      rttMs: transport?.rttMs ?? null,
      datagramsDropped: Object.values(transport?.dropped ?? {}).reduce((sum, count) => sum + count, 0),
    };
  }

  /** Null before the peer is known. */
  transportStats(): CallTransportStats | null {
    return this.#transport?.stats() ?? null;
  }

  close(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#closeTransport();
    this.#release();
  }

  readonly #sink: CallTransportSink = {
    send: (datagram, to) => {
      this.#lease.port.socketTo(to)?.send(datagram, to);
    },
    lend: (to) => this.#socketTo(to)?.lend() ?? null,
    sendLent: (lengthBytes, to) => this.#socketTo(to)?.sendLent(lengthBytes, to) ?? false,
    onPeerAddress: (at) => {
      if (this.#lease.claim(at)) return;
      this.#logger.debug({}, "the peer has an address of another call, which keeps it");
    },
    onPeerAddressForgotten: (at) => this.#lease.forget(at),
    onIceConnected: () => this.#report(() => this.#listener.onIceConnected()),
    onConnected: () => this.#report(() => this.#listener.onState("connected")),
    onRtp: (packet) => {
      this.#bytesReceived += packet.length;
      try {
        this.#listener.onRtp(packet);
      } catch (error) {
        this.#logger.error({ err: error }, "packet listener failed");
      }
    },
    onRtcp: (packet) => {
      this.#bytesReceived += packet.length;
      try {
        this.#listener.onRtcp(packet);
      } catch (error) {
        this.#logger.error({ err: error }, "packet listener failed");
      }
    },
    onEnd: (reason) => this.#goDown(downState(reason), reason),
  };

  #socketTo(to: TransportAddress): UdpSocket | null {
    if (to !== this.#sentTo) {
      this.#sentTo = to;
      this.#socket = this.#lease.port.socketTo(to);
    }
    return this.#socket;
  }

  #countSend(packet: Uint8Array, isSent: boolean): boolean {
    if (isSent) this.#bytesSent += packet.length;
    else this.#sendsDropped += 1;
    return isSent;
  }

  /** What is not per packet. */
  #run(step: (transport: CallTransport) => void): void {
    const transport = this.#transport;
    if (transport === null || this.#isOver) return;
    try {
      step(transport);
    } catch (error) {
      this.#breakDown(error);
      return;
    }
    this.#setDeadline(transport);
  }

  #setDeadline(transport: CallTransport): void {
    if (!this.#isOver) this.#deadlines.set(this.#deadline, transport.deadlineMs);
  }

  /** A fault of ours must end one call, not all of them. */
  #breakDown(error: unknown): void {
    if (this.#isOver) return;
    this.#logger.error({ err: error }, "media transport broke down");
    this.#closeTransport();
    this.#goDown("failed", "engine-error");
  }

  #closeTransport(): void {
    try {
      this.#transport?.close();
    } catch (error) {
      this.#logger.error({ err: error }, "media leg did not close cleanly");
    }
  }

  #goDown(state: MediaLegState, reason: MediaDownReason): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#release();
    this.#report(() => this.#listener.onState(state, reason));
  }

  #release(): void {
    this.#deadlines.remove(this.#deadline);
    this.#lease.release();
    this.#onOver(this);
  }

  /** What a listener throws is not the transport's fault. */
  #report(report: () => void): void {
    try {
      report();
    } catch (error) {
      this.#logger.error({ err: error }, "media listener failed");
    }
  }
}

function downState(reason: TransportEndReason): MediaLegState {
  return reason === "dtls-peer-closed" ? "closed" : "failed";
}
