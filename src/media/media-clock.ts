import type { Clock } from "../platform/clock.ts";
import type { TimerHandle, Timers } from "../platform/timers.ts";
import { RTP_SLOT_MS } from "./rtp-clock.ts";

/** Something that sends one packet per slot. */
export interface Ticker {
  /**
   * Slot numbers grow; a jump of more than one means that the program was held up and slots were skipped. The slot
   * that `add` gave may come, too: it is no new one.
   */
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
  /** Slots of all phases that tickers were called for. */
  readonly ticks: number;
  /** Ticks that came more than a quarter of a slot late. */
  readonly lateTicks: number;
  /** Slots that no tick was made for, because the program was held up for longer than a slot. */
  readonly skippedSlots: number;
  /** How late the latest tick was, in ms. */
  readonly worstLateMs: number;
}

/** Timers round to whole ms and may fire a fraction early: such a wake-up still belongs to its slot. */
const EARLY_TOLERANCE_MS = 1;
const LATE_MS = RTP_SLOT_MS / 4;
/** More of them mean shorter bursts and more wake-ups; at 5 ms a core's worth of calls sends for 2 ms at a time. */
const PHASE_COUNT = 4;
const PHASE_MS = RTP_SLOT_MS / PHASE_COUNT;

/** The tickers that share a start within the slot. Its slot n begins `offsetMs` + n × 20 ms after the clock was made. */
interface Phase {
  readonly offsetMs: number;
  readonly tickers: Set<Ticker>;
  /** The slot that has begun last. Of no meaning without tickers. */
  slot: number;
}

/** Where a new ticker would come to stand. */
interface Place {
  readonly phase: Phase;
  readonly slot: number;
  /** Time to its first tick, in ms. */
  readonly firstGapMs: number;
}

/**
 * The one 20 ms clock of all calls, without drift. Calls are spread over the slot, so that their packets do not leave in
 * one burst and those that come in meanwhile do not wait for it.
 *
 * After a hold-up the missed slots are skipped, not made up for: a burst would only fill the peer's jitter buffer.
 * There is one timer for all tickers, none for a phase without tickers, and none while there is no ticker.
 */
export class MediaClock {
  readonly #clock: Clock;
  readonly #timers: Timers;
  readonly #onError: (error: unknown, ticker: Ticker) => void;
  readonly #phases: readonly Phase[] = Array.from({ length: PHASE_COUNT }, (_, index) => ({
    offsetMs: index * PHASE_MS,
    tickers: new Set<Ticker>(),
    slot: 0,
  }));
  readonly #phaseOf = new Map<Ticker, Phase>();
  readonly #startMs: number;
  #timer: TimerHandle | null = null;
  #ticks = 0;
  #lateTicks = 0;
  #skippedSlots = 0;
  #worstLateMs = 0;

  constructor(options: MediaClockOptions) {
    this.#clock = options.clock;
    this.#timers = options.timers;
    this.#onError = options.onError;
    this.#startMs = options.clock.nowMs();
  }

  stats(): MediaClockStats {
    return {
      ticks: this.#ticks,
      lateTicks: this.#lateTicks,
      skippedSlots: this.#skippedSlots,
      worstLateMs: this.#worstLateMs,
    };
  }

  /**
   * Ticks `ticker` once per slot from now on, the first time in 5 to 25 ms, and in about 20 where the load allows.
   *
   * @returns The slot that it is in.
   */
  add(ticker: Ticker): number {
    const { phase, slot } = this.#findPlace(this.#clock.nowMs());
    if (phase.tickers.size === 0) phase.slot = slot;
    phase.tickers.add(ticker);
    this.#phaseOf.set(ticker, phase);
    this.#arm();
    return slot;
  }

  remove(ticker: Ticker): void {
    const phase = this.#phaseOf.get(ticker);
    if (phase === undefined) return;
    this.#phaseOf.delete(ticker);
    phase.tickers.delete(ticker);
    if (phase.tickers.size === 0) this.#arm();
  }

  /** The emptiest phase; of equally empty ones the one that begins nearest to 20 ms from now. */
  #findPlace(nowMs: number): Place {
    const places = this.#phases.map((phase) => this.#placeIn(phase, nowMs));
    return places.reduce((best, place) => (isBetter(place, best) ? place : best));
  }

  #placeIn(phase: Phase, nowMs: number): Place {
    const begun = Math.floor((nowMs - this.#startMs - phase.offsetMs) / RTP_SLOT_MS);
    // A timer that fired early has begun its slot.
    const slot = phase.tickers.size === 0 ? begun : Math.max(phase.slot, begun);
    const firstGapMs = this.#slotStartMs(phase, slot + 1) - nowMs;
    // A slot that is about to begin counts as begun: its tick would come too soon.
    if (firstGapMs > PHASE_MS) return { phase, slot, firstGapMs };
    return { phase, slot: slot + 1, firstGapMs: firstGapMs + RTP_SLOT_MS };
  }

  #arm(): void {
    if (this.#timer !== null) this.#timers.clearTimer(this.#timer);
    this.#timer = null;
    let dueMs = Number.POSITIVE_INFINITY;
    for (const phase of this.#phases) {
      if (phase.tickers.size > 0) dueMs = Math.min(dueMs, this.#slotStartMs(phase, phase.slot + 1));
    }
    if (dueMs === Number.POSITIVE_INFINITY) return;
    this.#timer = this.#timers.setTimer(Math.max(0, dueMs - this.#clock.nowMs()), this.#onTimer);
  }

  readonly #onTimer = (): void => {
    this.#timer = null;
    for (const phase of this.#phases) {
      if (phase.tickers.size > 0) this.#tickPhase(phase, this.#clock.nowMs());
    }
    this.#arm();
  };

  #tickPhase(phase: Phase, nowMs: number): void {
    const elapsedMs = nowMs - this.#startMs - phase.offsetMs;
    const slot = Math.floor((elapsedMs + EARLY_TOLERANCE_MS) / RTP_SLOT_MS);
    if (slot <= phase.slot) return;
    const lateMs = nowMs - this.#slotStartMs(phase, phase.slot + 1);
    if (lateMs > LATE_MS) this.#lateTicks += 1;
    if (lateMs > this.#worstLateMs) this.#worstLateMs = lateMs;
    this.#skippedSlots += slot - phase.slot - 1;
    this.#ticks += 1;
    phase.slot = slot;
    for (const ticker of phase.tickers) this.#tick(ticker, slot);
  }

  #tick(ticker: Ticker, slot: number): void {
    try {
      ticker.tick(slot);
    } catch (error) {
      this.remove(ticker);
      this.#onError(error, ticker);
      ticker.tickFailed?.();
    }
  }

  #slotStartMs(phase: Phase, slot: number): number {
    return this.#startMs + phase.offsetMs + slot * RTP_SLOT_MS;
  }
}

function isBetter(place: Place, other: Place): boolean {
  const fewer = other.phase.tickers.size - place.phase.tickers.size;
  if (fewer !== 0) return fewer > 0;
  return Math.abs(place.firstGapMs - RTP_SLOT_MS) < Math.abs(other.firstGapMs - RTP_SLOT_MS);
}
