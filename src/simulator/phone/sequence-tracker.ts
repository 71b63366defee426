/** How far back a packet may come and still be told from a duplicate. */
const WINDOW_PACKETS = 1024;
/** RFC 3550 §A.1: a larger step forward is a restart of the sender, not a loss. */
const MAX_DROPOUT_PACKETS = 3000;

export type SequenceOutcome = "next" | "gap" | "late" | "duplicate" | "restart";

/** Follows one SSRC's sequence numbers over their wrap (RFC 3550 §A.1, with duplicates told apart). */
export class SequenceTracker {
  /** Extended numbers: cycles times 65 536 plus the sequence number. */
  #base = -1;
  #highest = -1;
  #received = 0;
  #lostBeforeRestart = 0;
  /** One byte per packet of the window, 1 when it came. */
  readonly #seen = new Uint8Array(WINDOW_PACKETS);

  /** Extended; -1 before the first packet. */
  get highest(): number {
    return this.#highest;
  }

  /** Packets that are missing between the first and the highest one. */
  get lost(): number {
    const expected = this.#base < 0 ? 0 : this.#highest - this.#base + 1;
    return this.#lostBeforeRestart + Math.max(0, expected - this.#received);
  }

  add(sequenceNumber: number): SequenceOutcome {
    if (this.#base < 0) return this.#begin(sequenceNumber);
    // The nearest number, ahead or behind, that has these low 16 bits.
    const step = ((sequenceNumber - this.#highest) << 16) >> 16;
    if (step > MAX_DROPOUT_PACKETS || step <= -WINDOW_PACKETS) {
      this.#lostBeforeRestart = this.lost;
      this.#begin(sequenceNumber);
      return "restart";
    }
    return step > 0 ? this.#advance(step) : this.#fill(this.#highest + step);
  }

  #begin(sequenceNumber: number): SequenceOutcome {
    // One cycle up, so that a late packet before the first one stays positive.
    this.#base = 65_536 + sequenceNumber;
    this.#highest = this.#base;
    this.#received = 1;
    this.#seen.fill(0);
    this.#seen[this.#highest % WINDOW_PACKETS] = 1;
    return "next";
  }

  #advance(step: number): SequenceOutcome {
    const cleared = Math.min(step, WINDOW_PACKETS);
    for (let i = 1; i <= cleared; i += 1) this.#seen[(this.#highest + i) % WINDOW_PACKETS] = 0;
    if (step > WINDOW_PACKETS) this.#seen.fill(0);
    this.#highest += step;
    this.#seen[this.#highest % WINDOW_PACKETS] = 1;
    this.#received += 1;
    return step === 1 ? "next" : "gap";
  }

  #fill(extended: number): SequenceOutcome {
    const slot = extended % WINDOW_PACKETS;
    if (this.#seen[slot] === 1) return "duplicate";
    this.#seen[slot] = 1;
    if (extended < this.#base) this.#base = extended;
    this.#received += 1;
    return "late";
  }
}
