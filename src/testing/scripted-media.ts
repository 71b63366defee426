import type { AudioDescription, LocalAudio } from "../core/sdp/model.ts";
import { RingbackError } from "../errors.ts";
import type {
  MediaDownReason,
  MediaEngine,
  MediaLeg,
  MediaLegListener,
  MediaLegStats,
} from "../media/engine.ts";

export interface ScriptedMediaOptions {
  /** Report `connected` soon after `connect()`. Default true; otherwise the test calls `reportConnected`. */
  readonly autoConnect?: boolean;
}

/** Packets kept per leg; a test that needs more looks at `sentCount`. */
const MAX_KEPT_PACKETS = 10_000;

/** A media engine without a network: it does what the test says and keeps what it was given. */
export class ScriptedMediaEngine implements MediaEngine {
  readonly name: string = "scripted";
  /** Every leg that was opened, in order. */
  readonly legs: ScriptedMediaLeg[] = [];
  /** The next `openLeg` rejects when it is true. */
  failsToOpen = false;
  isClosed = false;
  readonly #autoConnect: boolean;

  constructor(options: ScriptedMediaOptions = {}) {
    this.#autoConnect = options.autoConnect ?? true;
  }

  /** The leg that was opened last. */
  get lastLeg(): ScriptedMediaLeg {
    const leg = this.legs.at(-1);
    if (leg === undefined) throw new Error("No leg was opened.");
    return leg;
  }

  openLeg(offer: AudioDescription, listener: MediaLegListener): Promise<MediaLeg> {
    if (this.failsToOpen || this.isClosed) {
      const error = new RingbackError("MEDIA_ENGINE_FAILED", "The test lets no leg open.", {
        details: { engine: this.name, reason: "scripted" },
      });
      return Promise.reject(error);
    }
    const leg = new ScriptedMediaLeg(offer, listener, this.legs.length + 1, this.#autoConnect);
    this.legs.push(leg);
    return Promise.resolve(leg);
  }

  close(): Promise<void> {
    this.isClosed = true;
    for (const leg of this.legs) leg.close();
    return Promise.resolve();
  }
}

/** One leg of a `ScriptedMediaEngine`. Like a real one, it reports nothing once it is closed. */
export class ScriptedMediaLeg implements MediaLeg {
  readonly offer: AudioDescription;
  readonly local: LocalAudio;
  /** Copies of the RTP packets sent while the leg was connected. */
  readonly sent: Uint8Array[] = [];
  /** Copies of the RTCP packets sent while the leg was connected. */
  readonly sentRtcp: Uint8Array[] = [];
  sentCount = 0;
  sendsDropped = 0;
  connectCalls = 0;
  isConnected = false;
  isClosed = false;
  readonly #listener: MediaLegListener;
  readonly #autoConnect: boolean;
  #hasIce = false;

  constructor(offer: AudioDescription, listener: MediaLegListener, number: number, autoConnect: boolean) {
    this.offer = offer;
    this.#listener = listener;
    this.#autoConnect = autoConnect;
    this.local = {
      iceUfrag: `ufrag${number}`,
      icePwd: `passwordOfScriptedLeg${number}`,
      sha256Fingerprint: Array.from({ length: 32 }, () => "AB").join(":"),
      setup: offer.setup === "active" ? "passive" : "active",
      candidates: [
        {
          foundation: "1",
          componentId: 1,
          transport: "udp",
          priority: 2_130_706_431,
          address: "127.0.0.1",
          port: 40_000 + number,
          type: "host",
        },
      ],
      ssrc: 1000 + number,
      cname: `scripted-${number}`,
      sessionId: String(number),
    };
  }

  connect(): void {
    this.connectCalls += 1;
    if (this.#autoConnect && this.connectCalls === 1) queueMicrotask(() => this.reportConnected());
  }

  sendRtp(packet: Uint8Array): boolean {
    if (!this.isConnected || this.isClosed) {
      this.sendsDropped += 1;
      return false;
    }
    this.sentCount += 1;
    if (this.sent.length < MAX_KEPT_PACKETS) this.sent.push(packet.slice());
    return true;
  }

  sendRtcp(packet: Uint8Array): boolean {
    if (!this.isConnected || this.isClosed) return false;
    if (this.sentRtcp.length < MAX_KEPT_PACKETS) this.sentRtcp.push(packet.slice());
    return true;
  }

  stats(): MediaLegStats {
    const bytesSent = this.sent.reduce((sum, packet) => sum + packet.length, 0);
    return { bytesSent, bytesReceived: 0, sendsDropped: this.sendsDropped, rttMs: null, datagramsDropped: 0 };
  }

  close(): void {
    this.isClosed = true;
    this.isConnected = false;
  }

  /** At most once, as the port has it. */
  reportIceConnected(): void {
    if (this.isClosed || this.#hasIce) return;
    this.#hasIce = true;
    this.#listener.onIceConnected();
  }

  /** ICE and DTLS come up. */
  reportConnected(): void {
    if (this.isClosed) return;
    this.isConnected = true;
    this.reportIceConnected();
    this.#listener.onState("connected");
  }

  /** The transport goes down. */
  reportDown(state: "disconnected" | "failed" | "closed", reason?: MediaDownReason): void {
    if (this.isClosed) return;
    this.isConnected = false;
    this.#listener.onState(state, reason);
  }

  /** An RTCP packet comes in from the peer. */
  receiveRtcp(packet: Uint8Array): void {
    if (!this.isClosed) this.#listener.onRtcp(packet);
  }

  /** A packet comes in from the peer. */
  receive(packet: Uint8Array): void {
    if (!this.isClosed) this.#listener.onRtp(packet);
  }
}
