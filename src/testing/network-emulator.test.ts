import { describe, expect, test } from "vitest";
import { ManualClock } from "./manual-clock.ts";
import { NetworkEmulator, type NetworkEmulatorOptions } from "./network-emulator.ts";
import type { LinkOptions } from "./network-link.ts";
import { SeededRandom } from "./seeded-random.ts";

const alice = { address: "10.0.0.1", port: 4000 };
const bob = { address: "192.0.2.1", port: 5000 };

function setUp(options: Omit<NetworkEmulatorOptions, "clock"> = {}) {
  const clock = new ManualClock();
  const network = new NetworkEmulator({ clock, ...options });
  const atBob: { mark: number; from: string; atMs: number }[] = [];
  const atAlice: number[] = [];
  network.attach(alice, (datagram) => atAlice.push(datagram[0] ?? -1));
  network.attach(bob, (datagram, from) =>
    atBob.push({ mark: datagram[0] ?? -1, from: `${from.address}:${from.port}`, atMs: clock.nowMs() }),
  );
  const send = (mark: number) => network.send(alice, bob, Uint8Array.of(mark));
  const marks = () => atBob.map(({ mark }) => mark);
  return { clock, network, atBob, atAlice, send, marks };
}

/** 200 datagrams, one each 20 ms; `arrivals` are the marks in their order. */
function sendMany(link: LinkOptions, seed: number) {
  const { clock, network, marks, atBob, send } = setUp({ seed, link });
  for (let i = 0; i < 200; i += 1) {
    send(i);
    clock.advance(20);
  }
  clock.advance(10_000);
  return { arrivals: marks(), counters: network.counters(), atBob };
}

test("a datagram arrives after its delay, in order, with the address it comes from", () => {
  const { clock, network, atBob, send } = setUp({ link: { delayMs: 30 } });
  for (const mark of [1, 2, 3]) send(mark);
  clock.advance(29);
  expect([atBob.length, network.inFlight]).toEqual([0, 3]);
  clock.advance(1);
  expect(atBob).toEqual([1, 2, 3].map((mark) => ({ mark, from: "10.0.0.1:4000", atMs: 30 })));
  expect(network.counters()).toMatchObject({ sent: 3, delivered: 3 });
  expect([network.inFlight, clock.pendingTimers]).toEqual([0, 0]);
});

test("the sender may use its bytes again, and no two arrivals share theirs", () => {
  const { clock, network, marks } = setUp({ link: { duplication: 1 } });
  const carol = { address: "10.0.0.3", port: 1 };
  network.attach(carol, (datagram) => datagram.fill(9));
  const bytes = Uint8Array.of(1);
  network.send(alice, carol, bytes);
  network.send(alice, bob, bytes);
  bytes.fill(7);
  clock.advance(10);
  expect(marks()).toEqual([1, 1]);
});

test("parties answer each other within one advance", () => {
  const { clock, network, atAlice, send } = setUp({ link: { delayMs: 5 } });
  network.attach(bob, (datagram, from) => network.send(bob, from, datagram));
  send(4);
  clock.advance(10);
  expect(atAlice).toEqual([4]);
});

describe("chance", () => {
  test.each([0, 0.05, 0.3, 1])("loses %d of the datagrams, about", (loss) => {
    const { arrivals, counters } = sendMany({ loss }, 3);
    expect(counters.lost + counters.delivered).toBe(200);
    expect(arrivals).toHaveLength(counters.delivered);
    expect(Math.abs(counters.lost / 200 - loss)).toBeLessThan(0.08);
  });

  test("duplicates", () => {
    const { arrivals, counters } = sendMany({ duplication: 0.2 }, 4);
    expect(counters.duplicated).toBeGreaterThan(20);
    expect(arrivals).toHaveLength(200 + counters.duplicated);
    expect(new Set(arrivals).size).toBe(200);
  });

  test("holds some back, so that others overtake them", () => {
    const { arrivals, counters } = sendMany({ reordering: 0.1 }, 5);
    expect(counters.reordered).toBeGreaterThan(5);
    expect([...arrivals].sort((a, b) => a - b)).toEqual([...Array(200).keys()]);
    expect(arrivals).not.toEqual([...Array(200).keys()]);
  });

  test("spreads jitter evenly, up to its bound", () => {
    const { atBob } = sendMany({ delayMs: 10, jitterMs: 300 }, 6);
    const delays = atBob.map(({ mark, atMs }) => atMs - mark * 20);
    expect(Math.min(...delays)).toBeGreaterThanOrEqual(10);
    expect(Math.max(...delays)).toBeLessThan(310);
    expect(Math.max(...delays)).toBeGreaterThan(280);
    expect(delays.reduce((sum, delay) => sum + delay) / 200).toBeCloseTo(160, -2);
  });

  test("or mostly little and now and then much", () => {
    const { atBob } = sendMany({ jitterMs: 20, jitterShape: "exponential" }, 7);
    const delays = atBob.map(({ mark, atMs }) => atMs - mark * 20).sort((a, b) => a - b);
    expect(delays[100]).toBeLessThan(20);
    expect(delays[199]).toBeGreaterThan(60);
    expect(delays[199]).toBeLessThanOrEqual(201);
  });

  test("is the same for the same seed, and another for another", () => {
    const link = { loss: 0.1, duplication: 0.1, reordering: 0.1, jitterMs: 100 };
    expect(sendMany(link, 8)).toEqual(sendMany(link, 8));
    expect(sendMany(link, 8).arrivals).not.toEqual(sendMany(link, 9).arrivals);
  });

  test("loses the same ones whatever else is changed", () => {
    const lost = (link: LinkOptions) =>
      [...Array(200).keys()].filter((mark) => !sendMany(link, 8).arrivals.includes(mark));
    expect(lost({ loss: 0.1, jitterMs: 200, duplication: 0.5 })).toEqual(lost({ loss: 0.1 }));
  });

  test.each([{ loss: 1.1 }, { loss: -0.1 }, { duplication: Number.NaN }, { delayMs: -1 }])(
    "is refused what is no chance or no time: %o",
    (link) => {
      expect(() => setUp({ link })).toThrow(expect.objectContaining({ code: "OPTION_INVALID" }));
    },
  );
});

