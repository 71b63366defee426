import { SeededRandom } from "../../core/seeded-random.ts";
import type { Clock } from "../../platform/clock.ts";
import type { TimerHandle, Timers } from "../../platform/timers.ts";
import type { DirectionSettings, NetworkCounts } from "./network-options.ts";
import type { StunAddress } from "./stun.ts";

/** Datagrams on their way at the same time: 20 s of a call in which each is there twice. */
const MAX_ON_THE_WAY = 4096;
/** Sets the fates of RTP apart from those of the rest, whose number depends on the time that a call takes. */
const OTHER_SEED = 0x5bd1e995;

export interface NetworkPathParts {
  readonly settings: DirectionSettings;
  readonly seed: number;
  readonly clock: Clock;
  readonly timers: Timers;
  /** Called for each datagram that gets through, when it does. `peer` is what `send` was given. */
  readonly deliver: (datagram: Buffer, peer: StunAddress) => void;
}

interface Traveller {
  readonly datagram: Buffer;
  readonly peer: StunAddress;
  readonly dueAtMs: number;
}

interface Fate {
  readonly isLost: boolean;
  readonly isDuplicated: boolean;
  readonly isHeldBack: boolean;
  readonly delayMs: number;
  readonly copyDelayMs: number;
}

/** One direction of a network that loses, doubles and delays datagrams, by a seed. */
export class NetworkPath {
  readonly #parts: NetworkPathParts;
  readonly #rtpRandom: SeededRandom;
  readonly #otherRandom: SeededRandom;
  /** By due time, the earliest first. */
  readonly #travellers: Traveller[] = [];
  #timer: TimerHandle | null = null;
  #timerDueAtMs = 0;
  #lostInARow = 0;
  #isClosed = false;
  readonly #counts = { passed: 0, lost: 0, duplicated: 0, heldBack: 0, overflowed: 0 };

  constructor(parts: NetworkPathParts) {
    this.#parts = parts;
    this.#rtpRandom = new SeededRandom(parts.seed);
    this.#otherRandom = new SeededRandom(parts.seed ^ OTHER_SEED);
  }

  get counts(): NetworkCounts {
    return { ...this.#counts };
  }

  /** Takes a datagram, which it may keep for a while: the bytes must not change. */
  send(datagram: Buffer, peer: StunAddress): void {
    if (this.#isClosed) return;
    const fate = this.#decide(isRtp(datagram));
    if (fate.isLost) {
      this.#counts.lost += 1;
      return;
    }
    this.#counts.passed += 1;
    if (fate.isHeldBack) this.#counts.heldBack += 1;
    this.#carry(datagram, peer, fate.delayMs);
    if (!fate.isDuplicated) return;
    this.#counts.duplicated += 1;
    this.#carry(datagram, peer, fate.copyDelayMs);
  }

  /** What is on its way is lost. Idempotent. */
  close(): void {
    this.#isClosed = true;
    this.#travellers.length = 0;
    if (this.#timer !== null) this.#parts.timers.clearTimer(this.#timer);
    this.#timer = null;
  }

  /** Draws the same number of random numbers for every datagram: to change one setting changes nothing else. */
  #decide(isMedia: boolean): Fate {
    const { settings } = this.#parts;
    const random = isMedia ? this.#rtpRandom : this.#otherRandom;
    const wouldBeLost = random.fraction() * 100 < settings.lossPercent;
    const isDuplicated = random.fraction() * 100 < settings.duplicatePercent;
    const isHeldBack = random.fraction() * 100 < settings.reorderPercent;
    const delayMs = settings.delayMs + random.fraction() * settings.jitterMs;
    const copyDelayMs = settings.delayMs + random.fraction() * settings.jitterMs;
    const isLost = wouldBeLost && !(isMedia && this.#lostInARow >= settings.maxLossInARow);
    if (isMedia) this.#lostInARow = isLost ? this.#lostInARow + 1 : 0;
    return {
      isLost,
      isDuplicated,
      isHeldBack,
      delayMs: delayMs + (isHeldBack ? settings.reorderMs : 0),
      copyDelayMs,
    };
  }

  #carry(datagram: Buffer, peer: StunAddress, delayMs: number): void {
    if (delayMs === 0) {
      this.#parts.deliver(datagram, peer);
      return;
    }
    if (this.#travellers.length >= MAX_ON_THE_WAY) {
      this.#counts.overflowed += 1;
      return;
    }
    const dueAtMs = this.#parts.clock.nowMs() + delayMs;
    let place = this.#travellers.length;
    while (place > 0 && (this.#travellers[place - 1]?.dueAtMs ?? 0) > dueAtMs) place -= 1;
    this.#travellers.splice(place, 0, { datagram, peer, dueAtMs });
    if (place === 0) this.#arm(dueAtMs);
  }

  #arm(dueAtMs: number): void {
    const { clock, timers } = this.#parts;
    if (this.#timer !== null) {
      if (this.#timerDueAtMs <= dueAtMs) return;
      timers.clearTimer(this.#timer);
    }
    this.#timerDueAtMs = dueAtMs;
    this.#timer = timers.setTimer(Math.max(0, dueAtMs - clock.nowMs()), this.#arrive);
  }

  readonly #arrive = (): void => {
    this.#timer = null;
    const nowMs = this.#parts.clock.nowMs();
    // A timer of Node's may fire a part of a millisecond early.
    while (this.#travellers[0] !== undefined && this.#travellers[0].dueAtMs <= nowMs + 0.5) {
      const traveller = this.#travellers.shift();
      if (traveller !== undefined) this.#parts.deliver(traveller.datagram, traveller.peer);
    }
    const next = this.#travellers[0];
    if (next !== undefined && !this.#isClosed) this.#arm(next.dueAtMs);
  };
}

/** RFC 7983 §7: 128 to 191; RFC 5761 §4: RTCP's packet types are 192 to 223. */
function isRtp(datagram: Buffer): boolean {
  const first = datagram[0] ?? 0;
  const type = datagram[1] ?? 0;
  return first >= 128 && first <= 191 && !(type >= 192 && type <= 223);
}
