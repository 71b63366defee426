import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { CAPTURES, readCapture } from "../../../../test/fixtures/dtls/flights.ts";
import {
  DtlsPair,
  type Link,
  type PairOptions,
  PERFECT_LINK,
  type SentDatagram,
} from "../../../../test/support/dtls-pair.ts";
import { buildMessage, HandshakeType } from "./handshake-message.ts";
import { ContentType, writeRecord } from "./record.ts";

const FRAGMENTED: PairOptions = {
  client: { mtuBytes: 256 },
  server: { mtuBytes: 256, requiresCookie: true },
};

/** Every datagram of a handshake, and some data. */
function recordHandshake(options: PairOptions = {}): readonly SentDatagram[] {
  const pair = DtlsPair.connect(options);
  sayHello(pair);
  return pair.sent;
}

function sayHello(pair: DtlsPair): void {
  pair.client.association.sendData(Buffer.from("hello"));
  pair.server.association.sendData(Buffer.from("hello"));
  pair.run(pair.nowMs + 100);
}

/** Connected, undisturbed, and still talking. */
function expectUndisturbed(pair: DtlsPair): void {
  expect([pair.client.ends, pair.server.ends]).toEqual([[], []]);
  expect([pair.client.results.length, pair.server.results.length]).toEqual([1, 1]);
  sayHello(pair);
  expect([pair.client.data, pair.server.data]).toEqual([["hello"], ["hello"]]);
}

/** Connected with the same keys, or ended, or still trying: never half of it. */
function expectConsistent(pair: DtlsPair): void {
  const [client] = pair.client.results;
  const [server] = pair.server.results;
  if (client && server) expect(client.localSrtp).toEqual(server.remoteSrtp);
  for (const { ends, results } of [pair.client, pair.server]) {
    expect(ends.length).toBeLessThanOrEqual(1);
    expect(results.length).toBeLessThanOrEqual(1);
  }
}

function flipBit(bytes: Uint8Array, bit: number): Uint8Array {
  const flipped = Uint8Array.from(bytes);
  const index = (bit >> 3) % bytes.length;
  flipped[index] = (flipped[index] ?? 0) ^ (1 << (bit & 7));
  return flipped;
}

describe("whole handshakes of others", () => {
  const others = [
    ...CAPTURES.map((name) => readCapture(name).datagrams),
    recordHandshake(),
    recordHandshake(FRAGMENTED),
  ];

  test("every prefix of every datagram, before and after connecting, changes nothing", () => {
    const fresh = new DtlsPair();
    fresh.start();
    const connected = DtlsPair.connect();
    for (const { bytes } of others.flat()) {
      for (let length = 0; length < bytes.length; length++) {
        const prefix = bytes.subarray(0, length);
        for (const { client, server } of [fresh, connected]) {
          client.association.receive(prefix, 500);
          server.association.receive(prefix, 500);
        }
      }
    }
    expectConsistent(fresh);
    expectUndisturbed(connected);
  });

  test("replayed at a connected pair, they change nothing and nobody answers", () => {
    const pair = DtlsPair.connect();
    const before = pair.sent.length;
    for (const { bytes } of [...others.flat(), ...others.flat()]) {
      pair.client.association.receive(bytes, 5_000);
      pair.server.association.receive(bytes, 5_000);
    }
    expect(pair.sent.length).toBe(before);
    expectUndisturbed(pair);
  });
});

test("its own handshake replayed at a connected pair changes nothing and nobody answers", () => {
  const pair = DtlsPair.connect(FRAGMENTED);
  const before = pair.sent.slice();
  for (const { bytes } of [...before, ...before]) {
    pair.client.association.receive(bytes, 5_000);
    pair.server.association.receive(bytes, 5_000);
  }
  expect(pair.sent.length).toBe(before.length);
  expectUndisturbed(pair);
});

test("every bit flipped in every datagram of a connected pair's records is found out", () => {
  const pair = DtlsPair.connect();
  pair.client.association.sendData(Buffer.from("once"));
  const data = pair.sent.at(-1)?.bytes ?? new Uint8Array(0);
  for (let bit = 0; bit < data.length * 8; bit++) pair.server.association.receive(flipBit(data, bit), 2_000);
  expect(pair.server.data).toEqual([]);
  expect(pair.server.association.stats.recordsDropped).toBeGreaterThanOrEqual(data.length * 8);
  pair.run(3_000);
  expect(pair.server.data).toEqual(["once"]);
});

const anyOptions = fc.constantFrom<PairOptions>({}, FRAGMENTED);
const anyTarget = fc.nat(30);
const anyBit = fc.nat(8 * 1_200);

test("a bit flipped on the way makes a handshake late or fail, and never wrong", () => {
  fc.assert(
    fc.property(anyOptions, anyTarget, anyBit, (options, target, bit) => {
      const link: Link = ({ index, bytes }) => [
        { delayMs: 10, bytes: index === target ? flipBit(bytes, bit) : bytes },
      ];
      const pair = DtlsPair.connect({ ...options, link }, 40_000);
      expectConsistent(pair);
    }),
    { numRuns: 300 },
  );
});

test("a forged twin with a bit flipped, just before the true datagram, never makes a handshake wrong", () => {
  fc.assert(
    fc.property(anyOptions, anyTarget, anyBit, (options, target, bit) => {
      const link: Link = ({ index, bytes }) => {
        const twin = index === target ? [{ delayMs: 9, bytes: flipBit(bytes, bit) }] : [];
        return [...twin, { delayMs: 10, bytes }];
      };
      expectConsistent(DtlsPair.connect({ ...options, link }, 40_000));
    }),
    { numRuns: 300 },
  );
});

