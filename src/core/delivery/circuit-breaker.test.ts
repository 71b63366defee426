import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type BreakerTicket, CircuitBreaker, FAILURES_TO_OPEN, OPEN_MS } from "./circuit-breaker.ts";

function failTimes(breaker: CircuitBreaker, times: number, nowMs = 0): void {
  for (let i = 0; i < times; i += 1) breaker.failed(breaker.begin(nowMs), nowMs);
}

function opened(): CircuitBreaker {
  const breaker = new CircuitBreaker();
  failTimes(breaker, FAILURES_TO_OPEN);
  return breaker;
}

describe("closed", () => {
  test("it stays while failures are not in a row", () => {
    const breaker = new CircuitBreaker();
    for (let i = 0; i < 100; i += 1) {
      failTimes(breaker, FAILURES_TO_OPEN - 1);
      breaker.succeeded(breaker.begin(0));
    }
    expect([breaker.state(0), breaker.room(0), breaker.waitMs(0)]).toEqual(["closed", Infinity, 0]);
  });

  test("it opens with as many failures in a row as it takes", () => {
    const breaker = opened();
    expect([breaker.state(0), breaker.room(0), breaker.waitMs(0)]).toEqual(["open", 0, OPEN_MS.first]);
  });
});

describe("open", () => {
  test("it lets one probe pass when its time is over", () => {
    const breaker = opened();
    expect(breaker.room(OPEN_MS.first - 1)).toBe(0);
    expect([breaker.state(OPEN_MS.first), breaker.room(OPEN_MS.first)]).toEqual(["half-open", 1]);
    breaker.begin(OPEN_MS.first);
    expect([breaker.room(OPEN_MS.first), breaker.waitMs(OPEN_MS.first)]).toEqual([0, 0]);
  });

  test("it closes when the probe goes well, and begins anew", () => {
    const breaker = opened();
    breaker.succeeded(breaker.begin(OPEN_MS.first));
    expect(breaker.state(OPEN_MS.first)).toBe("closed");
    failTimes(breaker, FAILURES_TO_OPEN, OPEN_MS.first);
    expect(breaker.waitMs(OPEN_MS.first)).toBe(OPEN_MS.first);
  });

  test("it stays open for twice as long with each probe that fails, up to a bound", () => {
    const breaker = opened();
    let nowMs = 0;
    const waits = Array.from({ length: 6 }, () => {
      const waitMs = breaker.waitMs(nowMs);
      nowMs += waitMs;
      breaker.failed(breaker.begin(nowMs), nowMs);
      return waitMs;
    });
    expect(waits).toEqual([30_000, 60_000, 120_000, 240_000, 300_000, 300_000]);
  });

  test("it does not mind what was begun before", () => {
    const breaker = new CircuitBreaker();
    const early = [breaker.begin(0), breaker.begin(0)];
    failTimes(breaker, FAILURES_TO_OPEN);
    breaker.failed(early[0]!, 1_000);
    expect(breaker.waitMs(0)).toBe(OPEN_MS.first);
    const probe = breaker.begin(OPEN_MS.first);
    breaker.succeeded(early[1]!);
    expect(breaker.state(OPEN_MS.first)).toBe("half-open");
    breaker.failed(probe, OPEN_MS.first);
    expect(breaker.state(OPEN_MS.first)).toBe("open");
  });

  test("another probe takes the place of one that was called off", () => {
    const breaker = opened();
    const probe = breaker.begin(OPEN_MS.first);
    breaker.abandoned(probe);
    expect(breaker.room(OPEN_MS.first)).toBe(1);
  });
});

describe("a pause", () => {
  test("holds everything until its end, and is never shortened", () => {
    const breaker = new CircuitBreaker();
    breaker.pause(5_000);
    breaker.pause(2_000);
    expect([breaker.state(0), breaker.room(4_999), breaker.waitMs(1_000)]).toEqual(["closed", 0, 4_000]);
    expect([breaker.room(5_000), breaker.waitMs(5_000)]).toEqual([Infinity, 0]);
  });

  test("holds the probe, too", () => {
    const breaker = opened();
    breaker.pause(OPEN_MS.first + 10);
    expect([breaker.room(OPEN_MS.first), breaker.waitMs(OPEN_MS.first)]).toEqual([0, 10]);
  });
});

test("it tells since when nothing but failures came", () => {
  const breaker = new CircuitBreaker();
  expect(breaker.failingSinceMs).toBeNull();
  breaker.failed(breaker.begin(5), 5);
  breaker.failed(breaker.begin(9), 9);
  expect(breaker.failingSinceMs).toBe(5);
  breaker.succeeded(breaker.begin(10));
  expect(breaker.failingSinceMs).toBeNull();
});

test("whatever happens, there is never more than one probe, and it is always known when to go on", () => {
  const step = fc.record({
    aheadMs: fc.integer({ min: 0, max: 400_000 }),
    action: fc.constantFrom("begin", "succeed", "fail", "abandon"),
    which: fc.nat(),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const breaker = new CircuitBreaker();
      const underWay: { ticket: BreakerTicket; isProbe: boolean }[] = [];
      let nowMs = 0;
      for (const { aheadMs, action, which } of steps) {
        nowMs += aheadMs;
        if (action === "begin") {
          const isProbe = breaker.state(nowMs) === "half-open";
          if (breaker.room(nowMs) > 0) underWay.push({ ticket: breaker.begin(nowMs), isProbe });
        } else if (underWay.length > 0) {
          const { ticket } = underWay.splice(which % underWay.length, 1)[0]!;
          if (action === "succeed") breaker.succeeded(ticket);
          else if (action === "fail") breaker.failed(ticket, nowMs);
          else breaker.abandoned(ticket);
        }
        const probes = underWay.filter(({ isProbe }) => isProbe).length;
        if (breaker.state(nowMs) === "half-open") expect(probes).toBeLessThanOrEqual(1);
        const isHeld = breaker.room(nowMs) === 0;
        if (isHeld && probes === 0) expect(breaker.waitMs(nowMs)).toBeGreaterThan(0);
      }
    }),
  );
});
