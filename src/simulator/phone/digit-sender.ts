import { RingbackError } from "../../errors.ts";
import { DIGITS } from "./digit-receiver.ts";

/** A digit lasts 100 ms: five updates of 20 ms, the fifth one being its end. */
const UPDATES = 5;
/** RFC 4733 §2.5.1.4: the end goes out three times, at the interval of the updates. */
const END_REPEATS = 2;
/** 100 ms of digit and 60 ms until the next one. */
const SLOTS_PER_DIGIT = 8;
/** `w`: 500 ms. */
const SLOTS_PER_WAIT = 25;
/** 20 ms in ticks of telephone-event/8000. */
const UPDATE_TICKS = 160;
/** RFC 4733 §2.3.3: in -dBm0. */
const VOLUME_DB = 10;
const MAX_WAITING_STEPS = 256;
const WAIT = -1;

/** One packet of an event; the object is used again for the next one. */
export interface EventPacket {
  readonly payload: Buffer;
  timestamp: number;
  marker: boolean;
}

interface Step {
  /** RFC 4733 event, or `WAIT`. */
  readonly event: number;
  /** Called when the step is out; only the last one of a text has it. */
  readonly done: (() => void) | null;
}

/** Turns a text of digits into RFC 4733 packets, one slot of 20 ms after another. */
export class DigitSender {
  readonly #waiting: Step[] = [];
  readonly #packet: EventPacket = { payload: Buffer.alloc(4), timestamp: 0, marker: false };
  #slot = 0;

  /**
   * Queues a text. Resolves when its last packet is out, or when it is dropped by `clear`.
   * @throws {RingbackError} `OPTION_INVALID` for a character that is no digit and for too many of them.
   */
  push(digits: string): Promise<void> {
    const events = parseDigits(digits, MAX_WAITING_STEPS - this.#waiting.length);
    if (events.length === 0) return Promise.resolve();
    return new Promise((resolve) => {
      events.forEach((event, index) => {
        this.#waiting.push({ event, done: index === events.length - 1 ? resolve : null });
      });
    });
  }

  clear(): void {
    for (const step of this.#waiting) step.done?.();
    this.#waiting.length = 0;
    this.#slot = 0;
  }

  /** The event packet of this slot; null when the slot belongs to the voice. */
  next(rtpTimestamp: number): EventPacket | null {
    const step = this.#waiting[0];
    if (step === undefined) return null;
    const slot = this.#slot;
    this.#slot += 1;
    const isLastSlot = this.#slot === (step.event === WAIT ? SLOTS_PER_WAIT : SLOTS_PER_DIGIT);
    if (isLastSlot) this.#finish(step);
    return step.event === WAIT || slot >= UPDATES + END_REPEATS
      ? null
      : this.#update(step.event, slot, rtpTimestamp);
  }

  #finish(step: Step): void {
    this.#waiting.shift();
    this.#slot = 0;
    step.done?.();
  }

  #update(event: number, slot: number, rtpTimestamp: number): EventPacket {
    const packet = this.#packet;
    // RFC 4733 §2.5.1.2: all packets of an event carry the time of its start; the first has the marker.
    if (slot === 0) packet.timestamp = rtpTimestamp;
    packet.marker = slot === 0;
    packet.payload[0] = event;
    packet.payload[1] = (slot >= UPDATES - 1 ? 0x80 : 0) | VOLUME_DB;
    packet.payload.writeUInt16BE(Math.min(slot + 1, UPDATES) * UPDATE_TICKS, 2);
    return packet;
  }
}

/**
 * RFC 4733 events of a text, `WAIT` for a `w`.
 * @throws {RingbackError} `OPTION_INVALID` for a character that is no digit and for more than `max`, default 256.
 */
export function parseDigits(digits: string, max: number = MAX_WAITING_STEPS): readonly number[] {
  if (digits.length > max) throw invalidDigits(`at most ${MAX_WAITING_STEPS} digits can wait to be sent`);
  return Array.from(digits, toEvent);
}

function toEvent(character: string): number {
  if (character === "w") return WAIT;
  const event = DIGITS.indexOf(character.toUpperCase());
  if (event < 0) throw invalidDigits("digits may be 0–9, *, #, A–D, and w for a wait of 500 ms");
  return event;
}

function invalidDigits(message: string): RingbackError {
  return new RingbackError("OPTION_INVALID", message, { details: { option: "digits" } });
}
