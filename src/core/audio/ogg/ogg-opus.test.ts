import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { OggOpusReader } from "./ogg-opus-reader.ts";
import { OggOpusWriter } from "./ogg-opus-writer.ts";
import { MAX_PAGE_BYTES, pageChecksum } from "./ogg-page.ts";
import { OggPageReader } from "./ogg-page-reader.ts";

const TICKS = 960;
const PRE_SKIP = 312;

/** 20 ms of CELT, told apart by its bytes. */
function packetOf(index: number, lengthBytes = 40): Uint8Array {
  const bytes = new Uint8Array(lengthBytes).fill(index);
  bytes[0] = 0xf8;
  return bytes;
}

/** The pages of a file: its beginning, then one each. */
function pagesOf(packets: readonly Uint8Array[], playedTicks?: number, channelCount: 1 | 2 = 1) {
  const writer = new OggOpusWriter({ serial: 77, channelCount, preSkipTicks: PRE_SKIP });
  const pages = [writer.begin()];
  for (const packet of packets.slice(0, -1)) {
    const page = writer.write(packet, packet.length, TICKS);
    if (page !== null) pages.push(page);
  }
  const last = packets.at(-1);
  const played = playedTicks ?? (packets.length - 1) * TICKS;
  if (last !== undefined) pages.push(...writer.finish(last, last.length, played));
  return pages;
}

function fileOf(packets: readonly Uint8Array[], playedTicks?: number): Uint8Array {
  return Buffer.concat(pagesOf(packets, playedTicks));
}

function read(bytes: Uint8Array, pieceBytes = bytes.length) {
  const reader = new OggOpusReader();
  const packets = [];
  for (let at = 0; at < bytes.length; at += pieceBytes)
    packets.push(...reader.push(bytes.subarray(at, at + pieceBytes)));
  packets.push(...reader.end());
  return { reader, packets };
}

const hundred = Array.from({ length: 101 }, (_, i) => packetOf(i));

describe("an Ogg Opus file", () => {
  test("gives back the packets with their positions, in pieces of any size", () => {
    const file = fileOf(hundred);
    fc.assert(
      fc.property(fc.integer({ min: 5, max: 5000 }), (pieceBytes) => {
        const { reader, packets } = read(file, pieceBytes);
        expect(packets.map(({ bytes }) => bytes)).toEqual(hundred);
        expect(packets.map((packet) => packet.granulePosition)).toEqual(hundred.map((_, i) => i * TICKS));
        expect(reader.head).toEqual({ channelCount: 1, preSkipTicks: PRE_SKIP, streamCount: 1 });
        expect([reader.isComplete, reader.playedTicks]).toEqual([true, 100 * TICKS]);
        expect(reader.faults).toEqual({ skippedBytes: 0, damagedPackets: 0, foreignPages: 0 });
      }),
      { numRuns: 30 },
    );
  });

  test("has pages of half a second", () => {
    // The beginning, four of 25 packets, and the end.
    expect(pagesOf(hundred)).toHaveLength(6);
  });

  test("has more pages where the packets are large", () => {
    // Two frames of 10 ms, as large as frames can be: twelve segments of the 255 that a page has.
    const packets = Array.from({ length: 60 }, (_, i) => Uint8Array.of(0xf1, ...packetOf(i, 2 * 1275)));
    const { packets: back, reader } = read(fileOf(packets));
    expect(back.map(({ bytes }) => bytes)).toEqual(packets);
    expect(reader.playedTicks).toBe(59 * TICKS);
  });

  test("takes packets whose length is a multiple of 255, and the smallest", () => {
    const packets = [255, 510, 1, 254, 256, 255].map((length, i) => packetOf(i, length));
    expect(read(fileOf(packets)).packets.map(({ bytes }) => bytes)).toEqual(packets);
  });

  test("by another program is read: pages that divide packets, and comments", () => {
    const file = readFileSync(
      new URL("../../../../test/fixtures/audio/speech-workshop.ogg", import.meta.url),
    );
    const { reader, packets } = read(file);
    expect(reader.faults).toEqual({ skippedBytes: 0, damagedPackets: 0, foreignPages: 0 });
    expect(reader.playedTicks / 48_000).toBeCloseTo(3.2, 1);
    expect(packets.length).toBeGreaterThan(150);
  });

  test("of which the end is torn off gives all whole pages, and counts the rest", () => {
    const file = fileOf(hundred);
    const pages = pagesOf(hundred);
    // 5 has no factor in common with the lengths of pages: all places in a page come by.
    for (let length = 0; length < file.length; length += 5) {
      const { reader, packets } = read(file.subarray(0, length));
      let wholePages = 0;
      let pageBytes = 0;
      for (const page of pages) {
        pageBytes += page.length;
        if (pageBytes > length) break;
        wholePages += 1;
      }
      const expected = Math.max(0, wholePages - 1) * 25;
      expect(packets).toHaveLength(expected);
      expect(reader.isComplete).toBe(false);
      if (expected > 0) expect(reader.playedTicks).toBe(expected * TICKS - PRE_SKIP);
    }
  });

  test("with a damaged page in its middle keeps the positions behind it", () => {
    const pages = pagesOf(hundred).map((page) => page.slice());
    const damaged = pages[2];
    if (damaged !== undefined) damaged[100] = (damaged[100] ?? 0) ^ 1;
    const { reader, packets } = read(Buffer.concat(pages));
    expect(packets).toHaveLength(101 - 25);
    expect(packets.at(25)).toMatchObject({ granulePosition: 50 * TICKS, bytes: hundred[50] });
    expect(reader.faults.skippedBytes).toBe(damaged?.length);
    expect(reader.playedTicks).toBe(100 * TICKS);
  });

  test("among other streams is the first Opus stream", () => {
    const other = pagesOf(hundred.slice(0, 30)).map((page) => {
      const changed = page.slice();
      new DataView(changed.buffer).setUint32(14, 5, true);
      new DataView(changed.buffer).setUint32(22, pageChecksum(changed, 0, changed.length), true);
      return changed;
    });
    const ours = pagesOf(hundred);
    const { reader, packets } = read(
      Buffer.concat([...ours.slice(0, 2), ...other.slice(1), ...ours.slice(2)]),
    );
    expect(packets.map(({ bytes }) => bytes)).toEqual(hundred);
    expect(reader.faults.foreignPages).toBe(2);
  });

  test("that is none has no head", () => {
    for (const text of ["", "RIFF", "OggS", "OggS".repeat(20_000)]) {
      const { reader, packets } = read(Buffer.from(text));
      expect([reader.head, packets.length, reader.playedTicks]).toEqual([null, 0, 0]);
    }
  });
});

