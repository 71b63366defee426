/** The two times that the program reads, apart: never compute a delay from wall time. */
export interface Clock {
  /** Monotonic, in ms with fractions, from an arbitrary origin. */
  nowMs(): number;
  /** Wall time in ms since the Unix epoch: for logs and for comparing with WhatsApp's timestamps only. */
  wallMs(): number;
}

/** The time that this thread's `systemClock` began at, in ms on the clock that all threads of the process share. */
export function clockOriginMs(): number {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds * 1_000 + nanoseconds / 1_000_000 - performance.now();
}

/** The system's clock, counted from another thread's origin: both threads then mean the same time by a number. */
export function createClockFrom(originMs: number): Clock {
  const aheadMs = clockOriginMs() - originMs;
  return { nowMs: () => performance.now() + aheadMs, wallMs: () => Date.now() };
}

export const systemClock: Clock = {
  nowMs: () => performance.now(),
  wallMs: () => Date.now(),
};

/**
 * Wall time in whole ms that never goes back while the process lives: a clock that was set back an hour does not make what is due in 5 s wait
 * for an hour. For delays that have to outlive the process, and so are kept as times.
 */
export function createSteadyWall(clock: Clock): () => number {
  let lastNowMs = clock.nowMs();
  let steadyMs = clock.wallMs();
  return () => {
    const nowMs = clock.nowMs();
    steadyMs = Math.max(clock.wallMs(), steadyMs + nowMs - lastNowMs);
    lastNowMs = nowMs;
    return Math.round(steadyMs);
  };
}
