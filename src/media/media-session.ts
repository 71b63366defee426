import type { AudioDescription, LocalAudio } from "../core/sdp/model.ts";
import { createRtpHeader, RtpWriter, readRtp } from "../core/transport/rtp/rtp.ts";
import { RtpReceiver, type RtpReceiverStats } from "../core/transport/rtp/rtp-receiver.ts";
import {
  type Digit,
  TelephoneEventDecoder,
  type TelephoneEventStats,
} from "../core/transport/rtp/telephone-event.ts";
import type { Clock } from "../platform/clock.ts";
import { type Random, randomUint32 } from "../platform/random.ts";
import type { EncodedPrompt } from "./encoded-prompt.ts";
import type {
  MediaDownReason,
  MediaEngine,
  MediaLeg,
  MediaLegListener,
  MediaLegState,
  MediaLegStats,
} from "./engine.ts";
import type { MediaClock, Ticker } from "./media-clock.ts";
import { type Playback, PromptPlayback } from "./playback.ts";
import { OPUS_CLOCK_RATE_HZ, SLOT_RTP_TICKS } from "./rtp-clock.ts";
import { OPUS_SILENCE } from "./silence.ts";

/** What a session reports, each but digits and frames at most once. Nothing is reported after `close`. */
export interface MediaSessionListener {
  /** ICE has a working pair. */
  onIceConnected(): void;
  /** ICE and DTLS are up: audio can flow. */
  onConnected(): void;
  /** The transport was up and is not any more. `reason`: where the engine knows it. */
  onLost(reason?: MediaDownReason): void;
  /** The transport never came up. */
  onFailed(reason?: MediaDownReason): void;
  onFirstRtpIn(): void;
  onFirstRtpOut(): void;
  onDigit(digit: Digit): void;
  /** Each received Opus packet, as it comes, while frames are wanted; the bytes are valid only during the call. */
  onFrame(opusPayload: Uint8Array, rtpTimestamp: number): void;
}

export interface MediaSessionOptions {
  readonly engine: MediaEngine;
  readonly offer: AudioDescription;
  readonly clock: MediaClock;
  readonly now: Clock;
  readonly random: Random;
  readonly listener: MediaSessionListener;
  /** For the owner: the session was closed, by whomever. */
  readonly onClosed?: () => void;
}

export interface MediaStats {
  readonly packetsSent: number;
  /** Packets that the transport did not take. */
  readonly packetsNotSent: number;
  /** Slots without a packet, because the program was held up. */
  readonly slotsSkipped: number;
  readonly received: RtpReceiverStats;
  readonly telephoneEvents: Readonly<TelephoneEventStats>;
  readonly transport: MediaLegStats;
}

/** One call's audio: joins the transport with the packets that go out and come in. */
export class MediaSession implements Ticker {
  readonly #clock: MediaClock;
  readonly #now: Clock;
  readonly #listener: MediaSessionListener;
  readonly #opusType: number;
  readonly #telephoneEventType: number | null;
  readonly #header = createRtpHeader();
  readonly #receiver = new RtpReceiver(OPUS_CLOCK_RATE_HZ);
  readonly #digits: TelephoneEventDecoder;
  readonly #random: Random;
  readonly #onClosed: (() => void) | undefined;
  #attached: { readonly leg: MediaLeg; readonly writer: RtpWriter } | null = null;
  #playback: PromptPlayback | null = null;
  #isClosed = false;
  #isStarted = false;
  #wasConnected = false;
  #isDown = false;
  #needsMarker = true;
  #firstSlot = 0;
  #lastSlot = 0;
  #eventSsrc: number | null = null;
  #restarts = 0;
  #packetsSent = 0;
  #packetsNotSent = 0;
  #slotsSkipped = 0;
  #hasReceived = false;
  #areFramesWanted = false;

