import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createRtpHeader, isRtcp, RTP_HEADER_BYTES, RtpWriter, readRtp } from "./rtp.ts";

const fixed = [0x80, 0xef, 0x12, 0x34, 0xff, 0xff, 0xff, 0xfe, 0x80, 0x00, 0x00, 0x01];

function read(bytes: readonly number[]) {
  const header = createRtpHeader();
  const fault = readRtp(Uint8Array.from(bytes), header);
  return fault ?? header;
}

function withFirst(first: number, ...rest: readonly number[]): number[] {
  return [first, ...fixed.slice(1), ...rest];
}

describe("readRtp", () => {
  test("reads every field of the fixed header", () => {
    expect(read([...fixed, 1, 2, 3])).toEqual({
      payloadType: 111,
      marker: true,
      sequence: 0x1234,
      timestamp: 0xfffffffe,
      ssrc: 0x80000001,
      payloadOffset: 12,
      payloadLength: 3,
    });
  });

  test("skips CSRCs, a header extension and padding", () => {
    const packet = withFirst(0xb2, 0, 0, 0, 9, 0, 0, 0, 8, 0xbe, 0xde, 0, 1, 7, 7, 7, 7, 0xaa, 0xbb, 0, 0, 3);
    expect(read(packet)).toMatchObject({ payloadOffset: 28, payloadLength: 2 });
  });

  test("takes a packet without a payload", () => {
    expect(read(fixed)).toMatchObject({ payloadOffset: 12, payloadLength: 0 });
  });

  test.each([
    ["too-short", fixed.slice(0, 11)],
    ["too-short", []],
    ["version", withFirst(0x40)],
    ["csrc", withFirst(0x81, 1, 2, 3)],
    ["extension", withFirst(0x90, 0xbe, 0xde, 0)],
    ["extension", withFirst(0x90, 0xbe, 0xde, 0, 2, 1, 1, 1, 1)],
    ["padding", withFirst(0xa0)],
    ["padding", withFirst(0xa0, 1, 0)],
    ["padding", withFirst(0xa0, 1, 3)],
  ] as const)("calls it %s when the lengths do not fit", (fault, bytes) => {
    expect(read(bytes)).toBe(fault);
  });

  test("never throws and never points outside the packet", () => {
    const header = createRtpHeader();
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        if (bytes.length > 0) bytes[0] = 0x80 | ((bytes[0] ?? 0) & 0x3f);
        if (readRtp(bytes, header) !== null) return;
        expect(header.payloadOffset).toBeGreaterThanOrEqual(RTP_HEADER_BYTES);
        expect(header.payloadLength).toBeGreaterThanOrEqual(0);
        expect(header.payloadOffset + header.payloadLength).toBeLessThanOrEqual(bytes.length);
      }),
    );
  });
});

test("RTCP is told from RTP by its second byte", () => {
  expect(isRtcp(Uint8Array.of(0x80, 200, 0, 6))).toBe(true);
  expect(isRtcp(Uint8Array.of(0x80, 206, 0, 6))).toBe(true);
  expect(isRtcp(Uint8Array.of(0x80, 111))).toBe(false);
  expect(isRtcp(Uint8Array.of(0x80, 0x80 | 126))).toBe(false);
  expect(isRtcp(Uint8Array.of(0x80))).toBe(false);
});

describe("RtpWriter", () => {
  test("what it writes reads back the same", () => {
    const header = createRtpHeader();
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 1275 }),
        fc.integer({ min: 0, max: 127 }),
        fc.boolean(),
        fc.integer({ min: 0, max: 0xffffffff }),
        (payload, payloadType, marker, ssrc) => {
          const writer = new RtpWriter({ ssrc, firstSequence: 7, firstTimestamp: 1000 });
          const packet = writer.write(payload, payloadType, 960, marker);
          expect(readRtp(packet, header)).toBeNull();
          expect(header).toEqual({
            payloadType,
            marker,
            sequence: 7,
            timestamp: 1960,
            ssrc,
            payloadOffset: 12,
            payloadLength: payload.length,
          });
          expect(packet.subarray(12)).toEqual(payload);
        },
      ),
    );
  });

  test("the sequence wraps at 16 bits and the timestamp at 32", () => {
    const header = createRtpHeader();
    const writer = new RtpWriter({ ssrc: 1, firstSequence: 0xffff, firstTimestamp: 0xffffffff });
    const sequences: number[] = [];
    for (let i = 0; i < 32_771; i += 1) {
      readRtp(writer.write(Uint8Array.of(1), 111, i * 960, false), header);
      sequences.push(header.sequence);
      expect(header.timestamp).toBe((0xffffffff + i * 960) % 2 ** 32);
    }
    expect(sequences[0]).toBe(0x7fff);
    expect(sequences.slice(-2)).toEqual([0, 1]);
  });

  test("packets of one length share one view of one buffer", () => {
    const writer = new RtpWriter({ ssrc: 1, firstSequence: 0, firstTimestamp: 0 });
    const first = writer.write(Uint8Array.of(1, 2), 111, 0, false);
    expect(writer.write(Uint8Array.of(3, 4), 111, 960, false)).toBe(first);
  });
});
