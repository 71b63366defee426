import { createRtpHeader, type RtpHeader, readRtp } from "../core/transport/rtp/rtp.ts";
import { RtpReceiver } from "../core/transport/rtp/rtp-receiver.ts";
import { type Digit, TelephoneEventDecoder } from "../core/transport/rtp/telephone-event.ts";
import { OPUS_CLOCK_RATE_HZ } from "./rtp-clock.ts";

export interface IncomingAudioListener {
  onFirstRtpIn(): void;
  onDigit(digit: Digit): void;
  /** Each received Opus packet, as it comes, while frames are wanted; the bytes are valid only during the call. */
  onFrame(opusPayload: Uint8Array, rtpTimestamp: number): void;
}

export interface IncomingAudioOptions {
  readonly opusType: number;
  /** Null when none was negotiated. */
  readonly telephoneEventType: number | null;
  readonly listener: IncomingAudioListener;
}

/** The stream that comes in: from RTP packets to Opus frames and digits. Nothing is reported after `close`. */
export class IncomingAudio {
  readonly receiver: RtpReceiver = new RtpReceiver(OPUS_CLOCK_RATE_HZ);
  readonly digits: TelephoneEventDecoder;
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

  constructor(options: IncomingAudioOptions) {
    this.#opusType = options.opusType;
    this.#telephoneEventType = options.telephoneEventType;
    this.#listener = options.listener;
    this.digits = new TelephoneEventDecoder((digit) => this.#listener.onDigit(digit));
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
    if (isOpus) this.#deliverFrame(packet);
    else this.#deliverEvent(packet, nowMs);
  }

  /** Reports a digit whose end was lost. Called now and then. */
  expire(nowMs: number): void {
    if (!this.#isClosed) this.digits.expire(nowMs);
  }

  close(): void {
    this.#isClosed = true;
  }

  #deliverFrame(packet: Uint8Array): void {
    const { payloadOffset, payloadLength, timestamp } = this.#header;
    // RFC 6716 §3.1: an Opus packet has a byte at least; some senders keep a NAT open with empty ones.
    if (payloadLength === 0 || !this.areFramesWanted) return;
    this.#listener.onFrame(packet.subarray(payloadOffset, payloadOffset + payloadLength), timestamp);
  }

  #deliverEvent(packet: Uint8Array, nowMs: number): void {
    const { payloadOffset, payloadLength, timestamp, marker, ssrc } = this.#header;
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
