interface Span {
  readonly begin: number;
  /** Infinity while it lasts. */
  end: number;
}

/** The slots in which nothing is recorded. Holds no more spans than there are slots not yet passed. */
export class Pauses {
  readonly #spans: Span[] = [];
  #passed = 0;

  /** Slots that were passed while paused. */
  get slotsPassed(): number {
    return this.#passed;
  }

  /** Pauses from this slot on. */
  begin(slot: number): void {
    const last = this.#spans.at(-1);
    // One that was still to end goes on.
    if (last !== undefined && last.end >= slot) last.end = Number.POSITIVE_INFINITY;
    else this.#spans.push({ begin: slot, end: Number.POSITIVE_INFINITY });
  }

  /** Ends the pause: this slot is the first that is recorded again. */
  end(slot: number): void {
    const last = this.#spans.at(-1);
    if (last?.end === Number.POSITIVE_INFINITY) last.end = Math.max(slot, last.begin + 1);
  }

  isPaused(slot: number): boolean {
    return this.#spans.some((span) => slot >= span.begin && slot < span.end);
  }

  /** The slot is written: it is not asked for again. Slots are passed in order. */
  pass(slot: number): void {
    if (this.isPaused(slot)) this.#passed += 1;
    while ((this.#spans[0]?.end ?? Number.POSITIVE_INFINITY) <= slot + 1) this.#spans.shift();
  }
}