describe("what the test says", () => {
  test("the nth datagram of a direction is dropped, once", () => {
    const { clock, network, marks, atAlice, send } = setUp();
    network.dropNth(alice, bob, 3);
    network.dropNth(alice, bob, 4);
    for (let i = 1; i <= 6; i += 1) {
      send(i);
      network.send(bob, alice, Uint8Array.of(i));
    }
    clock.advance(10);
    expect(marks()).toEqual([1, 2, 5, 6]);
    expect(atAlice).toEqual([1, 2, 3, 4, 5, 6]);
    expect(network.counters()).toMatchObject({ dropped: 2, delivered: 10 });
  });

  test("a rule drops what it wants until it is stopped", () => {
    const { clock, network, marks, send } = setUp();
    const rule = network.dropIf(({ bytes, from }) => from.port === 4000 && (bytes[0] ?? 0) % 2 === 0);
    for (const mark of [1, 2, 3]) send(mark);
    rule.stop();
    send(4);
    clock.advance(10);
    expect(marks()).toEqual([1, 3, 4]);
  });

  test("one direction can be worse than the other", () => {
    const { clock, network, marks, atAlice, send } = setUp();
    network.setLink({ loss: 1 }, alice, bob);
    send(1);
    network.send(bob, alice, Uint8Array.of(2));
    clock.advance(10);
    network.setLink({});
    send(3);
    clock.advance(10);
    expect([marks(), atAlice]).toEqual([[3], [2]]);
  });

  test("a cut lasts for its time or until it is healed, and spares what is under way", () => {
    const { clock, network, marks, send } = setUp({ link: { delayMs: 10 } });
    send(1);
    network.cut(100);
    send(2);
    clock.advance(99);
    send(3);
    clock.advance(1);
    send(4);
    network.cut();
    clock.advance(100_000);
    send(5);
    network.heal();
    send(6);
    clock.advance(10);
    expect(marks()).toEqual([1, 4, 6]);
    expect(network.counters().cut).toBe(3);
  });

  test("after a rebinding a party is seen, and reached, at its new address alone", () => {
    const { clock, network, atBob, atAlice, send } = setUp({ link: { delayMs: 10 } });
    const before = { address: "203.0.113.5", port: 61_000 };
    const after = { address: "203.0.113.5", port: 62_000 };
    network.rebind(alice, before);
    send(1);
    network.send(bob, before, Uint8Array.of(7));
    clock.advance(10);
    network.send(bob, before, Uint8Array.of(8));
    network.rebind(alice, after);
    send(2);
    network.send(bob, after, Uint8Array.of(9));
    network.send(bob, alice, Uint8Array.of(10));
    clock.advance(10);
    expect(atBob.map(({ mark, from }) => [mark, from])).toEqual([
      [1, "203.0.113.5:61000"],
      [2, "203.0.113.5:62000"],
    ]);
    expect(atAlice).toEqual([7, 9]);
    expect(network.counters().unreachable).toBe(2);
  });

  test("what is sent to nobody is counted", () => {
    const { clock, network } = setUp();
    network.send(alice, { address: "192.0.2.99", port: 1 }, Uint8Array.of(1));
    network.send({ address: "192.0.2.99", port: 1 }, bob, Uint8Array.of(1));
    clock.advance(10);
    expect(network.counters()).toMatchObject({ sent: 2, unreachable: 2, delivered: 0 });
  });

  test("no more is under way than the bound allows", () => {
    const { clock, network, marks, send } = setUp({ maxInFlight: 2 });
    for (const mark of [1, 2, 3]) send(mark);
    clock.advance(1);
    send(4);
    clock.advance(1);
    expect(marks()).toEqual([1, 2, 4]);
    expect(network.counters().overflowed).toBe(1);
  });
});

test("seeded random numbers are spread over their range and repeat with their seed", () => {
  const [random, again] = [new SeededRandom(42), new SeededRandom(42)];
  const fractions = Array.from({ length: 1000 }, () => random.fraction());
  expect(fractions).toEqual(Array.from({ length: 1000 }, () => again.fraction()));
  expect(fractions.every((fraction) => fraction >= 0 && fraction < 1)).toBe(true);
  expect(fractions.reduce((sum, fraction) => sum + fraction) / 1000).toBeCloseTo(0.5, 1);
  expect(new Set(random.bytes(1000)).size).toBeGreaterThan(200);
});