test("garbage that looks like records changes nothing at any time", () => {
  const record = fc.record({
    contentType: fc.integer({ min: 20, max: 26 }),
    epoch: fc.integer({ min: 1, max: 3 }),
    sequence: fc.integer({ min: 0, max: 2 ** 48 - 1 }),
    payload: fc.uint8Array({ maxLength: 80 }),
  });
  fc.assert(
    fc.property(fc.array(record, { maxLength: 20 }), fc.uint8Array({ maxLength: 40 }), (records, tail) => {
      const garbage = Buffer.concat([...records.map(writeRecord), tail]);
      const link: Link = ({ bytes }) => [
        { delayMs: 9, bytes: garbage },
        { delayMs: 10, bytes },
        { delayMs: 11, bytes: garbage },
      ];
      const pair = DtlsPair.connect({ link });
      expect(pair.connectedAtMs).toBe(40);
      expectUndisturbed(pair);
    }),
    { numRuns: 100 },
  );
});

describe("what a stranger can slip in between, in plaintext", () => {
  const plain = (contentType: number, payload: Uint8Array, sequence = 0) =>
    writeRecord({ contentType, epoch: 0, sequence, payload });
  const message = (type: number, sequence: number, bodyBytes: number) =>
    plain(ContentType.handshake, buildMessage(type, sequence, new Uint8Array(bodyBytes).fill(0xff)));
  /** The first fragment of a message that claims to be long. */
  const claim = (type: number, sequence: number, messageBytes: number) => {
    const raw = buildMessage(type, sequence, new Uint8Array(messageBytes)).slice(0, 13);
    raw.set([0, 0, 1], 9);
    return plain(ContentType.handshake, raw);
  };

  const everyType = [...Object.values(HandshakeType), 4, 22, 99];
  const sequences = [0, 1, 2, 3, 4, 5, 6, 7, 8, 100, 65_535];

  test.each<[string, readonly Uint8Array[]]>([
    ["messages that do not parse", everyType.flatMap((type) => sequences.map((at) => message(type, at, 3)))],
    ["parts of messages that never end", sequences.map((at) => claim(HandshakeType.certificate, at, 20_000))],
    ["messages beyond any limit", sequences.map((at) => claim(HandshakeType.certificate, at, 200_000))],
    [
      "the largest record numbers",
      [plain(22, new Uint8Array(20), 2 ** 48 - 1), plain(21, Uint8Array.of(1, 90), 2 ** 48 - 1)],
    ],
    [
      "malformed alerts",
      [plain(21, Uint8Array.of(2)), plain(21, Uint8Array.of(9, 40)), plain(21, Uint8Array.of(2, 40, 0))],
    ],
    ["warnings", [plain(21, Uint8Array.of(1, 90))]],
    [
      "application data and ChangeCipherSpecs",
      [plain(23, Uint8Array.of(1)), plain(20, Uint8Array.of(1)), plain(20, Uint8Array.of(7))],
    ],
    ["a Finished", [message(HandshakeType.finished, 1, 12), message(HandshakeType.finished, 5, 12)]],
    ["records of other versions", [Uint8Array.of(22, 3, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0)]],
  ])("%s: the handshake is done within a timeout all the same", (_, forged) => {
    for (const options of [{}, FRAGMENTED]) {
      const link: Link = (sent) => [...forged.map((bytes) => ({ delayMs: 5, bytes })), ...PERFECT_LINK(sent)];
      const pair = DtlsPair.connect({ ...options, link }, 5_000);
      expectUndisturbed(pair);
      expect(pair.connectedAtMs).toBeLessThanOrEqual(200);
    }
  });

  test("a fatal alert ends a handshake: peers report their failures so", () => {
    const pair = new DtlsPair();
    pair.start();
    pair.client.association.receive(plain(21, Uint8Array.of(2, 40)), 1);
    expect(pair.client.ends).toEqual(["peer-alert"]);
  });

  test("its goodbye ends a handshake", () => {
    const pair = new DtlsPair();
    pair.start();
    pair.server.association.receive(plain(21, Uint8Array.of(1, 0)), 1);
    expect(pair.server.ends).toEqual(["peer-closed"]);
  });
});

test("HelloVerifyRequests without end make a client send a few ClientHellos, and no more", () => {
  const pair = new DtlsPair({ link: () => [] });
  pair.client.association.start(0, 10_000);
  for (let cookie = 0; cookie < 100; cookie++) {
    const body = Uint8Array.of(0xfe, 0xff, 1, cookie);
    const payload = buildMessage(HandshakeType.helloVerifyRequest, cookie % 8, body);
    pair.client.association.receive(
      writeRecord({ contentType: ContentType.handshake, epoch: 0, sequence: cookie, payload }),
      cookie,
    );
  }
  expect(pair.sent).toHaveLength(1 + 8);
  expect(pair.client.ends).toEqual([]);
});

test("ten thousand junk datagrams are counted one by one", () => {
  const pair = DtlsPair.connect();
  const { stats } = pair.server.association;
  const before = stats.recordsDropped;
  const junk = writeRecord({ contentType: 22, epoch: 1, sequence: 7, payload: new Uint8Array(100).fill(7) });
  for (let i = 0; i < 10_000; i++) pair.server.association.receive(junk, 2_000);
  expect(stats.recordsDropped - before).toBe(10_000);
  expectUndisturbed(pair);
});
