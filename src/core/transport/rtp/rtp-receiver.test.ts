import fc from "fast-check";
import { expect, test } from "vitest";
import { createReportBlock } from "./rtcp.ts";
import { createRtpHeader } from "./rtp.ts";
import { RtpReceiver } from "./rtp-receiver.ts";

function setUp(ssrc = 1) {
  const receiver = new RtpReceiver(48_000);
  const header = createRtpHeader();
  const receive = (sequence: number, nowMs = 0, timestamp = 0, from = ssrc) => {
    Object.assign(header, { sequence, timestamp, ssrc: from });
    return receiver.receive(header, nowMs, true);
  };
  return { receiver, receive };
}

test("an unbroken stream has no loss and no jitter", () => {
  const { receiver, receive } = setUp();
  for (let i = 0; i < 200; i += 1) receive((65_500 + i) & 0xffff, 5 + i * 20, i * 960);
  expect(receiver.stats()).toMatchObject({
    packetsReceived: 200,
    packetsLost: 0,
    packetsDuplicate: 0,
    jitterMs: 0,
    firstPacketMs: 5,
    lastPacketMs: 5 + 199 * 20,
    ssrc: 1,
    ssrcChanges: 0,
  });
});

test("missing packets are lost until they come late", () => {
  const { receiver, receive } = setUp();
  for (const sequence of [10, 11, 14]) receive(sequence);
  expect(receiver.stats().packetsLost).toBe(2);
  expect(receive(12)).toBe("new");
  expect(receiver.stats().packetsLost).toBe(1);
});

test("a packet that came before the first one in order counts as received, not as lost", () => {
  const { receiver, receive } = setUp();
  receive(0);
  receive(65_535);
  expect(receiver.stats()).toMatchObject({ packetsReceived: 2, packetsLost: 0 });
});

test("packets out of order across the wrap are neither lost nor new twice", () => {
  const { receiver, receive } = setUp();
  const arrivals = [65_534, 1, 65_535, 0, 65_535, 2, 1].map((sequence) => receive(sequence));
  expect(arrivals).toEqual(["new", "new", "new", "new", "duplicate", "new", "duplicate"]);
  expect(receiver.stats()).toMatchObject({ packetsReceived: 5, packetsDuplicate: 2, packetsLost: 0 });
});

test("a repeated packet is a duplicate", () => {
  const { receiver, receive } = setUp();
  receive(1);
  receive(2);
  expect(receive(1)).toBe("duplicate");
  expect(receive(2)).toBe("duplicate");
  expect(receiver.stats()).toMatchObject({ packetsReceived: 2, packetsDuplicate: 2, packetsLost: 0 });
});

test("one packet far off is dropped, two in a row are a restart of the sender", () => {
  const { receiver, receive } = setUp();
  receive(100);
  receive(101);
  expect(receive(30_000)).toBe("out-of-range");
  expect(receive(102)).toBe("new");
  expect(receive(40_000)).toBe("out-of-range");
  expect(receive(40_001)).toBe("new");
  expect(receive(40_002)).toBe("new");
  expect(receiver.stats()).toMatchObject({ packetsReceived: 5, packetsOutOfRange: 2, packetsLost: 0 });
  expect(receiver.restarts).toBe(1);
});

test("another SSRC starts a sequence of its own and keeps the totals", () => {
  const { receiver, receive } = setUp();
  receive(1);
  receive(3);
  receive(50_000, 0, 0, 2);
  receive(50_001, 0, 0, 2);
  expect(receiver.stats()).toMatchObject({ packetsReceived: 4, packetsLost: 1, ssrc: 2, ssrcChanges: 1 });
});

test("jitter follows RFC 3550 A.8", () => {
  const { receiver, receive } = setUp();
  receive(0, 0, 0);
  // 16 ms late: D = 768 ticks, J = 768 / 16 = 48 ticks = 1 ms.
  receive(1, 36, 960);
  expect(receiver.stats().jitterMs).toBeCloseTo(1, 10);
});

test("a timestamp that jumps, as when a relay passes on from its own sound to the caller's, is no jitter", () => {
  const { receiver, receive } = setUp();
  for (let i = 0; i < 10; i += 1) receive(i, i * 20, i * 960);
  for (let i = 10; i < 20; i += 1) receive(i, i * 20, 0x8000_0000 + i * 960);
  expect(receiver.stats().jitterMs).toBe(0);
  // A pause of the sender, whose clock goes on, is none either; a real delay is.
  receive(20, 60_000, (0x8000_0000 + 60_000 * 48) >>> 0);
  expect(receiver.stats().jitterMs).toBe(0);
  receive(21, 64_020, (0x8000_0000 + 60_020 * 48) >>> 0);
  expect(receiver.stats().jitterMs).toBeCloseTo(250, 10);
});

test("unreadable packets are counted by reason", () => {
  const { receiver } = setUp();
  receiver.countBad("padding");
  receiver.countBad("payload-type");
  receiver.countBad("payload-type");
  expect(receiver.stats().packetsBad).toMatchObject({ padding: 1, "payload-type": 2, version: 0 });
  expect(receiver.stats()).toMatchObject({ packetsReceived: 0, firstPacketMs: null, ssrc: null });
});

test("a report counts what came twice as received, so that its loss can be negative", () => {
  const { receiver, receive } = setUp();
  const block = createReportBlock();
  for (const sequence of [65_535, 0, 0, 0]) receive(sequence);
  expect(receiver.takeReport(block)).toBe(true);
  expect(block).toMatchObject({ ssrc: 1, fractionLost: 0, packetsLost: -2, highestSequence: 65_536 });
  receive(4);
  receiver.takeReport(block);
  // Four expected, one received; three of five are lost in all.
  expect(block).toMatchObject({ fractionLost: 192, packetsLost: 1, highestSequence: 65_540 });
  expect(receiver.takeReport(block)).toBe(false);
});

test("a report after a restart is about the new sequence alone", () => {
  const { receiver, receive } = setUp();
  const block = createReportBlock();
  for (const sequence of [1, 9]) receive(sequence);
  receiver.takeReport(block);
  for (const sequence of [20_000, 20_001, 20_002]) receive(sequence);
  expect(receiver.takeReport(block)).toBe(true);
  expect(block).toMatchObject({ fractionLost: 0, packetsLost: 0, highestSequence: 20_002 });
});

test("whatever comes in, every packet is counted once", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(0xffff), fc.nat(2)), { maxLength: 300 }), (packets) => {
      const { receiver, receive } = setUp();
      for (const [sequence, ssrc] of packets) receive(sequence, 0, 0, ssrc);
      const stats = receiver.stats();
      expect(stats.packetsReceived + stats.packetsDuplicate + stats.packetsOutOfRange).toBe(packets.length);
      expect(stats.packetsLost).toBeGreaterThanOrEqual(0);
    }),
  );
});
