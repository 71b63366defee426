import { SlotFrames } from "./slot-frames.ts";

/**
 * Slots by number. It has memory for as many as were in it at a time, and allocates nothing beyond that. Its user keeps the
 * numbers within one capacity.
 */
export class SlotRing {
  readonly #slots: (SlotFrames | null)[];
  readonly #free: SlotFrames[] = [];
  #lent: SlotFrames | null = null;
  #size = 0;

  constructor(capacity: number) {
    this.#slots = new Array<SlotFrames | null>(capacity).fill(null);
  }

  get capacity(): number {
    return this.#slots.length;
  }

  get size(): number {
    return this.#size;
  }

  at(slot: number): SlotFrames | null {
    return this.#slots[this.#indexOf(slot)] ?? null;
  }

  /** Makes an empty slot of this kind. There must be none of this number. */
  add(slot: number, toc: number, frameTicks: number): SlotFrames {
    const frames = this.#free.pop() ?? new SlotFrames();
    frames.reset(toc, frameTicks);
    this.#slots[this.#indexOf(slot)] = frames;
    this.#size += 1;
    return frames;
  }

  /** Takes a slot out. It stays readable until the next one is taken out. */
  take(slot: number): SlotFrames | null {
    const index = this.#indexOf(slot);
    const frames = this.#slots[index] ?? null;
    if (frames === null) return null;
    if (this.#lent !== null) this.#free.push(this.#lent);
    this.#lent = frames;
    this.#slots[index] = null;
    this.#size -= 1;
    return frames;
  }

  clear(): void {
    for (let index = 0; index < this.#slots.length; index += 1) this.take(index);
  }

  /** Numbers may be negative. */
  #indexOf(slot: number): number {
    const index = slot % this.#slots.length;
    return index < 0 ? index + this.#slots.length : index;
  }
}
