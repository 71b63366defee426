import { RingbackError } from "../../errors.ts";
import { DIGITS } from "./digit-receiver.ts";

/** One packet and one update of an event. */
const SLOT_MS = 20;
/** 20 ms in ticks of telephone-event/8000. */
const UPDATE_TICKS = 160;
/** RFC 4733 §2.5.1.4: the end goes out three times, at the interval of the updates. */
const END_REPEATS = 2;
/** `w`: 500 ms. */
const SLOTS_PER_WAIT = 25;
/** RFC 4733 §2.3.3: in -dBm0. */
const VOLUME_DB = 10;
const MAX_WAITING_STEPS = 256;
/** Digits of a call whose times are noted. */
const MAX_NOTED = 1000;
const WAIT = -1;

/** The longest one fits into one segment of RFC 4733 (8191 ms); the shortest is an update and the end. */
const TONE_MS = { least: 40, most: 8000, usual: 100 } as const;
/** The repeated ends of a digit need 40 ms before the next one. */
const GAP_MS = { least: 40, most: 8000, usual: 60 } as const;

/** How long a key is held, and the time until the next one: multiples of 20 ms. */
export interface DigitTiming {
  /** 40–8000 ms. Default 100. */
  readonly toneMs?: number;
  /** 40–8000 ms. Default 60. */
  readonly gapMs?: number;
}

/** A key that the phone pressed: when its packets left, in monotonic ms as in the call's timeline. */
export interface PressedDigit {
  readonly digit: string;
  readonly toneMs: number;
  readonly firstPacketAtMs: number;
  /** The last repetition of its end; so far, while it goes on. */
  readonly lastPacketAtMs: number;
}

/** One packet of an event; the object is used again for the next one. */
export interface EventPacket {
  readonly payload: Buffer;
  timestamp: number;
  marker: boolean;
}

/** What was asked for in one go, and who waits for it. */
interface Order {
  readonly pressed: PressedDigit[];
  readonly resolve: (pressed: readonly PressedDigit[]) => void;
}

interface Step {
  /** RFC 4733 event, or `WAIT`. */
  readonly event: number;
  /** Slots with a longer duration each; the last one is the end. 0 for a wait. */
  readonly updates: number;
  readonly slots: number;
  readonly order: Order;
  readonly isLastOfOrder: boolean;
}

/** Turns a text of digits into RFC 4733 packets, one slot of 20 ms after another. */
export class DigitSender {
  readonly #waiting: Step[] = [];
  readonly #packet: EventPacket = { payload: Buffer.alloc(4), timestamp: 0, marker: false };
  readonly #pressed: PressedDigit[] = [];
  #current: { -readonly [Field in keyof PressedDigit]: PressedDigit[Field] } | null = null;
  #slot = 0;

  /** The first 1000 keys of the call, in order. */
  get pressed(): readonly PressedDigit[] {
    return this.#pressed;
  }

