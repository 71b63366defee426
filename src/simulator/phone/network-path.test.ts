import { describe, expect, it } from "vitest";
import { ManualClock } from "../../testing/manual-clock.ts";
import { type NetworkDirection, toNetworkSettings } from "./network-options.ts";
import { NetworkPath } from "./network-path.ts";

const PEER = { address: "127.0.0.1", port: 4 };

/** An RTP packet that carries its number. */
function rtp(number: number): Buffer {
  const packet = Buffer.from([0x80, 111, 0, 0]);
  packet.writeUInt16BE(number, 2);
  return packet;
}

interface Arrival {
  readonly number: number;
  readonly atMs: number;
}

function openPath(direction: NetworkDirection, seed = 1) {
  const clock = new ManualClock();
  const arrivals: Arrival[] = [];
  const path = new NetworkPath({
    settings: toNetworkSettings({ toPhone: direction }).toPhone,
    seed,
    clock,
    timers: clock,
    deliver: (datagram, peer) => {
      expect(peer).toBe(PEER);
      arrivals.push({ number: datagram.readUInt16BE(2), atMs: clock.nowMs() });
    },
  });
  /** One packet each 20 ms, and then the time that the last one may need. */
  const sendAll = (count: number): void => {
    for (let number = 0; number < count; number += 1) {
      path.send(rtp(number), PEER);
      clock.advance(20);
    }
    clock.advance(30_000);
  };
  return { path, clock, arrivals, sendAll };
}

const numbersOf = (arrivals: readonly Arrival[]): number[] => arrivals.map(({ number }) => number);

describe("a direction of the phone's network", () => {
  it("passes everything at once unless it is told otherwise", () => {
    const { path, clock, arrivals, sendAll } = openPath({});
    sendAll(3);
    expect(arrivals).toEqual([0, 1, 2].map((number) => ({ number, atMs: number * 20 })));
    expect(path.counts).toEqual({ passed: 3, lost: 0, duplicated: 0, heldBack: 0, overflowed: 0 });
    expect(clock.pendingTimers).toBe(0);
  });

  it("loses about as many as it shall", () => {
    const { path, arrivals, sendAll } = openPath({ lossPercent: 10 });
    sendAll(2000);
    expect(path.counts.lost).toBeGreaterThan(150);
    expect(path.counts.lost).toBeLessThan(250);
    expect(arrivals.length).toBe(path.counts.passed);
    expect(path.counts.passed + path.counts.lost).toBe(2000);
  });

  it("loses no more RTP packets in a row than it may", () => {
    const { arrivals, sendAll } = openPath({ lossPercent: 90, maxLossInARow: 3 });
    sendAll(500);
    const numbers = numbersOf(arrivals);
    numbers.forEach((number, i) => {
      expect(number - (i === 0 ? -1 : numbers[i - 1]!)).toBeLessThanOrEqual(4);
    });
  });

  it("delays each packet by its own share of the jitter, so that they overtake each other", () => {
    const { arrivals, sendAll } = openPath({ delayMs: 30, jitterMs: 60 });
    sendAll(500);
    const delaysMs = arrivals.map(({ number, atMs }) => atMs - number * 20);
    expect(Math.min(...delaysMs)).toBeGreaterThanOrEqual(29);
    expect(Math.min(...delaysMs)).toBeLessThan(35);
    expect(Math.max(...delaysMs)).toBeLessThan(91);
    expect(Math.max(...delaysMs)).toBeGreaterThan(85);
    expect(numbersOf(arrivals)).not.toEqual(numbersOf(arrivals).toSorted((a, b) => a - b));
    expect(numbersOf(arrivals).toSorted((a, b) => a - b)).toEqual(Array.from({ length: 500 }, (_, i) => i));
  });

  it("doubles packets, each copy on its own way", () => {
    const { path, arrivals, sendAll } = openPath({ duplicatePercent: 50, jitterMs: 60 });
    sendAll(200);
    expect(arrivals).toHaveLength(200 + path.counts.duplicated);
    expect(path.counts.duplicated).toBeGreaterThan(70);
    expect(new Set(numbersOf(arrivals)).size).toBe(200);
  });

  it("holds packets back", () => {
    const { path, arrivals, sendAll } = openPath({ reorderPercent: 10, reorderMs: 50 });
    sendAll(200);
    const late = arrivals.filter(({ number, atMs }) => atMs - number * 20 > 45);
    expect(late).toHaveLength(path.counts.heldBack);
    expect(late.length).toBeGreaterThan(5);
  });

  it("does the same with the same seed, whatever else is on the way", () => {
    const settings = { lossPercent: 30, duplicatePercent: 10, jitterMs: 60 };
    const one = openPath(settings, 7);
    const two = openPath(settings, 7);
    const other = openPath(settings, 8);
    const check = Buffer.alloc(20);
    for (let i = 0; i < 50; i += 1) two.path.send(check, PEER);
    two.clock.advance(1000);
    two.arrivals.length = 0;
    for (const { sendAll } of [one, two, other]) sendAll(100);
    expect(numbersOf(two.arrivals)).toEqual(numbersOf(one.arrivals));
    expect(numbersOf(other.arrivals)).not.toEqual(numbersOf(one.arrivals));
  });

  it("carries 4096 datagrams at a time, and counts what it drops", () => {
    const { path, arrivals } = openPath({ delayMs: 10_000 });
    for (let number = 0; number < 4100; number += 1) path.send(rtp(number), PEER);
    expect(path.counts.overflowed).toBe(4);
    path.close();
    expect(arrivals).toEqual([]);
  });

  it("leaves no timer and delivers nothing once it is closed", () => {
    const { path, clock, arrivals } = openPath({ delayMs: 100 });
    path.send(rtp(1), PEER);
    path.close();
    path.close();
    path.send(rtp(2), PEER);
    expect(clock.pendingTimers).toBe(0);
    clock.advance(1000);
    expect(arrivals).toEqual([]);
  });

  it.each([
    [{ seed: 0.5 }, "network.seed"],
    [{ toPhone: { lossPercent: 101 } }, "network.toPhone.lossPercent"],
    [{ toBusiness: { lossPercent: Number.NaN } }, "network.toBusiness.lossPercent"],
    [{ toBusiness: { duplicatePercent: -1 } }, "network.toBusiness.duplicatePercent"],
    [{ toPhone: { jitterMs: 10_001 } }, "network.toPhone.jitterMs"],
    [{ toPhone: { reorderPercent: 200 } }, "network.toPhone.reorderPercent"],
    [{ toPhone: { maxLossInARow: -1 } }, "network.toPhone.maxLossInARow"],
  ])("is refused when it is out of range: %o", (network, option) => {
    expect(() => toNetworkSettings(network)).toThrowError(
      expect.objectContaining({ code: "OPTION_INVALID", details: { option } }),
    );
  });
});