test("whatever is done to the bytes, nothing is thrown and nothing is played that was not there", () => {
  const files = [fileOf(hundred), fileOf([packetOf(1, 2000), packetOf(2, 3), packetOf(3, 700)])];
  const change = fc.tuple(fc.nat(), fc.nat(255), fc.constantFrom("set", "cut", "repeat", "insert", "remove"));
  fc.assert(
    fc.property(
      fc.constantFrom(...files),
      fc.array(change, { maxLength: 8 }),
      fc.boolean(),
      (file, changes, isSealed) => {
        let bytes = Buffer.from(file);
        for (const [where, value, kind] of changes) {
          const at = where % (bytes.length + 1);
          if (kind === "set" && at < bytes.length) bytes[at] = value;
          if (kind === "cut") bytes = bytes.subarray(0, at);
          if (kind === "repeat")
            bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(Math.max(0, at - value))]);
          if (kind === "insert")
            bytes = Buffer.concat([bytes.subarray(0, at), Buffer.alloc(value, value), bytes.subarray(at)]);
          if (kind === "remove") bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + value)]);
        }
        // Damage that has its right checksum comes by the page reader.
        if (isSealed) seal(bytes);
        const { reader, packets } = read(bytes, 777);
        for (const packet of packets) {
          expect(packet.ticks).toBeGreaterThan(0);
          expect(Number.isSafeInteger(packet.granulePosition)).toBe(true);
        }
        expect(Number.isSafeInteger(reader.playedTicks)).toBe(true);
        expect(reader.faults.skippedBytes).toBeLessThanOrEqual(bytes.length);
      },
    ),
    { numRuns: 500 },
  );
});

function seal(bytes: Uint8Array): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 0; at + 27 <= bytes.length; at += 1) {
    if (view.getUint32(at) !== 0x4f676753) continue;
    const segments = bytes.subarray(at + 27, at + 27 + (bytes[at + 26] ?? 0));
    const pageBytes = 27 + segments.length + segments.reduce((sum, length) => sum + length, 0);
    if (at + pageBytes <= bytes.length) view.setUint32(at + 22, pageChecksum(bytes, at, pageBytes), true);
  }
}

test("a reader of pages holds no more than the longest page and a piece", () => {
  const reader = new OggPageReader();
  const piece = Buffer.from("OggS\0\0".repeat(1_000));
  for (let i = 0; i < 5; i += 1) {
    reader.push(piece);
    expect(reader.next()).toBeNull();
  }
  expect(reader.end()).toBeNull();
  expect(reader.skippedBytes).toBe(5 * piece.length);
  expect(MAX_PAGE_BYTES).toBe(65_307);
});
