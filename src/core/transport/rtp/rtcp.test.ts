import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createReportBlock, type ReportBlock, type RtcpVisitor, readRtcp } from "./rtcp.ts";
import { RtcpWriter } from "./rtcp-writer.ts";

/** Keeps what it is shown. */
class Recorder implements RtcpVisitor {
  readonly seen: unknown[] = [];

  onSenderReport(ssrc: number, info: object): void {
    this.seen.push({ type: "sender", ssrc, ...info });
  }

  onReportBlock(block: ReportBlock, reporterSsrc: number): void {
    this.seen.push({ type: "block", reporterSsrc, ...block });
  }

  onBye(ssrc: number): void {
    this.seen.push({ type: "bye", ssrc });
  }

  onCname(ssrc: number, cname: Uint8Array): void {
    this.seen.push({ type: "cname", ssrc, cname: new TextDecoder().decode(cname) });
  }

  onUnknown(type: number): void {
    this.seen.push({ type: "unknown", packetType: type });
  }
}

function read(bytes: Uint8Array) {
  const recorder = new Recorder();
  const fault = readRtcp(bytes, recorder);
  return { fault, seen: recorder.seen };
}

function fromHex(hex: string): Uint8Array {
  return Uint8Array.from(Buffer.from(hex.replaceAll(/\s/g, ""), "hex"));
}

const senderReport = `81c8000c 0a0a0a0a
  e8fe6f80 80000000 000003c0 00000007 00000046
  0b0b0b0b 03ffffff 00020005 0000000c aabbccdd 00018000`;
const description = "81ca0003 0a0a0a0a 01036162 63000000";
/** Transport-wide feedback (205), payload feedback (206), an extended report (207) and an application's packet (204). */
const others =
  "8fcd0004 0a0a0a0a 0b0b0b0b 00010002 00000300 81ce0002 0a0a0a0a 0b0b0b0b 80cf0001 0a0a0a0a 80cc0002 0a0a0a0a 61626364";
const bye = "82cb0003 0a0a0a0a 0c0c0c0c 02686900";
const whole = fromHex(senderReport + description + others + bye);

const block: ReportBlock = {
  ssrc: 0x0b0b0b0b,
  fractionLost: 3,
  packetsLost: -1,
  highestSequence: 0x00020005,
  jitterRtpTicks: 12,
  lastSenderReport: 0xaabbccdd,
  sinceLastSenderReport: 0x18000,
};

describe("readRtcp", () => {
  test("reads a compound packet in its order and skips what it does not know by its length", () => {
    expect(read(whole)).toEqual({
      fault: null,
      seen: [
        {
          type: "sender",
          ssrc: 0x0a0a0a0a,
          ntpSeconds: 0xe8fe6f80,
          ntpFraction: 0x80000000,
          rtpTimestamp: 960,
          packetCount: 7,
          payloadBytes: 70,
        },
        { type: "block", reporterSsrc: 0x0a0a0a0a, ...block },
        { type: "cname", ssrc: 0x0a0a0a0a, cname: "abc" },
        { type: "unknown", packetType: 205 },
        { type: "unknown", packetType: 206 },
        { type: "unknown", packetType: 207 },
        { type: "unknown", packetType: 204 },
        { type: "bye", ssrc: 0x0a0a0a0a },
        { type: "bye", ssrc: 0x0c0c0c0c },
      ],
    });
  });

  test("reads an empty receiver report, as one sends who has neither sent nor heard anything", () => {
    expect(read(fromHex("80c90001 0a0a0a0a"))).toEqual({ fault: null, seen: [] });
  });

  test("takes padding at the end for what it is", () => {
    const { fault, seen } = read(fromHex("80c90001 0a0a0a0a a1cb0003 0a0a0a0a 00000000 00000008"));
    expect(fault).toBeNull();
    expect(seen).toEqual([{ type: "bye", ssrc: 0x0a0a0a0a }]);
  });

  test("finds the canonical name after other items and in a later chunk", () => {
    const chunks = "82ca0006 0a0a0a0a 02016101 01620000 0c0c0c0c 01026364 00000000";
    expect(read(fromHex(`80c90001 0a0a0a0a ${chunks}`)).seen).toEqual([
      { type: "cname", ssrc: 0x0a0a0a0a, cname: "b" },
      { type: "cname", ssrc: 0x0c0c0c0c, cname: "cd" },
    ]);
  });

  test.each([
    ["too-short", ""],
    ["too-short", "80c90000"],
    ["type", "81ca0003 0a0a0a0a 01036162 63000000"],
    ["type", `${bye} ${senderReport}`],
    ["version", "40c90001 0a0a0a0a"],
    ["version", "80c90001 0a0a0a0a 00000000"],
    ["padding", "a0c90001 0a0a0a04"],
    ["padding", "80c90001 0a0a0a0a a0cb0001 00000000"],
    ["padding", "80c90001 0a0a0a0a a0cb0001 00000003"],
    ["padding", "80c90001 0a0a0a0a a0cb0001 00000008"],
    ["length", "80c90002 0a0a0a0a"],
    ["length", "80c90001 0a0a0a0a 80cb"],
    ["length", "80c90001 0a0a0a0a 81cb0002 0a0a0a0a"],
    ["count", "81c90001 0a0a0a0a"],
    ["count", "80c80001 0a0a0a0a"],
    ["count", "80c90001 0a0a0a0a 82cb0001 0a0a0a0a"],
  ])("finds the fault %s in %s and shows nothing of it", (fault, hex) => {
    expect(read(fromHex(hex))).toEqual({ fault, seen: [] });
  });

  test("of every prefix it takes those that end where a packet ends, and no other", () => {
    const ends = [52, 68, 88, 100, 108, 120, 136];
    for (let length = 0; length <= whole.length; length += 1) {
      const { fault, seen } = read(whole.subarray(0, length));
      expect([length, fault === null]).toEqual([length, ends.includes(length)]);
      if (fault !== null) expect(seen).toEqual([]);
    }
  });

  test("never throws, whatever the bytes", () => {
    const header = fc.tuple(
      fc.integer({ min: 0x80, max: 0xbf }),
      fc.integer({ min: 200, max: 207 }),
      fc.nat(9),
    );
    const packet = fc
      .tuple(header, fc.uint8Array({ maxLength: 60 }))
      .map(([[first, type, words], body]) => [first, type, 0, words, ...body]);
    const compound = fc.array(packet, { maxLength: 4 }).map((packets) => Uint8Array.from(packets.flat()));
    fc.assert(
      fc.property(fc.oneof(compound, fc.uint8Array({ maxLength: 200 })), (bytes) => {
        const { fault, seen } = read(bytes);
        if (fault !== null) expect(seen).toEqual([]);
      }),
    );
  });

  test("never throws for a well-formed packet with some bytes changed", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { maxLength: 6 }), (changes) => {
        const bytes = whole.slice();
        for (const [index, value] of changes) bytes[index] = value;
        read(bytes);
      }),
    );
  });
});