  /**
   * Opens the transport toward the peer that the offer describes. Nothing is sent yet.
   *
   * @throws {RingbackError} `MEDIA_ENGINE_FAILED`.
   */
  static async open(options: MediaSessionOptions): Promise<MediaSession> {
    const session = new MediaSession(options);
    const leg = await options.engine.openLeg(options.offer, session.#legListener());
    session.#attach(leg);
    return session;
  }

  private constructor(options: MediaSessionOptions) {
    this.#clock = options.clock;
    this.#now = options.now;
    this.#random = options.random;
    this.#listener = options.listener;
    this.#onClosed = options.onClosed;
    this.#opusType = options.offer.opus.payloadType;
    this.#telephoneEventType = options.offer.telephoneEvent?.payloadType ?? null;
    this.#digits = new TelephoneEventDecoder((digit) => this.#listener.onDigit(digit));
  }

  /** Our side's parameters, for the SDP. */
  get local(): LocalAudio {
    return this.#leg.local;
  }

  /** Starts ICE and DTLS. Called once the peer knows our answer. */
  connect(): void {
    if (!this.#isClosed) this.#leg.connect();
  }

  /**
   * Starts the stream: one packet at once, then one per slot without a gap until the end, silence when nothing is played.
   * Called after the accept's 200: the user's phone counts the call from the first packet on. Idempotent.
   */
  startRtp(): void {
    if (this.#isStarted || this.#isClosed) return;
    this.#isStarted = true;
    this.#firstSlot = this.#clock.add(this);
    this.#lastSlot = this.#firstSlot;
    this.#sendNext();
  }

  /** Plays a prompt, in place of one that is playing. Before `startRtp` it waits, so that its first word is heard. */
  play(prompt: EncodedPrompt, options: { readonly loop?: boolean } = {}): Playback {
    const playback = new PromptPlayback(prompt, options.loop === true && prompt.packetCount > 0);
    if (this.#isClosed) {
      playback.end("call-ended");
      return playback;
    }
    this.#playback?.end("replaced");
    this.#playback = playback;
    return playback;
  }

  /** Received packets go to the listener's `onFrame` from now on, or no longer. At first they do not. */
  setFramesWanted(areWanted: boolean): void {
    this.#areFramesWanted = areWanted;
  }

  stats(): MediaStats {
    return {
      packetsSent: this.#packetsSent,
      packetsNotSent: this.#packetsNotSent,
      slotsSkipped: this.#slotsSkipped,
      received: this.#receiver.stats(),
      telephoneEvents: { ...this.#digits.stats },
      transport: this.#leg.stats(),
    };
  }

  /** Ends playback and stream and releases the transport. Idempotent. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#clock.remove(this);
    this.#playback?.end("call-ended");
    this.#playback = null;
    this.#leg.close();
    this.#onClosed?.();
  }

  /** For the media clock. */
  tick(slot: number): void {
    if (slot <= this.#lastSlot || this.#isClosed) return;
    const skipped = slot - this.#lastSlot - 1;
    if (skipped > 0) {
      this.#slotsSkipped += skipped;
      // RFC 3551 §4.1: the marker tells the receiver that it may adjust its playout here.
      this.#needsMarker = true;
    }
    this.#lastSlot = slot;
    this.#digits.expire(this.#now.nowMs());
    this.#sendNext();
  }

  /** For the media clock: without its ticks the stream is dead. */
  tickFailed(): void {
    this.#onLegState("failed", "engine-error");
  }

  get #leg(): MediaLeg {
    return this.#opened.leg;
  }

  get #opened(): { readonly leg: MediaLeg; readonly writer: RtpWriter } {
    if (this.#attached === null) throw new Error("The session is used before it is open.");
    return this.#attached;
  }

  #attach(leg: MediaLeg): void {
    const writer = new RtpWriter({
      ssrc: leg.local.ssrc,
      firstSequence: randomUint32(this.#random) & 0xffff,
      firstTimestamp: randomUint32(this.#random),
    });
    this.#attached = { leg, writer };
  }

  #sendNext(): void {
    const { leg, writer } = this.#opened;
    const payload = this.#nextPayload();
    const ticks = (this.#lastSlot - this.#firstSlot) * SLOT_RTP_TICKS;
    const packet = writer.write(payload, this.#opusType, ticks, this.#needsMarker);
    if (!leg.sendRtp(packet)) {
      this.#packetsNotSent += 1;
      return;
    }
    this.#needsMarker = false;
    this.#packetsSent += 1;
    if (this.#packetsSent === 1) this.#listener.onFirstRtpOut();
  }

  #nextPayload(): Uint8Array {
    if (this.#playback === null) return OPUS_SILENCE;
    const packet = this.#playback.take();
    if (packet !== null) return packet;
    this.#playback = null;
    return OPUS_SILENCE;
  }

  #legListener(): MediaLegListener {
    return {
      onIceConnected: () => {
        if (!this.#isClosed) this.#listener.onIceConnected();
      },
      onState: (state, reason) => this.#onLegState(state, reason),
      onRtp: (packet) => this.#onRtp(packet),
      onRtcp: () => {},
    };
  }

  #onLegState(state: MediaLegState, reason?: MediaDownReason): void {
    if (this.#isClosed || this.#isDown) return;
    if (state === "connected") {
      if (this.#wasConnected) return;
      this.#wasConnected = true;
      this.#listener.onConnected();
      return;
    }
    this.#isDown = true;
    if (this.#wasConnected) this.#listener.onLost(reason);
    else this.#listener.onFailed(reason);
  }

  #onRtp(packet: Uint8Array): void {
    if (this.#isClosed) return;
    const header = this.#header;
    const fault = readRtp(packet, header);
    if (fault !== null) {
      this.#receiver.countBad(fault);
      return;
    }
    const isOpus = header.payloadType === this.#opusType;
    if (!isOpus && header.payloadType !== this.#telephoneEventType) {
      this.#receiver.countBad("payload-type");
      return;
    }
    const nowMs = this.#now.nowMs();
    if (this.#receiver.receive(header, nowMs, isOpus) !== "new") return;
    if (!this.#hasReceived) {
      this.#hasReceived = true;
      this.#listener.onFirstRtpIn();
      if (this.#isClosed) return;
    }
    if (isOpus) this.#deliverFrame(packet);
    else this.#deliverEvent(packet, nowMs);
  }

  #deliverFrame(packet: Uint8Array): void {
    const { payloadOffset, payloadLength, timestamp } = this.#header;
    // RFC 6716 §3.1: an Opus packet has a byte at least; some senders keep a NAT open with empty ones.
    if (payloadLength === 0 || !this.#areFramesWanted) return;
    this.#listener.onFrame(packet.subarray(payloadOffset, payloadOffset + payloadLength), timestamp);
  }

  #deliverEvent(packet: Uint8Array, nowMs: number): void {
    const { payloadOffset, payloadLength, timestamp, marker, ssrc } = this.#header;
    // Timestamps of another stream say nothing about this one's. Some senders give keys an SSRC of their own,
    // between audio packets: a change from and to audio's is none.
    if (ssrc !== this.#eventSsrc || this.#receiver.restarts !== this.#restarts) {
      this.#eventSsrc = ssrc;
      this.#restarts = this.#receiver.restarts;
      this.#digits.reset();
    }
    this.#digits.receive(packet, payloadOffset, payloadLength, timestamp, marker, nowMs);
  }
}
