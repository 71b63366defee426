import { describe, expect, test } from "vitest";
import type { LinkOptions } from "../../src/testing/network-link.ts";
import { CallPair, OURS, type PairOptions, RELAY } from "./call-pair.ts";

const ROLES = ["client", "server"] as const;

function connected(options: PairOptions = {}): CallPair {
  const pair = new CallPair(options);
  pair.connect();
  // Well within the 30 s that WhatsApp lets a call ring, on the worst network too.
  expect(pair.runUntilConnected()).toBeLessThan(12_000);
  expect(pair.isConnected).toBe(true);
  return pair;
}

describe.each(ROLES)("as DTLS %s", (ourRole) => {
  test("a good network connects in three round trips and a bit", () => {
    const pair = new CallPair({ ourRole, link: { delayMs: 10 } });
    pair.connect();
    // ICE 1, DTLS 2 (client) or, behind the peer's turn to begin, 3; time goes in steps of 5 ms.
    expect(pair.runUntilConnected()).toBeLessThanOrEqual(90);
  });

  // The relay, ICE-lite, has measured no round trip: as client it waits a second for our first flight (RFC 6347 §4.2.4.1).
  const limitMs = ourRole === "client" ? { one: 1_000, two: 2_500 } : { one: 1_100, two: 3_600 };

  /** Datagrams from connect to connected, both directions, on a network that loses nothing. */
  function handshakeDatagrams(): readonly [ours: number, relay: number] {
    const pair = connected({ ourRole });
    return [pair.ours.sent.length, pair.relay.sent.length];
  }

  const [ours, relay] = handshakeDatagrams();
  const datagrams = [
    ...Array.from({ length: ours }, (_, i) => [OURS, RELAY, i + 1] as const),
    ...Array.from({ length: relay }, (_, i) => [RELAY, OURS, i + 1] as const),
  ];

  test("each single datagram of the setup may be lost", () => {
    for (const [from, to, index] of datagrams) {
      const pair = new CallPair({ ourRole, link: { delayMs: 10 } });
      pair.network.dropNth(from, to, index);
      pair.connect();
      const tookMs = pair.runUntilConnected();
      pair.talk(1_000);
      expect([index, pair.ours.end, pair.relay.end]).toEqual([index, null, null]);
      expect(pair.relay.receiver.stats().packetsReceived).toBeGreaterThan(40);
      // RFC 8445 §14.3: a lost check is repeated after 500 ms; a lost flight of DTLS after 50 and more.
      expect(tookMs).toBeLessThan(limitMs.one);
    }
  });

  test("each pair of datagrams of the setup may be lost", () => {
    for (const [i, first] of datagrams.entries()) {
      for (const second of datagrams.slice(i + 1)) {
        const pair = new CallPair({ ourRole, link: { delayMs: 10 } });
        pair.network.dropNth(...first);
        pair.network.dropNth(...second);
        pair.connect();
        const tookMs = pair.runUntilConnected();
        expect([first[2], second[2], pair.isConnected, pair.isOver]).toEqual([
          first[2],
          second[2],
          true,
          false,
        ]);
        expect(tookMs).toBeLessThan(limitMs.two);
      }
    }
  });

  const LINKS: readonly (readonly [string, LinkOptions])[] = [
    ["5 % loss", { loss: 0.05, delayMs: 20 }],
    ["15 % loss", { loss: 0.15, delayMs: 20 }],
    ["30 % loss", { loss: 0.3, delayMs: 20 }],
    ["a tenth reordered", { reordering: 0.1, delayMs: 20 }],
    ["a fifth duplicated", { duplication: 0.2, delayMs: 20 }],
    ["300 ms of jitter", { delayMs: 20, jitterMs: 300 }],
    ["jitter with outliers", { delayMs: 20, jitterMs: 60, jitterShape: "exponential" }],
    [
      "everything at once",
      {
        loss: 0.1,
        duplication: 0.1,
        reordering: 0.1,
        delayMs: 30,
        jitterMs: 100,
        jitterShape: "exponential",
      },
    ],
  ];

  test.each(LINKS)("%s: ten calls connect, stay, and carry what the network lets through", (_, link) => {
    for (let seed = 1; seed <= 10; seed += 1) {
      const pair = connected({ ourRole, seed, link });
      pair.talk(30_000);
      pair.clock.advance(2_000);
      expect([seed, pair.ours.end, pair.relay.end]).toEqual([seed, null, null]);
      for (const [sender, hearer] of [
        [pair.ours, pair.relay],
        [pair.relay, pair.ours],
      ] as const) {
        const { packetsReceived } = hearer.receiver.stats();
        expect(sender.packetsSent).toBe(1_500);
        // Three standard deviations of what chance takes, and what RFC 3550 calls out of range.
        const expected = 1_500 * (1 - (link.loss ?? 0));
        expect(packetsReceived).toBeGreaterThan(expected - 60);
        expect(packetsReceived).toBeLessThanOrEqual(1_500);
        expect(hearer.badPayloads).toBe(0);
      }
    }
  });
});

