import type { Logger } from "../../../logger.ts";
import type { EventFilter, StoredEvent } from "../../../store/types.ts";
import type { EventPage, EventReader } from "./event-reader.ts";

/** Where a subscriber's events go. */
export interface EventSink {
  /** Resolves when there is room for the next one; rejects or never resolves when there is none any more. */
  send(event: StoredEvent): Promise<void> | void;
}

export interface PumpOptions {
  readonly reader: EventReader;
  readonly filter: EventFilter;
  /** Position behind which it begins. */
  readonly after: number;
  readonly sink: EventSink;
  readonly logger: Logger;
  /** The store could not be read for as long as it was tried. */
  readonly onFailed: () => void;
  /** How to wait before the store is read again, after it could not be. */
  readonly pause: (ms: number) => Promise<void>;
}

/** The store is tried again this often, so many ms apart: a subscriber survives a short absence of it. */
const RETRY_DELAYS_MS = [250, 1_000, 4_000, 15_000];

/**
 * Brings one subscriber its events, each once and in order, from a position on. It reads a page when the one before has gone out: a
 * slow subscriber has nothing waiting for it but one page, and holds up nobody else.
 */
export class EventPump {
  readonly #options: PumpOptions;
  #position: number;
  #isStopped = false;
  #hasNews = true;
  #wake: (() => void) | null = null;
  #stopNews: (() => void) | null = null;

  constructor(options: PumpOptions) {
    this.#options = options;
    this.#position = options.after;
  }

  /** All up to here has gone out, or did not fit the filter. */
  get position(): number {
    return this.#position;
  }

  start(): void {
    this.#stopNews = this.#options.reader.onNews(() => {
      this.#hasNews = true;
      this.#wake?.();
    });
    void this.#run();
  }

  /** Idempotent. What is being sent may still be sent. */
  stop(): void {
    this.#isStopped = true;
    this.#stopNews?.();
    this.#wake?.();
  }

  async #run(): Promise<void> {
    let isBehind = true;
    while (!this.#isStopped) {
      this.#hasNews = false;
      const page = await this.#readPatiently(isBehind);
      if (page === null) return;
      isBehind = page.isFull;
      if (!(await this.#sendAll(page))) return;
      if (!page.isFull) await this.#news();
    }
  }

  /** Null: stopped, or given up. */
  async #readPatiently(isBehind: boolean): Promise<EventPage | null> {
    const { reader, filter, logger, pause, onFailed } = this.#options;
    for (const delayMs of [...RETRY_DELAYS_MS, null]) {
      if (this.#isStopped) return null;
      try {
        return isBehind
          ? await reader.catchUp(filter, this.#position)
          : await reader.follow(filter, this.#position);
      } catch (error) {
        logger.warn({ err: error }, "the events for a subscriber cannot be read");
        if (delayMs !== null) await pause(delayMs);
      }
    }
    this.#isStopped = true;
    onFailed();
    return null;
  }

  async #sendAll(page: EventPage): Promise<boolean> {
    try {
      for (const event of page.events) {
        if (this.#isStopped) return false;
        const sent = this.#options.sink.send(event);
        if (sent !== undefined) await sent;
        this.#position = event.position;
      }
    } catch {
      // The sink's socket is gone; whoever owns it knows.
      this.stop();
      return false;
    }
    this.#position = page.position;
    return true;
  }

  async #news(): Promise<void> {
    if (this.#hasNews || this.#isStopped) return;
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
    this.#wake = null;
  }
}