  /**
   * Queues a text. Resolves with its keys when its last packet is out, or with those that were pressed when it is dropped
   * by `clear`.
   * @throws {RingbackError} `OPTION_INVALID` for a character that is no digit, for too many, and for the timing.
   */
  push(digits: string, timing: DigitTiming = {}): Promise<readonly PressedDigit[]> {
    const events = parseDigits(digits, MAX_WAITING_STEPS - this.#waiting.length);
    const { toneMs, gapMs } = checkDigitTiming(timing);
    if (events.length === 0) return Promise.resolve([]);
    return new Promise((resolve) => {
      const order: Order = { pressed: [], resolve };
      events.forEach((event, index) => {
        const isWait = event === WAIT;
        this.#waiting.push({
          event,
          updates: isWait ? 0 : toneMs / SLOT_MS,
          slots: isWait ? SLOTS_PER_WAIT : (toneMs + gapMs) / SLOT_MS,
          order,
          isLastOfOrder: index === events.length - 1,
        });
      });
    });
  }

  clear(): void {
    for (const { order } of this.#waiting) order.resolve(order.pressed);
    this.#waiting.length = 0;
    this.#slot = 0;
  }

  /** The event packet of this slot, which leaves at `nowMs`; null when the slot belongs to the voice. */
  next(rtpTimestamp: number, nowMs: number): EventPacket | null {
    const step = this.#waiting[0];
    if (step === undefined) return null;
    const slot = this.#slot;
    this.#slot += 1;
    const hasPacket = step.event !== WAIT && slot < step.updates + END_REPEATS;
    if (hasPacket) this.#note(step, slot, nowMs);
    if (this.#slot === step.slots) this.#finish(step);
    return hasPacket ? this.#update(step, slot, rtpTimestamp) : null;
  }

  #note({ event, updates, order }: Step, slot: number, nowMs: number): void {
    if (slot === 0) {
      const times = { firstPacketAtMs: nowMs, lastPacketAtMs: nowMs };
      this.#current = { digit: DIGITS.charAt(event), toneMs: updates * SLOT_MS, ...times };
      order.pressed.push(this.#current);
      if (this.#pressed.length < MAX_NOTED) this.#pressed.push(this.#current);
    } else if (this.#current !== null) {
      this.#current.lastPacketAtMs = nowMs;
    }
  }

  #finish({ order, isLastOfOrder }: Step): void {
    this.#waiting.shift();
    this.#slot = 0;
    if (isLastOfOrder) order.resolve(order.pressed);
  }

  #update({ event, updates }: Step, slot: number, rtpTimestamp: number): EventPacket {
    const packet = this.#packet;
    // RFC 4733 §2.5.1.2: all packets of an event carry the time of its start; the first has the marker.
    if (slot === 0) packet.timestamp = rtpTimestamp;
    packet.marker = slot === 0;
    packet.payload[0] = event;
    packet.payload[1] = (slot >= updates - 1 ? 0x80 : 0) | VOLUME_DB;
    packet.payload.writeUInt16BE(Math.min(slot + 1, updates) * UPDATE_TICKS, 2);
    return packet;
  }
}

/**
 * RFC 4733 events of a text, `WAIT` for a `w`.
 * @throws {RingbackError} `OPTION_INVALID` for a character that is no digit and for more than `max`, default 256.
 */
export function parseDigits(digits: string, max: number = MAX_WAITING_STEPS): readonly number[] {
  if (digits.length > max) throw invalid("digits", `at most ${MAX_WAITING_STEPS} digits can wait to be sent`);
  return Array.from(digits, toEvent);
}

/**
 * Fills in the defaults.
 * @throws {RingbackError} `OPTION_INVALID` for times that are out of range or no multiples of 20 ms.
 */
export function checkDigitTiming(timing: DigitTiming): Required<DigitTiming> {
  const { toneMs = TONE_MS.usual, gapMs = GAP_MS.usual } = timing;
  requireSlots("toneMs", toneMs, TONE_MS);
  requireSlots("gapMs", gapMs, GAP_MS);
  return { toneMs, gapMs };
}

function requireSlots(
  option: string,
  valueMs: number,
  { least, most }: { readonly least: number; readonly most: number },
): void {
  if (valueMs >= least && valueMs <= most && valueMs % SLOT_MS === 0) return;
  throw invalid(
    option,
    `${option} must be ${least}–${most} and a multiple of ${SLOT_MS} (ms), got ${valueMs}`,
  );
}

function toEvent(character: string): number {
  if (character === "w") return WAIT;
  const event = DIGITS.indexOf(character.toUpperCase());
  if (event < 0) throw invalid("digits", "digits may be 0–9, *, #, A–D, and w for a wait of 500 ms");
  return event;
}

function invalid(option: string, message: string): RingbackError {
  return new RingbackError("OPTION_INVALID", message, { details: { option } });
}
