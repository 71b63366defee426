import type { PeerConnection, Track } from "node-datachannel";
import { ipVersion } from "../../../src/core/sdp/ip-version.ts";
import type { AudioDescription, IceCandidate, LocalAudio } from "../../../src/core/sdp/model.ts";
import { isRtcp } from "../../../src/core/transport/rtp/rtp.ts";
import type { Logger } from "../../../src/logger.ts";
import type { MediaLeg, MediaLegListener, MediaLegState, MediaLegStats } from "../../../src/media/engine.ts";
import { toCandidateLine } from "./local.ts";

/** Each is checked several times a second; WhatsApp names two. */
const MAX_REMOTE_CANDIDATES = 20;

export interface DatachannelLegOptions {
  readonly peer: PeerConnection;
  readonly track: Track;
  readonly offer: AudioDescription;
  readonly listener: MediaLegListener;
  readonly logger: Logger;
  readonly onClose: (leg: DatachannelLeg) => void;
}

/** One call's libdatachannel peer. Its callbacks come from native threads through a queue, so also after `close`. */
export class DatachannelLeg implements MediaLeg {
  readonly #peer: PeerConnection;
  readonly #track: Track;
  readonly #offer: AudioDescription;
  readonly #listener: MediaLegListener;
  readonly #logger: Logger;
  readonly #onClose: (leg: DatachannelLeg) => void;
  #local: LocalAudio | null = null;
  #isClosed = false;
  #hasStarted = false;
  #hasIce = false;
  #isTrackOpen = false;
  #state: MediaLegState | null = null;
  #bytesSent = 0;
  #bytesReceived = 0;
  #sendsDropped = 0;

  /** The callbacks are set here, before the peer has a thread at work that could call them meanwhile. */
  constructor(options: DatachannelLegOptions) {
    this.#peer = options.peer;
    this.#track = options.track;
    this.#offer = options.offer;
    this.#listener = options.listener;
    this.#logger = options.logger;
    this.#onClose = options.onClose;
    this.#peer.onIceStateChange((state) => this.#guard(() => this.#onIceState(state)));
    this.#peer.onStateChange((state) => this.#guard(() => this.#onPeerState(state)));
    this.#track.onOpen(() => this.#guard(() => this.#onTrackOpen()));
    this.#track.onMessage((packet) => this.#onPacket(packet));
    // The binding lets go of a track only through this callback; without it, the process lives on for 8 s
    // after the last call, until the garbage collector comes by (measured with node-datachannel 0.33.4).
    this.#track.onClosed(() => {});
  }

  get local(): LocalAudio {
    if (this.#local === null) throw new Error("The leg's parameters are read before it is open.");
    return this.#local;
  }

  /** Said once by the engine, when gathering is over. */
  setLocal(local: LocalAudio): void {
    this.#local = local;
  }

  connect(): void {
    if (this.#hasStarted || this.#isClosed) return;
    this.#hasStarted = true;
    const usable = this.#offer.candidates.filter(isUsable).slice(0, MAX_REMOTE_CANDIDATES);
    const taken = usable.filter((candidate) => this.#addCandidate(candidate));
    // Without any, the peer's own checks may still find us; none taken of several, nothing can.
    if (taken.length === 0 && usable.length > 0) {
      queueMicrotask(() => this.#guard(() => this.#enter("failed")));
    }
  }

  sendRtp(packet: Uint8Array): boolean {
    if (!this.#isTrackOpen || this.#isClosed) return this.#dropSend();
    try {
      // The binding takes any Uint8Array; its type says Buffer.
      if (!this.#track.sendMessageBinary(packet as Buffer)) return this.#dropSend();
    } catch {
      // The transport closed a moment ago and its callback is still in the queue.
      return this.#dropSend();
    }
    this.#bytesSent += packet.length;
    return true;
  }

  /** libdatachannel passes RTCP on a track as it passes RTP. */
  sendRtcp(packet: Uint8Array): boolean {
    return this.sendRtp(packet);
  }

  stats(): MediaLegStats {
    return {
      bytesSent: this.#bytesSent,
      bytesReceived: this.#bytesReceived,
      sendsDropped: this.#sendsDropped,
      rttMs: null,
      datagramsDropped: 0,
    };
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#isTrackOpen = false;
    try {
      // In this order: a peer that closes first takes the track's callback with it.
      this.#track.close();
      this.#peer.close();
    } catch (error) {
      this.#logger.warn({ err: error }, "media leg did not close cleanly");
    }
    this.#onClose(this);
  }

  #addCandidate(candidate: IceCandidate): boolean {
    try {
      this.#peer.addRemoteCandidate(toCandidateLine(candidate), this.#offer.mid);
      return true;
    } catch {
      // One that it cannot read, or any at all: libdatachannel gives up after 40 s without a candidate.
      // Its message repeats the line, which is no business of the log.
      this.#logger.warn({ candidateType: candidate.type }, "remote candidate refused");
      return false;
    }
  }

  #dropSend(): false {
    this.#sendsDropped += 1;
    return false;
  }

  #onIceState(state: string): void {
    if (this.#hasIce || (state !== "connected" && state !== "completed")) return;
    this.#hasIce = true;
    this.#listener.onIceConnected();
  }

  #onPeerState(state: string): void {
    switch (state) {
      case "connected":
        if (this.#isTrackOpen) this.#enter("connected");
        return;
      case "disconnected":
      case "failed":
      case "closed":
        this.#enter(state);
        return;
      default:
        return;
    }
  }

  /** Packets can be sent from here on; the peer's own state may be reported a moment before or after. */
  #onTrackOpen(): void {
    this.#isTrackOpen = true;
    if (this.#peer.state() === "connected") this.#enter("connected");
  }

  #enter(state: MediaLegState): void {
    // libdatachannel closes after a failure: the failure is what the caller needs to know.
    if (state === this.#state || this.#state === "failed" || this.#state === "closed") return;
    this.#state = state;
    if (state === "failed" || state === "closed") this.#isTrackOpen = false;
    this.#listener.onState(state);
  }

  #onPacket(packet: Uint8Array): void {
    if (this.#isClosed) return;
    this.#bytesReceived += packet.length;
    try {
      if (isRtcp(packet)) this.#listener.onRtcp(packet);
      else this.#listener.onRtp(packet);
    } catch (error) {
      this.#logger.error({ err: error }, "packet listener failed");
    }
  }

  /** An exception in a native callback would end the process; a callback after `close` is dropped. */
  #guard(report: () => void): void {
    if (this.#isClosed) return;
    try {
      report();
    } catch (error) {
      this.#logger.error({ err: error }, "media listener failed");
    }
  }
}

/** Component 2 is RTCP without mux, TCP needs a listener, and a host name would be asked of some DNS server. */
function isUsable(candidate: IceCandidate): boolean {
  return (
    candidate.transport === "udp" && candidate.componentId === 1 && ipVersion(candidate.address) !== null
  );
}
