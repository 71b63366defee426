import type { Clock } from "../platform/clock.ts";
import type { TimerHandle, Timers } from "../platform/timers.ts";
import { RTP_SLOT_MS } from "./rtp-clock.ts";

/** Something that sends one packet per slot. */
export interface Ticker {
  /** Slot numbers grow; a jump of more than one means that the program was held up and slots were skipped. */
  tick(slot: number): void;
  /** `tick` threw: it will not be called again. */
  tickFailed?(): void;
}

export interface MediaClockOptions {
  readonly clock: Clock;
  readonly timers: Timers;
  /** A ticker threw: it has been removed, the others go on. */
  readonly onError: (error: unknown, ticker: Ticker) => void;
}

export interface MediaClockStats {
  readonly ticks: number;
  /** Ticks that came more than a quarter of a slot late. */
  readonly lateTicks: number;
  /** Slots that no tick was made for, because the program was held up for longer than a slot. */
  readonly skippedSlots: number;
}

/** Timers round to whole ms and may fire a fraction early: such a wake-up still belongs to its slot. */
const EARLY_TOLERANCE_MS = 1;
const LATE_MS = RTP_SLOT_MS / 4;

/**
 * The one 20 ms clock of all calls: slot n begins n × 20 ms after the clock was made, without drift.
 *
 * After a hold-up the missed slots are skipped, not made up for: a burst would only fill the peer's jitter buffer.
 * There is one timer for all tickers, and none while there is no ticker.
 */
export class MediaClock {
  readonly #clock: Clock;
  readonly #timers: Timers;
  readonly #onError: (error: unknown, ticker: Ticker) => void;
  readonly #tickers = new Set<Ticker>();
  readonly #startMs: number;
  #timer: TimerHandle | null = null;
  #slot = 0;
  #ticks = 0;
  #lateTicks = 0;
  #skippedSlots = 0;

  constructor(options: MediaClockOptions) {
    this.#clock = options.clock;
    this.#timers = options.timers;
    this.#onError = options.onError;
    this.#startMs = options.clock.nowMs();
  }

  /** The slot that time is in. */
  get slot(): number {
    // A timer that fired early has begun its slot.
    return Math.max(this.#slot, Math.floor((this.#clock.nowMs() - this.#startMs) / RTP_SLOT_MS));
  }

  stats(): MediaClockStats {
    return { ticks: this.#ticks, lateTicks: this.#lateTicks, skippedSlots: this.#skippedSlots };
  }

  /** Ticks `ticker` from the next slot on. */
  add(ticker: Ticker): void {
    this.#tickers.add(ticker);
    if (this.#timer !== null) return;
    this.#slot = this.slot;
    this.#arm();
  }

  remove(ticker: Ticker): void {
    this.#tickers.delete(ticker);
    if (this.#tickers.size > 0 || this.#timer === null) return;
    this.#timers.clearTimer(this.#timer);
    this.#timer = null;
  }

  #arm(): void {
    const delayMs = this.#slotStartMs(this.#slot + 1) - this.#clock.nowMs();
    this.#timer = this.#timers.setTimer(Math.max(0, delayMs), this.#onTimer);
  }

  readonly #onTimer = (): void => {
    this.#timer = null;
    const nowMs = this.#clock.nowMs();
    const slot = Math.floor((nowMs - this.#startMs + EARLY_TOLERANCE_MS) / RTP_SLOT_MS);
    if (slot > this.#slot) {
      this.#skippedSlots += slot - this.#slot - 1;
      if (nowMs - this.#slotStartMs(this.#slot + 1) > LATE_MS) this.#lateTicks += 1;
      this.#slot = slot;
      this.#ticks += 1;
      for (const ticker of this.#tickers) this.#tick(ticker, slot);
    }
    // A ticker that was added meanwhile may have armed it.
    if (this.#timer === null && this.#tickers.size > 0) this.#arm();
  };

  #tick(ticker: Ticker, slot: number): void {
    try {
      ticker.tick(slot);
    } catch (error) {
      this.#tickers.delete(ticker);
      this.#onError(error, ticker);
      ticker.tickFailed?.();
    }
  }

  #slotStartMs(slot: number): number {
    return this.#startMs + slot * RTP_SLOT_MS;
  }
}
