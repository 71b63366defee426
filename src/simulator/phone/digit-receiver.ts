/** RFC 4733 §3.2: events 0 to 15. */
export const DIGITS = "0123456789*#ABCD";
/** Digits that one call may send us; what comes later is dropped. */
const MAX_DIGITS = 1000;

/** Reads RFC 4733 events. One event is all packets with one timestamp, however many of them are lost. */
export class DigitReceiver {
  #digits = "";
  #lastTimestamp = -1;

  get digits(): string {
    return this.#digits;
  }

  /**
   * ```
   * |     event     |E|R| volume    |          duration             |
   * ```
   * @returns False when the payload is too short for an event.
   */
  add(timestamp: number, payload: Uint8Array): boolean {
    if (payload.length < 4) return false;
    const digit = DIGITS[payload[0] ?? 255];
    if (timestamp === this.#lastTimestamp || digit === undefined) return true;
    this.#lastTimestamp = timestamp;
    if (this.#digits.length < MAX_DIGITS) this.#digits += digit;
    return true;
  }
}
