import { signedTimestampDistance } from "./timestamp.ts";

/** The sixteen keys of RFC 4733 §3.2, table 3, by event code. */
export const DIGITS = "0123456789*#ABCD";

/** RFC 4733 §2.5.1.3: a longer event goes on in a new segment. */
export const SEGMENT_FULL_TICKS = 0xffff;

/** WhatsApp sends telephone-event/8000, whatever the audio's clock. */
export const TICKS_PER_MS = 8;
/** Timestamps run on in the audio's 48 kHz with some senders (ours too), in the event's own 8 kHz with others. */
export const AUDIO_TICKS_PER_TICK = 6;

/** Updates come every 20 or 50 ms: half a second without one means that the end was lost. */
const DEFAULT_END_LOST_MS = 500;

export interface Digit {
  /** One of `0`-`9`, `*`, `#`, `A`-`D`. */
  readonly digit: string;
  /** How long the key was held, as far as the packets tell. */
  readonly durationMs: number;
}

export interface TelephoneEventDecoderOptions {
  /** A key went down: the first packet of its event came. What it throws is thrown by `receive`. */
  readonly onStart?: (digit: string) => void;
  /** Silence after which an event without an end packet is taken as ended, in ms. Default 500. */
  readonly endLostMs?: number;
}

export interface TelephoneEventStats {
  digits: number;
  /** Packets too short to hold an event. */
  malformed: number;
  /** Packets of events that are no key (RFC 4733 knows many), such as a hook flash. */
  unknownEvents: number;
}

/**
 * Turns telephone-event packets into digits, each once, at the end of its event.
 *
 * The end packet is sent three times (RFC 4733 §2.5.1.4) and each packet of an event has the event's first timestamp, so
 * an event is known by its timestamp. When every end packet is lost, the next event or `expire` reports it.
 */
export class TelephoneEventDecoder {
  readonly stats: TelephoneEventStats = { digits: 0, malformed: 0, unknownEvents: 0 };
  readonly #onDigit: (digit: Digit) => void;
  readonly #onStart: ((digit: string) => void) | undefined;
  readonly #endLostMs: number;
  #event = -1;
  #isOpen = false;
  #hasTimestamp = false;
  #timestamp = 0;
  #segmentTicks = 0;
  #finishedTicks = 0;
  #lastPacketMs = 0;

  constructor(onDigit: (digit: Digit) => void, options: TelephoneEventDecoderOptions = {}) {
    this.#onDigit = onDigit;
    this.#onStart = options.onStart;
    this.#endLostMs = options.endLostMs ?? DEFAULT_END_LOST_MS;
  }

  // RFC 4733 §2.3:
  //
  //   0                   1                   2                   3
  //   0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
  //  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
  //  |     event     |E|R| volume    |          duration             |
  //  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
  /** Takes the payload that lies at `offset`, `length` bytes long, of a packet with the given RTP timestamp. */
  receive(
    packet: Uint8Array,
    offset: number,
    length: number,
    timestamp: number,
    marker: boolean,
    nowMs: number,
  ): void {
    if (length < 4) {
      this.stats.malformed += 1;
      return;
    }
    const event = packet[offset] ?? 0;
    if (event >= DIGITS.length) {
      this.stats.unknownEvents += 1;
      return;
    }
    if (!this.#follow(event, timestamp, marker)) return;
    const ticks = ((packet[offset + 2] ?? 0) << 8) | (packet[offset + 3] ?? 0);
    // Packets may come out of order: the duration only grows.
    if (ticks > this.#segmentTicks) this.#segmentTicks = ticks;
    this.#lastPacketMs = nowMs;
    if (((packet[offset + 1] ?? 0) & 0x80) !== 0) this.#finish();
  }

  /** Reports an event whose end packets were all lost. Call it now and then; without an open event it does nothing. */
  expire(nowMs: number): void {
    if (this.#isOpen && nowMs - this.#lastPacketMs >= this.#endLostMs) this.#finish();
  }

  /** Forgets the timestamps seen, for a new SSRC; an open event is reported first. */
  reset(): void {
    if (this.#isOpen) this.#finish();
    this.#hasTimestamp = false;
  }

  /** Makes the packet's event the open one. False for repetitions and for packets of earlier events. */
  #follow(event: number, timestamp: number, marker: boolean): boolean {
    const distance = this.#hasTimestamp ? signedTimestampDistance(this.#timestamp, timestamp) : 1;
    if (distance === 0) return this.#isOpen;
    if (distance < 0) return false;
    this.#hasTimestamp = true;
    this.#timestamp = timestamp;
    if (this.#isOpen && !marker && event === this.#event && this.#isNextSegment(distance)) {
      this.#finishedTicks += SEGMENT_FULL_TICKS;
      this.#segmentTicks = 0;
      return true;
    }
    if (this.#isOpen) this.#finish();
    this.#event = event;
    this.#isOpen = true;
    this.#segmentTicks = 0;
    this.#finishedTicks = 0;
    this.#onStart?.(DIGITS.charAt(event));
    return true;
  }

  /** Known by the full segment before it or, when that one's last packet was lost, by its distance from it. */
  #isNextSegment(distance: number): boolean {
    if (this.#segmentTicks === SEGMENT_FULL_TICKS) return true;
    return distance === SEGMENT_FULL_TICKS || distance === SEGMENT_FULL_TICKS * AUDIO_TICKS_PER_TICK;
  }

  #finish(): void {
    this.#isOpen = false;
    this.stats.digits += 1;
    const durationMs = (this.#finishedTicks + this.#segmentTicks) / TICKS_PER_MS;
    this.#onDigit({ digit: DIGITS.charAt(this.#event), durationMs });
  }
}
