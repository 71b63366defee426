import fc from "fast-check";
import {
  Application,
  Bandwidth,
  createDecoder,
  createEncoder,
  isOpusError,
  type OpusDecoderHandle,
} from "libopus-wasm";
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

const MONO = { channels: 1, sampleRate: 48_000 } as const;
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

/** Null when libopus refuses it. */
function decodedSamples(decoder: OpusDecoderHandle, bytes: Uint8Array): number | null {
  try {
    return decoder.decode(bytes).length;
  } catch (error) {
    if (isOpusError(error)) return null;
    throw error;
  }
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
    const decoder = await createDecoder(MONO);
    fc.assert(
      fc.property(bytes, (each) => {
        const samples = decodedSamples(decoder, each);
        if (read(each) !== null) expect(samples).toBeNull();
        // What is well formed may still not decode.
        else if (samples !== null) expect(opusPacketTicks(packet)).toBe(samples);
      }),
      { numRuns: 2000 },
    );
    decoder.free();
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

  test.each([
    ["silk", { application: Application.Voip, maxBandwidth: Bandwidth.Wideband, bitrate: 16_000 }],
    ["hybrid", { application: Application.Voip, bitrate: 32_000 }],
    ["celt", { application: Application.RestrictedLowDelay, bitrate: 32_000 }],
  ] as const)("that conceals is to libopus as one that was lost: %s", async (mode, options) => {
    const encoder = await createEncoder({ channels: 1, sampleRate: 48_000, frameSize: 960, ...options });
    const [told, lost] = [await createDecoder(MONO), await createDecoder(MONO)];
    let toc = 0;
    for (let n = 0; n < 10; n += 1) {
      const bytes = encoder.encode(
        Int16Array.from({ length: 960 }, (_, i) => 9000 * Math.sin((n * 960 + i) / 40)),
      );
      toc = bytes[0] ?? 0;
      expect(told.decode(bytes)).toEqual(lost.decode(bytes));
    }
    expect(opusMode(toc)).toBe(mode);
    const bytes = Uint8Array.of(monoToc20Ms(toc), ...concealingFrame(toc));
    for (let n = 0; n < 3; n += 1) expect(told.decode(bytes)).toEqual(lost.decodePacketLoss(960));
    for (const codec of [encoder, told, lost]) codec.free();
  });
});
