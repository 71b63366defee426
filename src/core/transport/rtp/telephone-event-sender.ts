import { RingbackError } from "../../../errors.ts";
import { writeUint16 } from "../bytes.ts";
import { AUDIO_TICKS_PER_TICK, DIGITS, SEGMENT_FULL_TICKS, TICKS_PER_MS } from "./telephone-event.ts";

const SLOT_MS = 20;
const SLOT_TICKS = SLOT_MS * TICKS_PER_MS;
const WAIT = -1;
const WAIT_TICKS = 500 * TICKS_PER_MS;
/** RFC 4733 §2.5.1.4: the end goes out three times. */
const END_PACKETS = 3;
const MAX_WAITING_DIGITS = 256;
/** RFC 4733 §2.3.2. */
const END_BIT = 0x80;

export interface DigitOptions {
  /** How long each key is held, in ms, rounded up to 20. 40–30 000, default 100. */
  readonly toneMs?: number;
  /** From one key's end to the next one's start, in ms, rounded up to 20. 60–5000, default 60. */
  readonly gapMs?: number;
  /** Power of the tone that the far end may make of it, in -dBm0 (RFC 4733 §2.3.4). 0–63, default 10. */
  readonly volumeDb?: number;
}

/** What became of digits: all their packets are out, or the call ended before. */
export type DigitsOutcome = "sent" | "call-ended";

/** One packet of an event; the object is used again for the next one. */
export interface TelephoneEventPacket {
  readonly payload: Uint8Array;
  /** Media time of the event's start (RFC 4733 §2.2.1), in the audio's ticks. */
  mediaRtpTicks: number;
  /** RFC 4733 §2.2.2: on the first packet of an event. */
  marker: boolean;
}

interface Tone {
  readonly toneTicks: number;
  readonly gapTicks: number;
  readonly volumeDb: number;
}

interface Step {
  /** RFC 4733 event, or `WAIT`. */
  readonly event: number;
  readonly tone: Tone;
  /** Only the last step of a text has it. */
  readonly onDone: ((outcome: DigitsOutcome) => void) | null;
}

/**
 * Sends digits as RFC 4733 events, one packet per 20 ms slot in place of the audio's, in its SSRC and sequence space. Sans-IO.
 *
 * Two clocks meet here, as in WhatsApp's SDP: Opus at 48 kHz and telephone-event at 8 kHz. The RTP timestamp belongs to the
 * stream, of which there is one, and runs on in 48 kHz; an event's packets carry that of its start. The duration in the payload
 * belongs to the event and counts in 8 kHz: 160 per slot of 960.
 */
export class TelephoneEventSender {
  readonly #packet: TelephoneEventPacket = { payload: new Uint8Array(4), mediaRtpTicks: 0, marker: false };
  readonly #waiting: Step[] = [];
  /** Media time at which the step at hand began, -1 before. */
  #startRtpTicks = -1;
  /** Ticks of the event in segments that are full. */
  #fullTicks = 0;
  #isSegmentFull = false;
  #endsSent = 0;

  /** Nothing waits and nothing is being sent: every slot is the audio's. */
  get isIdle(): boolean {
    return this.#waiting.length === 0;
  }

  /**
   * Queues a text: `0`–`9`, `*`, `#`, `A`–`D` (or `a`–`d`), and `w` for a wait of 500 ms.
   *
   * @param onDone Called once: `sent` with the last slot of the text, its gap included, `call-ended` by `clear`.
   * @throws {RingbackError} `OPTION_INVALID` for any other character, for more than 256 that wait, and for options out of range.
   *   Nothing is queued then.
   */
  push(digits: string, options: DigitOptions, onDone: (outcome: DigitsOutcome) => void): void {
    if (digits.length > MAX_WAITING_DIGITS - this.#waiting.length) {
      throw invalidOption("digits", `At most ${MAX_WAITING_DIGITS} digits can wait to be sent.`);
    }
    const tone = toTone(options);
    const events = Array.from(digits, toEvent);
    if (events.length === 0) onDone("sent");
    events.forEach((event, index) => {
      this.#waiting.push({ event, tone, onDone: index === events.length - 1 ? onDone : null });
    });
  }

