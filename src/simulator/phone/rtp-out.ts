import { RtpHeader } from "werift";
import type { Clock } from "../../platform/clock.ts";
import { DigitSender } from "./digit-sender.ts";
import type { Voice } from "./voice.ts";

const SLOT_MS = 20;
const SLOT_RTP_TICKS = 960;
/** After a longer stall the slots that were missed are skipped, not made up for in a burst. */
const MAX_CATCH_UP_SLOTS = 5;

export interface RtpOutOptions {
  readonly clock: Clock;
  readonly voice: Voice;
  readonly ssrc: number;
  readonly firstSequenceNumber: number;
  readonly firstTimestamp: number;
  readonly opusPayloadType: number;
  readonly telephoneEventPayloadType: number;
  /** Encrypts and sends; false when it could not. Header and payload are free for reuse when it returns. */
  readonly send: (header: RtpHeader, payload: Buffer) => boolean;
}

/** Speaks: one packet every 20 ms by the monotonic clock, voice and digits in one SSRC and sequence space. */
export class RtpOut {
  readonly #options: RtpOutOptions;
  readonly #digits = new DigitSender();
  readonly #header: RtpHeader;
  #timer: NodeJS.Timeout | null = null;
  #isStopped = false;
  #dueAtMs = 0;
  #timestamp: number;
  #sequenceNumber: number;
  packetsSent = 0;
  payloadBytesSent = 0;

  constructor(options: RtpOutOptions) {
    this.#options = options;
    this.#timestamp = options.firstTimestamp >>> 0;
    this.#sequenceNumber = options.firstSequenceNumber & 0xffff;
    this.#header = new RtpHeader({
      ssrc: options.ssrc,
      payloadType: options.opusPayloadType,
      extension: false,
    });
  }

  /** RTP timestamp of the next packet. */
  get timestamp(): number {
    return this.#timestamp;
  }

  /** Idempotent. No start after a stop. */
  start(): void {
    if (this.#timer !== null || this.#isStopped) return;
    this.#dueAtMs = this.#options.clock.nowMs();
    this.#tick();
  }

  stop(): void {
    this.#isStopped = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#digits.clear();
  }

  /** @throws {RingbackError} `OPTION_INVALID`. */
  sendDigits(digits: string): Promise<void> {
    const sent = this.#digits.push(digits);
    if (this.#isStopped) this.#digits.clear();
    return sent;
  }

  readonly #tick = (): void => {
    const now = this.#options.clock.nowMs();
    this.#skipMissed(now);
    while (this.#dueAtMs <= now) {
      this.#sendSlot();
      this.#dueAtMs += SLOT_MS;
    }
    this.#timer = setTimeout(this.#tick, Math.max(1, Math.ceil(this.#dueAtMs - now)));
  };

  #skipMissed(now: number): void {
    const missed = Math.floor((now - this.#dueAtMs) / SLOT_MS) - MAX_CATCH_UP_SLOTS;
    if (missed <= 0) return;
    this.#dueAtMs += missed * SLOT_MS;
    this.#timestamp = (this.#timestamp + missed * SLOT_RTP_TICKS) >>> 0;
  }

  #sendSlot(): void {
    const event = this.#digits.next(this.#timestamp);
    if (event !== null) {
      this.#send(this.#options.telephoneEventPayloadType, event.timestamp, event.marker, event.payload);
    } else {
      const packet = this.#options.voice.next();
      // RFC 3551 §4.1: the marker begins a talkspurt; this stream is one.
      const marker = this.packetsSent === 0;
      if (packet !== null) this.#send(this.#options.opusPayloadType, this.#timestamp, marker, packet);
    }
    this.#timestamp = (this.#timestamp + SLOT_RTP_TICKS) >>> 0;
  }

  #send(payloadType: number, timestamp: number, marker: boolean, payload: Buffer): void {
    this.#header.payloadType = payloadType;
    this.#header.timestamp = timestamp;
    this.#header.marker = marker;
    this.#header.sequenceNumber = this.#sequenceNumber;
    if (!this.#options.send(this.#header, payload)) return;
    this.#sequenceNumber = (this.#sequenceNumber + 1) & 0xffff;
    this.packetsSent += 1;
    this.payloadBytesSent += payload.length;
  }
}
