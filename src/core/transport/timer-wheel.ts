/** Longer deadlines go round. Consent checks (RFC 7675 §5.1: every 4-6 s) mostly do not. */
const SLOTS = 1024;

/** Something that waits in a wheel for one point in time. Its links are the wheel's. */
export class WheelEntry {
  /** Called once per deadline; may set and remove any entry, itself included. */
  readonly onDue: (nowMs: number) => void;
  /** Wheel slots since time 0, -1 while it waits for nothing. @internal */
  index = -1;
  /** @internal */
  list: EntryList | null = null;
  /** @internal */
  previous: WheelEntry | null = null;
  /** @internal */
  next: WheelEntry | null = null;

  constructor(onDue: (nowMs: number) => void) {
    this.onDue = onDue;
  }
}

/**
 * A hashed timing wheel (Varghese and Lauck, 1987, scheme 6): setting, moving and removing a deadline is O(1), whatever
 * their number. It has no timer of its own: its owner calls `advance` at `wakeMs`.
 */
export class TimerWheel {
  readonly #slotMs: number;
  readonly #slots: readonly EntryList[] = Array.from({ length: SLOTS }, () => new EntryList());
  readonly #due = new EntryList();
  /** Everything up to this slot has been looked at. */
  #nowIndex: number;
  /** No entry is in a slot that comes up before this one. */
  #wakeIndex = Number.POSITIVE_INFINITY;
  #size = 0;

  /** @param slotMs How late an entry may come, in ms. It never comes early. */
  constructor(nowMs: number, slotMs = 5) {
    this.#slotMs = slotMs;
    this.#nowIndex = Math.floor(nowMs / slotMs);
  }

  /** Entries that wait. */
  get size(): number {
    return this.#size;
  }

  /** Monotonic time at which `advance` wants to be called; Infinity when nothing waits. */
  get wakeMs(): number {
    return this.#wakeIndex * this.#slotMs;
  }

  /** Lets the entry wait for `deadlineMs` and nothing else. Infinity removes it. */
  set(entry: WheelEntry, deadlineMs: number): void {
    if (deadlineMs === Number.POSITIVE_INFINITY) {
      this.remove(entry);
      return;
    }
    // Rounded up, so that nothing is early; what is due already comes with the next advance.
    const index = Math.max(Math.ceil(deadlineMs / this.#slotMs), this.#nowIndex + 1);
    if (entry.index === index) return;
    this.#unlink(entry);
    entry.index = index;
    this.#slot(index).append(entry);
    this.#size += 1;
    const visitIndex = Math.min(index, this.#nowIndex + SLOTS);
    if (visitIndex < this.#wakeIndex) this.#wakeIndex = visitIndex;
  }

  remove(entry: WheelEntry): void {
    this.#unlink(entry);
    if (this.#size === 0) this.#wakeIndex = Number.POSITIVE_INFINITY;
  }

  /** Calls what is due at `nowMs`, in the order of the slots. */
  advance(nowMs: number): void {
    const toIndex = Math.floor(nowMs / this.#slotMs);
    this.#collect(toIndex);
    this.#nowIndex = Math.max(this.#nowIndex, toIndex);
    this.#wakeIndex = this.#findWakeIndex();
    // Taken out first: what is called may change any slot, and any other entry that is due.
    for (let entry = this.#due.first; entry !== null; entry = this.#due.first) {
      this.remove(entry);
      entry.onDue(nowMs);
    }
  }

  #collect(toIndex: number): void {
    const last = Math.min(toIndex, this.#nowIndex + SLOTS);
    for (let index = this.#nowIndex + 1; index <= last; index += 1) {
      for (let entry = this.#slot(index).first; entry !== null; ) {
        const { next } = entry;
        if (entry.index <= toIndex) this.#due.take(entry);
        entry = next;
      }
    }
  }

  /** The next slot that has an entry, be it for a later round. */
  #findWakeIndex(): number {
    for (let index = this.#nowIndex + 1; index <= this.#nowIndex + SLOTS; index += 1) {
      if (this.#slot(index).first !== null) return index;
    }
    return Number.POSITIVE_INFINITY;
  }

  #slot(index: number): EntryList {
    return this.#slots[index % SLOTS] ?? this.#due;
  }

  #unlink(entry: WheelEntry): void {
    if (entry.list === null) return;
    entry.list.remove(entry);
    entry.index = -1;
    this.#size -= 1;
  }
}

/** A doubly linked list through its entries. */
class EntryList {
  first: WheelEntry | null = null;
  #last: WheelEntry | null = null;

  append(entry: WheelEntry): void {
    entry.list = this;
    entry.previous = this.#last;
    entry.next = null;
    if (this.#last === null) this.first = entry;
    else this.#last.next = entry;
    this.#last = entry;
  }

  remove(entry: WheelEntry): void {
    if (entry.previous === null) this.first = entry.next;
    else entry.previous.next = entry.next;
    if (entry.next === null) this.#last = entry.previous;
    else entry.next.previous = entry.previous;
    entry.list = null;
    entry.previous = null;
    entry.next = null;
  }

  /** Moves an entry here from the list that it is in. */
  take(entry: WheelEntry): void {
    entry.list?.remove(entry);
    this.append(entry);
  }
}