test("sequence and timestamp wrap without a packet lost or taken twice", () => {
  const pair = connected({ firstSequence: 32_767, firstTimestamp: 2 ** 32 - 960 });
  // 65 536 packets are 22 minutes.
  pair.talk(45 * 60_000);
  expect(pair.relay.receiver.stats()).toMatchObject({
    packetsReceived: 135_000,
    packetsLost: 0,
    packetsDuplicate: 0,
    packetsOutOfRange: 0,
  });
});

test("a call stays up for an hour on a poor network", () => {
  const pair = connected({ link: { loss: 0.05, delayMs: 40, jitterMs: 40 } });
  pair.talk(60 * 60_000);
  expect([pair.ours.end, pair.relay.end]).toEqual([null, null]);
  const { packetsReceived } = pair.relay.receiver.stats();
  expect(packetsReceived / pair.ours.packetsSent).toBeCloseTo(0.95, 2);
  // RFC 7675: a check every 5 s or so keeps consent, and no more than that.
  expect(pair.clock.pendingTimers).toBeLessThan(20);
});

test("a NAT that gives us another address in the middle of the call costs seconds, not the call", () => {
  const pair = connected({ link: { delayMs: 20 } });
  pair.talk(10_000);
  pair.network.rebind(OURS, { address: "198.51.100.200", port: 61_000 });
  pair.talk(12_000);
  const heardAfterMs = pair.ours.receiver.stats().packetsReceived;
  pair.talk(5_000);
  expect(pair.ours.receiver.stats().packetsReceived - heardAfterMs).toBe(250);
  expect([pair.ours.end, pair.relay.end]).toEqual([null, null]);
});

test("a network that is cut for 20 s gives the call back", () => {
  const pair = connected({ link: { delayMs: 20 } });
  pair.talk(5_000);
  pair.network.cut(20_000);
  pair.talk(30_000);
  expect([pair.ours.end, pair.relay.end]).toEqual([null, null]);
  const before = pair.relay.receiver.stats().packetsReceived;
  pair.talk(5_000);
  expect(pair.relay.receiver.stats().packetsReceived - before).toBe(250);
});

test("a network that is cut for good ends the call with its reason, and nothing is sent after it", () => {
  const pair = connected({ link: { delayMs: 20 } });
  pair.talk(5_000);
  pair.network.cut();
  pair.talk(36_000);
  expect(pair.ours.end).toBe("ice-consent-expired");
  const { bytesSent } = pair.ours;
  pair.talk(10_000);
  expect(pair.ours.bytesSent).toBe(bytesSent);
  expect(pair.ours.transport.deadlineMs).toBe(Number.POSITIVE_INFINITY);
});

test("a relay that never answers ends the call with its reason within 40 s", () => {
  const pair = new CallPair();
  pair.network.cut();
  pair.connect();
  const tookMs = pair.runUntilConnected();
  expect(pair.ours.end).toBe("ice-no-pair");
  expect(tookMs).toBeLessThanOrEqual(40_100);
});

test("a relay that answers checks and no DTLS ends the call with its reason", () => {
  const pair = new CallPair();
  pair.network.dropIf(({ bytes }) => (bytes[0] ?? 0) >= 20 && (bytes[0] ?? 0) <= 63);
  pair.connect();
  pair.runUntilConnected();
  expect(pair.ours.end).toBe("dtls-timeout");
});
