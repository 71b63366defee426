import fc from "fast-check";
import { expect, test } from "vitest";
import { MpegFrames, mpegFrameBytes } from "./mpeg-frames.ts";

/** MPEG 1 layer III, 128 kbit/s, 44.1 kHz: 417 bytes a frame, 418 with padding. */
function frame(mark: number, padding: 0 | 1 = 0): number[] {
  const bytes = Array.from({ length: 417 + padding }, () => mark & 0x7f);
  bytes.splice(0, 4, 0xff, 0xfb, 0x90 | (padding << 1), 0xc4);
  return bytes;
}

/** The frames that are found in a file that comes in pieces of the given size. */
function cut(bytes: readonly number[], pieceBytes = 1_000): number[] {
  const frames = new MpegFrames();
  const found: number[] = [];
  for (let offset = 0; offset < bytes.length; offset += pieceBytes) {
    found.push(...frames.push(Uint8Array.from(bytes.slice(offset, offset + pieceBytes))));
  }
  return [...found, ...frames.end()];
}

const stream = [...frame(1), ...frame(2, 1), ...frame(3), ...frame(4, 1), ...frame(5)];

test.each([
  ["128 kbit/s at 44.1 kHz", [0xff, 0xfb, 0x90, 0xc4], 417],
  ["the same with padding", [0xff, 0xfb, 0x92, 0xc4], 418],
  ["the same with a checksum", [0xff, 0xfa, 0x90, 0xc4], 417],
  ["MPEG 2, 64 kbit/s at 24 kHz", [0xff, 0xf3, 0x84, 0xc4], 192],
  ["MPEG 2.5, 8 kbit/s at 8 kHz", [0xff, 0xe3, 0x18, 0xc4], 72],
  ["layer II", [0xff, 0xfd, 0x90, 0xc4], null],
  ["no bit rate", [0xff, 0xfb, 0x00, 0xc4], null],
  ["an impossible bit rate", [0xff, 0xfb, 0xf0, 0xc4], null],
  ["an impossible sample rate", [0xff, 0xfb, 0x9c, 0xc4], null],
  ["half a header", [0xff, 0xfb], null],
])("the length of a frame: %s", (_, header, length) => {
  expect(mpegFrameBytes(Uint8Array.from(header), 0)).toBe(length);
});

test("a stream of frames comes out whole, whatever the pieces it comes in", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 3_000 }), (pieceBytes) => {
      expect(cut(stream, pieceBytes)).toEqual(stream);
    }),
    { numRuns: 30 },
  );
});

test("tags before and after it are left out", () => {
  const picture = Array.from({ length: 5_000 }, (_, i) => (i % 7 === 0 ? 0xff : 0xfb));
  expect(cut([...picture, ...stream, ...picture])).toEqual(stream);
});

test("after damage it goes on at the next three frames in a row", () => {
  const rest = [...frame(6), ...frame(7), ...frame(8)];
  expect(cut([...stream, 0xff, 0, 0xff, 1, 2, 3, ...rest])).toEqual([...stream, ...rest]);
});

test("two frames are a file, but not in the middle of other bytes", () => {
  const two = [...frame(1), ...frame(2)];
  expect(cut(two)).toEqual(two);
  expect(cut([...two, 0, 0, 0, 0, 0])).toEqual([]);
});

test("a last frame that was cut off is left out", () => {
  expect(cut([...stream, ...frame(6).slice(0, 300)])).toEqual(stream);
});

test("whatever the bytes are, no more comes out than went in", () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom(0xff, 0xfb, 0xe3, 0x90, 0x18, 0), { maxLength: 600 }), (bytes) => {
      expect(cut(bytes, 64).length).toBeLessThanOrEqual(bytes.length);
    }),
  );
});
