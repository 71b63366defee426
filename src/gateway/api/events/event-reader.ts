import type { TimerHandle, Timers } from "../../../platform/timers.ts";
import type { EventFilter, EventLog, StoredEvent } from "../../../store/types.ts";
import { matches } from "./event-query.ts";

/** Events of one page: what a subscriber has in memory at most, beside its socket's buffer. */
export const PAGE_EVENTS = 100;
/** How soon what another process wrote is seen, in ms; what this one writes is seen at once. */
const LOOK_INTERVAL_MS = 1_000;

export interface EventPage {
  readonly events: readonly StoredEvent[];
  /** Where reading goes on, also when nothing was found. */
  readonly position: number;
  /** There may be more at once. */
  readonly isFull: boolean;
}

/**
 * Reads for all subscribers. Those that have caught up read without a filter, so that one read serves all of them at each commit,
 * whatever each has asked for. It looks for events only while somebody listens.
 */
export class EventReader {
  readonly #log: EventLog;
  readonly #timers: Timers;
  readonly #listeners = new Set<() => void>();
  /** Reads under way that began after the last commit, by where they begin. */
  #shared = new Map<number, Promise<readonly StoredEvent[]>>();
  #stopCommits: (() => void) | null = null;
  #timer: TimerHandle | null = null;

  constructor(log: EventLog, timers: Timers) {
    this.#log = log;
    this.#timers = timers;
  }

  /** Calls back when there may be something new. Returns how to stop. */
  onNews(listener: () => void): () => void {
    this.#listeners.add(listener);
    this.#stopCommits ??= this.#log.onCommit(() => this.#wake());
    this.#timer ??= this.#lookLater();
    return () => {
      this.#listeners.delete(listener);
      if (this.#listeners.size === 0) this.#rest();
    };
  }

  /** Far behind: only what fits the filter is read, and what lies between is skipped. */
  async catchUp(filter: EventFilter, after: number): Promise<EventPage> {
    // Before the read: what is committed after it must not be skipped.
    const head = await this.#log.head();
    const events = await this.#log.read(filter, { after, limit: PAGE_EVENTS });
    const isFull = events.length === PAGE_EVENTS;
    const last = events.at(-1)?.position ?? after;
    return { events, position: isFull ? last : Math.max(last, head), isFull };
  }

  async follow(filter: EventFilter, after: number): Promise<EventPage> {
    const events = await this.#readShared(after);
    return {
      events: events.filter((event) => matches(filter, event)),
      position: events.at(-1)?.position ?? after,
      isFull: events.length === PAGE_EVENTS,
    };
  }

  #readShared(after: number): Promise<readonly StoredEvent[]> {
    const running = this.#shared.get(after);
    if (running !== undefined) return running;
    const shared = this.#shared;
    const read = this.#log.read({}, { after, limit: PAGE_EVENTS });
    shared.set(after, read);
    const forget = (): void => void shared.delete(after);
    read.then(forget, forget);
    return read;
  }

  #wake(): void {
    // A read that is under way may have begun before the commit: nobody joins it any more.
    this.#shared = new Map();
    for (const listener of this.#listeners) listener();
  }

  #lookLater(): TimerHandle {
    return this.#timers.setTimer(LOOK_INTERVAL_MS, () => {
      this.#timer = this.#lookLater();
      this.#wake();
    });
  }

  #rest(): void {
    this.#stopCommits?.();
    this.#stopCommits = null;
    if (this.#timer !== null) this.#timers.clearTimer(this.#timer);
    this.#timer = null;
  }
}
