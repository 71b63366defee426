import { Histogram } from "./histogram.mjs";

/** Each sends one packet per slot; the groups of a slot are a millisecond apart. */
const SLOT_MS = 20;
const GROUPS = 20;
const GROUP_MS = SLOT_MS / GROUPS;
const MOST_LATE_MS = 5 * SLOT_MS;

/** The one clock of all calls of the load: spreads their packets evenly over the slot. */
export class Pacer {
  /** How late a group was sent: what the load itself adds to the program's times. */
  lateness = new Histogram();
  #groups = Array.from({ length: GROUPS }, () => new Set());
  #next = 0;
  #dueMs = performance.now();
  #timer = null;

  add(call) {
    let smallest = this.#groups[0];
    for (const group of this.#groups) if (group.size < smallest.size) smallest = group;
    smallest.add(call);
    if (this.#timer === null) {
      this.#dueMs = performance.now();
      this.#arm();
    }
  }

  remove(call) {
    for (const group of this.#groups) group.delete(call);
  }

  stop() {
    clearTimeout(this.#timer);
    this.#timer = null;
  }

  #arm() {
    this.#timer = setTimeout(this.#onTimer, this.#dueMs - performance.now());
  }

  #onTimer = () => {
    let nowMs = performance.now();
    // After a longer hold-up the rest is left out: a load that only makes up for lost time would never read again.
    if (nowMs - this.#dueMs > MOST_LATE_MS) this.#dueMs = nowMs - MOST_LATE_MS;
    const lastDueMs = nowMs;
    while (this.#dueMs <= lastDueMs) {
      this.lateness.add(nowMs - this.#dueMs);
      for (const call of this.#groups[this.#next]) call.tick(nowMs);
      this.#next = (this.#next + 1) % GROUPS;
      this.#dueMs += GROUP_MS;
      nowMs = performance.now();
    }
    this.#arm();
  };
}