  /** Drops what waits. */
  clear(): void {
    for (const step of this.#waiting.splice(0)) step.onDone?.("call-ended");
    this.#startRtpTicks = -1;
  }

  /**
   * Takes the slot at `mediaRtpTicks`, when not idle. Slots that the program missed count as time, so that durations stay true.
   *
   * @returns The event's packet; null in gaps and waits, when the slot is for silence.
   */
  next(mediaRtpTicks: number): TelephoneEventPacket | null {
    const step = this.#waiting[0];
    if (step === undefined) return null;
    if (this.#startRtpTicks < 0) this.#begin(mediaRtpTicks);
    // At the end of this slot.
    const elapsedTicks = (mediaRtpTicks - this.#startRtpTicks) / AUDIO_TICKS_PER_TICK + SLOT_TICKS;
    if (step.event === WAIT) {
      if (elapsedTicks >= WAIT_TICKS) this.#finish(step);
      return null;
    }
    if (this.#endsSent < END_PACKETS) return this.#update(step, elapsedTicks);
    if (elapsedTicks >= step.tone.toneTicks + step.tone.gapTicks) this.#finish(step);
    return null;
  }

  #begin(mediaRtpTicks: number): void {
    this.#startRtpTicks = mediaRtpTicks;
    this.#packet.mediaRtpTicks = mediaRtpTicks;
    this.#fullTicks = 0;
    this.#isSegmentFull = false;
    this.#endsSent = 0;
  }

  #finish(step: Step): void {
    this.#waiting.shift();
    this.#startRtpTicks = -1;
    step.onDone?.("sent");
  }

  #update({ event, tone }: Step, elapsedTicks: number): TelephoneEventPacket {
    const packet = this.#packet;
    packet.marker = elapsedTicks === SLOT_TICKS;
    const segmentTicks = this.#nextSegmentTicks(Math.min(elapsedTicks, tone.toneTicks));
    const isEnd = this.#fullTicks + segmentTicks === tone.toneTicks;
    if (isEnd) this.#endsSent += 1;
    packet.payload[0] = event;
    packet.payload[1] = (isEnd ? END_BIT : 0) | tone.volumeDb;
    writeUint16(packet.payload, 2, segmentTicks);
    return packet;
  }

  /**
   * RFC 4733 §2.5.1.3: a segment that is full says so once, without an end; the next packet begins a segment whose timestamp is
   * the time at which that one was full.
   */
  #nextSegmentTicks(heldTicks: number): number {
    if (this.#isSegmentFull) {
      this.#fullTicks += SEGMENT_FULL_TICKS;
      this.#packet.mediaRtpTicks += SEGMENT_FULL_TICKS * AUDIO_TICKS_PER_TICK;
    }
    const segmentTicks = heldTicks - this.#fullTicks;
    this.#isSegmentFull = segmentTicks > SEGMENT_FULL_TICKS;
    return Math.min(segmentTicks, SEGMENT_FULL_TICKS);
  }
}

function toEvent(character: string): number {
  if (character === "w") return WAIT;
  const event = DIGITS.indexOf(character.toUpperCase());
  if (event < 0) throw invalidOption("digits", "Digits may be 0–9, *, #, A–D, and w for a wait of 500 ms.");
  return event;
}

function toTone(options: DigitOptions): Tone {
  return {
    toneTicks: toSlotTicks("toneMs", options.toneMs ?? 100, 40, 30_000),
    gapTicks: toSlotTicks("gapMs", options.gapMs ?? 60, 60, 5000),
    volumeDb: requireRange("volumeDb", options.volumeDb ?? 10, 0, 63),
  };
}

function toSlotTicks(option: string, ms: number, minMs: number, maxMs: number): number {
  return Math.ceil(requireRange(option, ms, minMs, maxMs) / SLOT_MS) * SLOT_TICKS;
}

function requireRange(option: string, value: number, min: number, max: number): number {
  if (value >= min && value <= max) return value;
  throw invalidOption(option, `${option} must be ${min}–${max}, got ${value}.`);
}

function invalidOption(option: string, message: string): RingbackError {
  return new RingbackError("OPTION_INVALID", message, { details: { option } });
}
