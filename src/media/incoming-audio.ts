import { FastestTransit } from "../core/recording/fastest-transit.ts";
import { createRtpHeader, type RtpHeader, readRtp } from "../core/transport/rtp/rtp.ts";
import { RtpReceiver } from "../core/transport/rtp/rtp-receiver.ts";
import { type Digit, TelephoneEventDecoder } from "../core/transport/rtp/telephone-event.ts";
import { signedTimestampDistance } from "../core/transport/rtp/timestamp.ts";
import { OrderedAudio } from "./listening/ordered-audio.ts";
import { OPUS_CLOCK_RATE_HZ } from "./rtp-clock.ts";

export interface IncomingAudioListener {
  onFirstRtpIn(): void;
  /** The end of a key: it was let go. */
  onDigit(digit: Digit): void;
  /** Each received Opus packet, as it comes, while frames are wanted; the bytes are valid only during the call. */
  onFrame(opusPayload: Uint8Array, rtpTimestamp: number): void;
}

/** Hears Opus packets as they arrive, in whatever order. What it throws ends the call. */
export interface ArrivalTap {
  /** The payload is valid only during the call. */
  onPacket(
    packet: Uint8Array,
    offset: number,
    lengthBytes: number,
    rtpTimestamp: number,
    nowMs: number,
  ): void;
  /** Timestamps begin anew. */
  onRestart(): void;
}

export interface IncomingAudioOptions {
  readonly opusType: number;
  /** Null when none was negotiated. */
  readonly telephoneEventType: number | null;
  readonly listener: IncomingAudioListener;
  /** A key went down. */
  readonly onDigitStart: () => void;
}

/** The stream that comes in: from RTP packets to Opus frames and digits. Nothing is reported after `close`. */
export class IncomingAudio {
  readonly receiver: RtpReceiver = new RtpReceiver(OPUS_CLOCK_RATE_HZ);
  readonly digits: TelephoneEventDecoder;
  /** For those who need the packets in order, at their time. */
  readonly ordered: OrderedAudio = new OrderedAudio();
  readonly taps: Set<ArrivalTap> = new Set();
  /** Received packets go to the listener's `onFrame`. */
  areFramesWanted = false;
  readonly #opusType: number;
  readonly #telephoneEventType: number | null;
  readonly #listener: IncomingAudioListener;
  readonly #header: RtpHeader = createRtpHeader();
  #isClosed = false;
  #hasReceived = false;
  #eventSsrc: number | null = null;
  #restarts = 0;
  #audioRestarts = 0;
  #audioSsrc = -1;
  #transit = new FastestTransit(null);
  /** Timestamp of the latest Opus packet, without its wraps. */
  #ticks = 0;

  constructor(options: IncomingAudioOptions) {
    this.#opusType = options.opusType;
    this.#telephoneEventType = options.telephoneEventType;
    this.#listener = options.listener;
    this.digits = new TelephoneEventDecoder((digit) => this.#listener.onDigit(digit), {
      onStart: options.onDigitStart,
    });
  }

  /** Takes one decrypted packet. On the packet path. */
  receive(packet: Uint8Array, nowMs: number): void {
    if (this.#isClosed) return;
    const header = this.#header;
    const fault = readRtp(packet, header);
    if (fault !== null) {
      this.receiver.countBad(fault);
      return;
    }
    const isOpus = header.payloadType === this.#opusType;
    if (!isOpus && header.payloadType !== this.#telephoneEventType) {
      this.receiver.countBad("payload-type");
      return;
    }
    if (this.receiver.receive(header, nowMs, isOpus) !== "new") return;
    if (!this.#hasReceived) {
      this.#hasReceived = true;
      this.#listener.onFirstRtpIn();
      if (this.#isClosed) return;
    }
    if (isOpus) this.#deliverAudio(packet, nowMs);
    else this.#deliverEvent(packet, nowMs);
  }

  /** Transit time of the fastest packets of late, as `arrival - rtpTimestamp / 48`, in ms; null when none came. */
  get fastestTransitMs(): number | null {
    return Number.isFinite(this.#transit.ms) ? this.#transit.ms : null;
  }

  /** A slot of the media clock: what is due is heard, and a digit whose end was lost is reported. */
  tick(nowMs: number): void {
    if (this.#isClosed) return;
    this.digits.expire(nowMs);
    this.ordered.tick(nowMs);
  }

  close(): void {
    this.#isClosed = true;
  }

  #deliverAudio(packet: Uint8Array, nowMs: number): void {
    const { payloadOffset, payloadLength, timestamp } = this.#header;
    this.#observeTransit(timestamp, nowMs);
    this.ordered.push(packet, this.#header, nowMs);
    // RFC 6716 §3.1: an Opus packet has a byte at least; some senders keep a NAT open with empty ones.
    if (payloadLength === 0) return;
    if (this.areFramesWanted) {
      this.#listener.onFrame(packet.subarray(payloadOffset, payloadOffset + payloadLength), timestamp);
    }
    // To go through a Set makes an iterator: most calls have no tap, and should not pay for it with each packet.
    if (this.taps.size === 0) return;
    for (const tap of this.taps) tap.onPacket(packet, payloadOffset, payloadLength, timestamp, nowMs);
  }

  #observeTransit(timestamp: number, nowMs: number): void {
    if (this.#header.ssrc !== this.#audioSsrc || this.receiver.restarts !== this.#audioRestarts) {
      this.#beginTimestamps(timestamp);
    } else this.#ticks += signedTimestampDistance(this.#ticks, timestamp);
    this.#transit.observe(nowMs - (this.#ticks * 1_000) / OPUS_CLOCK_RATE_HZ, nowMs);
  }

  #beginTimestamps(timestamp: number): void {
    const isRestart = this.#audioSsrc !== -1;
    this.#audioSsrc = this.#header.ssrc;
    this.#audioRestarts = this.receiver.restarts;
    this.#ticks = timestamp;
    this.#transit = new FastestTransit(null);
    if (isRestart) for (const tap of this.taps) tap.onRestart();
  }

  #deliverEvent(packet: Uint8Array, nowMs: number): void {
    const { payloadOffset, payloadLength, timestamp, marker, ssrc } = this.#header;
    this.ordered.skip(packet, this.#header);
    // Timestamps of another stream say nothing about this one's. Some senders give keys an SSRC of their own,
    // between audio packets: a change from and to audio's is none.
    if (ssrc !== this.#eventSsrc || this.receiver.restarts !== this.#restarts) {
      this.#eventSsrc = ssrc;
      this.#restarts = this.receiver.restarts;
      this.digits.reset();
    }
    this.digits.receive(packet, payloadOffset, payloadLength, timestamp, marker, nowMs);
  }
}
