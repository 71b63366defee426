import fc from "fast-check";
import { getPacketInfo } from "libopus-wasm";
import { describe, expect, test } from "vitest";
import { writeOpusPacket } from "./opus-framing.ts";
import {
  concealingFrame,
  createOpusPacket,
  isOpusStereo,
  monoToc20Ms,
  opusFrameTicks,
  opusMode,
  opusPacketTicks,
  readOpusPacket,
  readSelfDelimitedOpusPacket,
} from "./opus-packet.ts";
import { splitOpusStreams } from "./opus-streams.ts";

const packet = createOpusPacket();

function read(bytes: readonly number[] | Uint8Array) {
  return readOpusPacket(Uint8Array.from(bytes), 0, bytes.length, packet);
}

/** Frames of these lengths, each filled with its number. */
function framesOf(toc: number, lengths: readonly number[]) {
  const frames = createOpusPacket();
  const bytes = new Uint8Array(lengths.reduce((sum, length) => sum + length, 0));
  frames.toc = toc;
  frames.frameCount = lengths.length;
  frames.frameTicks = opusFrameTicks(toc);
  let offset = 0;
  lengths.forEach((length, index) => {
    frames.frameOffsets[index] = offset;
    frames.frameLengths[index] = length;
    bytes.fill(index + 1, offset, offset + length);
    offset += length;
  });
  return { frames, bytes };
}

function write(toc: number, lengths: readonly number[], isSelfDelimited: boolean): Uint8Array {
  const { frames, bytes } = framesOf(toc, lengths);
  const out = new Uint8Array(bytes.length + 200);
  return out.slice(0, writeOpusPacket(frames, bytes, out, 0, isSelfDelimited));
}

/** Lengths and first bytes of the frames that were read. */
function readFrames(bytes: Uint8Array) {
  return Array.from({ length: packet.frameCount }, (_, i) => {
    const offset = packet.frameOffsets[i] ?? 0;
    const length = packet.frameLengths[i] ?? 0;
    return { length, filledWith: new Set(bytes.subarray(offset, offset + length)) };
  });
}

describe("a TOC", () => {
  test("tells mode and duration of all 32 configurations (RFC 6716 table 2)", () => {
    const durationsMs = Array.from({ length: 32 }, (_, config) => opusFrameTicks(config << 3) / 48);
    expect(durationsMs.slice(0, 16)).toEqual([
      10, 20, 40, 60, 10, 20, 40, 60, 10, 20, 40, 60, 10, 20, 10, 20,
    ]);
    expect(durationsMs.slice(16)).toEqual([2.5, 5, 10, 20, 2.5, 5, 10, 20, 2.5, 5, 10, 20, 2.5, 5, 10, 20]);
    expect([0, 11, 12, 15, 16, 31].map((config) => opusMode(config << 3))).toEqual([
      "silk",
      "silk",
      "hybrid",
      "hybrid",
      "celt",
      "celt",
    ]);
    expect(isOpusStereo(0xfc)).toBe(true);
    expect(isOpusStereo(0xfb)).toBe(false);
  });

  test("for 20 ms keeps mode and bandwidth", () => {
    for (let toc = 0; toc < 256; toc += 1) {
      const changed = monoToc20Ms(toc);
      expect(opusFrameTicks(changed)).toBe(960);
      expect(opusMode(changed)).toBe(opusMode(toc));
      expect(changed & 7).toBe(0);
    }
    // Wideband SILK of 60 ms, stereo; hybrid fullband of 10 ms; CELT superwideband of 2.5 ms.
    expect([(11 << 3) | 4, 14 << 3, 24 << 3].map(monoToc20Ms)).toEqual([9 << 3, 15 << 3, 27 << 3]);
  });
});

