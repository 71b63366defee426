import fc from "fast-check";
import { expect, test } from "vitest";
import {
  DtlsPair,
  INITIAL_TIMEOUT_MS,
  type Link,
  losing,
  type PairOptions,
  PERFECT_LINK,
  type SentDatagram,
} from "../../../../test/support/dtls-pair.ts";

/** Flights of one, and of several datagrams. */
const SIZES: readonly [string, PairOptions][] = [
  ["flights of one datagram", {}],
  ["flights of one datagram, with a cookie", { server: { requiresCookie: true } }],
  ["flights of several datagrams", { client: { mtuBytes: 256 }, server: { mtuBytes: 256 } }],
];

const ROUND_TRIPS_MS = 60;
/** One loss costs one timeout of one side. */
const AFTER_ONE_LOSS_MS = INITIAL_TIMEOUT_MS + ROUND_TRIPS_MS;
/** The second of two may hit what the first one's timeout sent. */
const AFTER_TWO_LOSSES_MS = (1 + 2) * INITIAL_TIMEOUT_MS + ROUND_TRIPS_MS;

function datagramsOf(options: PairOptions): number {
  return DtlsPair.connect(options).sent.length;
}

function expectSound(pair: DtlsPair): void {
  expect([pair.client.ends, pair.server.ends]).toEqual([[], []]);
  expect(pair.client.results).toHaveLength(1);
  expect(pair.server.results).toHaveLength(1);
  expect(pair.client.results[0]?.localSrtp).toEqual(pair.server.results[0]?.remoteSrtp);
}

test.each(SIZES)("%s: each single datagram lost, both connect within a timeout", (_, options) => {
  for (let lost = 0; lost < datagramsOf(options); lost++) {
    const pair = DtlsPair.connect({ ...options, link: losing(lost) }, 5_000);
    expectSound(pair);
    expect(pair.connectedAtMs, `without datagram ${lost}`).toBeLessThanOrEqual(AFTER_ONE_LOSS_MS);
  }
});

test.each(SIZES)("%s: each pair of datagrams lost, both connect within two timeouts", (_, options) => {
  const count = datagramsOf(options);
  for (let first = 0; first < count; first++) {
    // The second one may be of what the loss of the first one makes both send again.
    for (let second = first + 1; second < 2 * count; second++) {
      const pair = DtlsPair.connect({ ...options, link: losing(first, second) }, 5_000);
      expectSound(pair);
      expect(pair.connectedAtMs, `without ${first} and ${second}`).toBeLessThanOrEqual(AFTER_TWO_LOSSES_MS);
    }
  }
});

test.each(SIZES)("%s: every datagram comes twice", (_, options) => {
  const link: Link = ({ bytes }) => [
    { delayMs: 10, bytes },
    { delayMs: 12, bytes },
  ];
  const pair = DtlsPair.connect({ ...options, link });
  expectSound(pair);
  // A stateless server cannot know that it answered before.
  const repeatedRequests = options.server?.requiresCookie === true ? 1 : 0;
  expect(pair.sent).toHaveLength(datagramsOf(options) + repeatedRequests);
  expect(pair.server.association.stats.flightsRetransmitted).toBe(0);
  expect(pair.client.association.stats.flightsRetransmitted).toBe(0);
});

test.each(SIZES)("%s: the datagrams of a flight come in reverse", (_, options) => {
  const link: Link = ({ bytes, index }) => [{ delayMs: 60 - index, bytes }];
  expectSound(DtlsPair.connect({ ...options, link }, 5_000));
});

test("loss, duplication and reordering at random never make more of it than a late connection", () => {
  const fates = fc.array(fc.array(fc.integer({ min: 1, max: 150 }), { maxLength: 3 }), { maxLength: 40 });
  fc.assert(
    fc.property(fc.constantFrom(...SIZES), fates, ([, options], delays) => {
      const link: Link = (sent) => {
        const fate = delays[sent.index];
        return fate === undefined
          ? PERFECT_LINK(sent)
          : fate.map((delayMs) => ({ delayMs, bytes: sent.bytes }));
      };
      const pair = DtlsPair.connect({ ...options, link }, 20_000);
      expectSound(pair);
      expect(pair.client.association.deadlineMs).toBe(Number.POSITIVE_INFINITY);
    }),
    { numRuns: 60 },
  );
});

test("a lost last flight is sent again when the client repeats its Finished, however late", () => {
  const link: Link = (sent) => (isLastFlight(sent) && sent.atMs < 1_000 ? [] : PERFECT_LINK(sent));
  const pair = new DtlsPair({ link });
  pair.start();
  pair.run(900);
  expect(pair.server.results).toHaveLength(1);
  expect(pair.client.results).toHaveLength(0);
  pair.run(5_000);
  expectSound(pair);
});

/** The server's ChangeCipherSpec and Finished. */
function isLastFlight({ from, bytes }: SentDatagram): boolean {
  return from === "server" && bytes[0] === 20;
}

test("the timeout doubles up to a second, and the flight is the same each time", () => {
  const pair = DtlsPair.connect({ link: () => [] }, 5_000);
  const hellos = pair.sent.filter(({ from }) => from === "client");
  expect(hellos.map(({ atMs }) => atMs)).toEqual([0, 100, 300, 700, 1_500, 2_500, 3_500, 4_500]);
  const messages = new Set(hellos.map(({ bytes }) => Buffer.from(bytes.subarray(13)).toString("hex")));
  expect(messages.size).toBe(1);
  const sequences = hellos.map(({ bytes }) => bytes[10]);
  expect(sequences, "but for the record's number").toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
});

test("a first timeout above a second stays", () => {
  const pair = new DtlsPair({ link: () => [] });
  pair.client.association.start(0, 3_000);
  pair.run(10_000);
  expect(pair.sent.map(({ atMs }) => atMs)).toEqual([0, 3_000, 6_000, 9_000]);
});

test("a repeated ClientHello makes the server send its flight again, at most every 10 ms and 40 times", () => {
  const pair = new DtlsPair();
  pair.start();
  pair.run(10);
  const [hello] = pair.sent;
  const { association } = pair.server;
  const answers = () => pair.sent.filter(({ from }) => from === "server").length;
  expect(answers()).toBe(1);
  for (const atMs of [11, 15, 19]) association.receive(hello?.bytes ?? new Uint8Array(0), atMs);
  expect(answers()).toBe(1);
  association.receive(hello?.bytes ?? new Uint8Array(0), 20);
  expect(answers()).toBe(2);
  for (let atMs = 30; atMs < 10_000; atMs += 10) {
    association.receive(hello?.bytes ?? new Uint8Array(0), atMs);
  }
  expect(answers()).toBe(1 + 40);
});

test("a client's repeated flight costs the connected server one small datagram at most", () => {
  const pair = DtlsPair.connect();
  const before = pair.sent.length;
  // Sent again by the network: its Finished was seen, and the rest is plaintext.
  for (const { from, bytes } of pair.sent.slice()) {
    if (from === "client") pair.server.association.receive(bytes, 5_000);
  }
  expect(pair.sent.length).toBe(before);
});

test("the memory of the handshake's progress ends with it: nothing is sent without being asked", () => {
  const pair = DtlsPair.connect({}, 1_000);
  const before = pair.sent.length;
  pair.run(3_600_000);
  expect(pair.sent.length).toBe(before);
});