const uint32 = fc.integer({ min: 0, max: 0xffffffff });

describe("RtcpWriter", () => {
  const sender = {
    ntpSeconds: 0xe8fe6f80,
    ntpFraction: 0x80000000,
    rtpTimestamp: 960,
    packetCount: 7,
    payloadBytes: 70,
  };

  test("writes a sender's report, its CNAME and BYE byte by byte as RFC 3550 has them", () => {
    const packet = new RtcpWriter(0x0a0a0a0a, "abc").write({ sender, block, hasBye: true });
    expect(packet).toEqual(fromHex(`${senderReport} ${description} 81cb0001 0a0a0a0a`));
  });

  test("writes the report of one who has not sent", () => {
    const packet = new RtcpWriter(0x0a0a0a0a, "ab").write({ sender: null, block: null, hasBye: false });
    expect(packet).toEqual(fromHex("80c90001 0a0a0a0a 81ca0003 0a0a0a0a 01026162 00000000"));
  });

  test("what it writes reads back the same", () => {
    const writer = new RtcpWriter(0xfedcba98, "ünïcode");
    const info = fc.record({
      ntpSeconds: uint32,
      ntpFraction: uint32,
      rtpTimestamp: uint32,
      packetCount: uint32,
      payloadBytes: uint32,
    });
    const anyBlock = fc.record({
      ssrc: uint32,
      fractionLost: fc.nat(255),
      packetsLost: fc.integer({ min: -0x800000, max: 0x7fffff }),
      highestSequence: uint32,
      jitterRtpTicks: uint32,
      lastSenderReport: uint32,
      sinceLastSenderReport: uint32,
    });
    fc.assert(
      fc.property(fc.option(info), fc.option(anyBlock), fc.boolean(), (senderInfo, reportBlock, hasBye) => {
        const packet = writer.write({ sender: senderInfo, block: reportBlock, hasBye });
        const ssrc = 0xfedcba98;
        expect(read(packet)).toEqual({
          fault: null,
          seen: [
            ...(senderInfo === null ? [] : [{ type: "sender", ssrc, ...senderInfo }]),
            ...(reportBlock === null ? [] : [{ type: "block", reporterSsrc: ssrc, ...reportBlock }]),
            { type: "cname", ssrc, cname: "ünïcode" },
            ...(hasBye ? [{ type: "bye", ssrc }] : []),
          ],
        });
      }),
    );
  });

  test.each([
    [9_000_000, 0x7fffff],
    [-9_000_000, -0x800000],
  ])("holds %d lost packets to 24 bits", (packetsLost, written) => {
    const lossy = { ...createReportBlock(), packetsLost };
    const packet = new RtcpWriter(1, "a").write({ sender: null, block: lossy, hasBye: false });
    expect(read(packet).seen[0]).toMatchObject({ packetsLost: written, fractionLost: 0 });
  });

  test("cuts a canonical name of more than 255 bytes, between characters", () => {
    const packet = new RtcpWriter(1, `a${"é".repeat(200)}`).write({
      sender: null,
      block: null,
      hasBye: false,
    });
    expect(read(packet)).toEqual({
      fault: null,
      seen: [{ type: "cname", ssrc: 1, cname: `a${"é".repeat(127)}` }],
    });
  });

  test("any name keeps the packet well formed", () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 300 }), (cname) => {
        const packet = new RtcpWriter(1, cname).write({ sender: null, block: null, hasBye: true });
        expect(packet.length % 4).toBe(0);
        expect(read(packet).fault).toBeNull();
        expect(read(packet).seen.at(-1)).toEqual({ type: "bye", ssrc: 1 });
      }),
    );
  });
});