describe("a packet", () => {
  test.each([
    ["empty", []],
    ["uneven", [0x79, 1, 2, 3]],
    ["truncated", [0x7a]],
    ["truncated", [0x7a, 252]],
    ["truncated", [0x7a, 3, 1, 1]],
    ["truncated", [0x7b]],
    ["truncated", [0x7b, 0x41]],
    ["truncated", [0x7b, 0x41, 5, 1]],
    ["truncated", [0x7b, 0x41, 255, 255]],
    ["frame-count", [0x7b, 0]],
    ["frame-count", [0x7b, 7]],
    ["frame-too-large", [0x78, ...new Uint8Array(1276)]],
    ["frame-too-large", [0x79, ...new Uint8Array(2552)]],
  ])("is refused: %s", (fault, bytes) => {
    expect(read(bytes)).toBe(fault);
  });

  test("may lie anywhere in other bytes, and ends where it is said to", () => {
    const bytes = Uint8Array.of(9, 9, 0x78, 1, 2, 3, 9);
    expect(readOpusPacket(bytes, 2, 4, packet)).toBeNull();
    expect([packet.frameOffsets[0], packet.frameLengths[0]]).toEqual([3, 3]);
    expect(readOpusPacket(bytes, 2, 400, packet)).toBeNull();
    expect(packet.frameLengths[0]).toBe(4);
  });

  test("is read as libopus reads it, whatever its bytes", async () => {
    const bytes = fc.oneof(
      fc.uint8Array({ minLength: 1, maxLength: 300 }),
      // Frames in any number, with and without lengths and padding.
      fc
        .tuple(fc.nat(63), fc.nat(255), fc.uint8Array({ maxLength: 1400 }))
        .map(([config, layout, rest]) => Uint8Array.of((config << 2) | 3, layout, ...rest)),
    );
    await fc.assert(
      fc.asyncProperty(bytes, async (each) => {
        const info = await getPacketInfo(each).catch(() => null);
        if (read(each) !== null) {
          expect(info).toBeNull();
          return;
        }
        // libopus decodes it, too: it refuses what cannot be heard within its own limits.
        if (info === null) return;
        expect([packet.frameCount, opusPacketTicks(packet)]).toEqual([info.frames, info.samples]);
        expect(info.channels).toBe(isOpusStereo(packet.toc) ? 2 : 1);
      }),
      { numRuns: 2000 },
    );
  });

  test("that is written can be read, with and without its own length", () => {
    const lengths = fc.array(fc.oneof(fc.nat(1275), fc.nat(3), fc.constantFrom(251, 252, 253, 255, 256)), {
      minLength: 1,
      maxLength: 8,
    });
    fc.assert(
      fc.property(fc.constantFrom(0x80, 0xc4, 0xe0), lengths, fc.nat(20), (toc, each, more) => {
        const plain = write(toc, each, false);
        expect(readOpusPacket(plain, 0, plain.length, packet)).toBeNull();
        expect(packet.toc & 0xfc).toBe(toc);
        expect(readFrames(plain).map(({ length }) => length)).toEqual(each);

        const delimited = write(toc, each, true);
        const among = Uint8Array.from([...delimited, ...new Uint8Array(more)]);
        expect(readSelfDelimitedOpusPacket(among, 0, among.length, packet)).toBe(delimited.length);
        readFrames(among).forEach(({ length, filledWith }, index) => {
          expect(length).toBe(each[index]);
          if (length > 0) expect([...filledWith]).toEqual([index + 1]);
        });
      }),
    );
  });

  test("of several streams is divided into those that went in, and damage to it throws nothing", () => {
    const left = write(0x78, [1], false);
    const right = write(0x80, [7, 0, 300, 7, 7, 7, 7, 7], false);
    const both = Uint8Array.from([...write(0x78, [1], true), ...right]);
    expect(splitOpusStreams(both, 2)).toEqual([left, right]);
    expect(splitOpusStreams(right, 1)).toEqual([right]);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.integer({ min: 1, max: 4 }), (bytes, count) => {
        const packets = splitOpusStreams(bytes, count);
        if (packets !== null) expect(packets).toHaveLength(count);
      }),
    );
  });

  test("that conceals has at most one byte, which libopus takes for a frame that was lost", async () => {
    for (const config of [1, 5, 9, 13, 15, 19, 23, 27, 31]) {
      const toc = config << 3;
      const bytes = Uint8Array.of(toc, ...concealingFrame(toc));
      expect(bytes.length).toBeLessThanOrEqual(2);
      expect(await getPacketInfo(bytes)).toMatchObject({ frames: 1, durationMs: 20 });
    }
  });
});
