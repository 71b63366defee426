import { describe, expect, it } from "vitest";
import { RtpIn } from "./rtp-in.ts";
import { RtpView } from "./rtp-view.ts";

const OPUS = 111;
const EVENTS = 126;
/** Wideband, 20 ms, one frame. */
const AUDIO = Buffer.from([0x48, 1, 2, 3]);

interface Packet {
  readonly sequence: number;
  readonly timestamp?: number;
  readonly payloadType?: number;
  readonly marker?: boolean;
  readonly ssrc?: number;
  readonly payload?: Buffer;
}

function toBytes(packet: Packet): Buffer {
  const header = Buffer.alloc(12);
  header[0] = 0x80;
  header[1] = (packet.marker ? 0x80 : 0) | (packet.payloadType ?? OPUS);
  header.writeUInt16BE(packet.sequence & 0xffff, 2);
  header.writeUInt32BE((packet.timestamp ?? packet.sequence * 960) >>> 0, 4);
  header.writeUInt32BE(packet.ssrc ?? 7, 8);
  return Buffer.concat([header, packet.payload ?? AUDIO]);
}

function receive(packets: readonly Packet[], stepMs = 20, isAccepted = true): RtpIn {
  const received = new RtpIn({ opusPayloadType: OPUS, telephoneEventPayloadType: EVENTS });
  const view = new RtpView();
  packets.forEach((packet, index) => {
    const bytes = toBytes(packet);
    expect(view.read(bytes)).toBe(true);
    received.add(view, bytes, index * stepMs, isAccepted);
  });
  return received;
}

const event = (digit: number, duration: number): Buffer =>
  Buffer.from([digit, 10, duration >> 8, duration & 255]);

describe("the phone's count of what it receives", () => {
  it("finds nothing wrong with an even stream over the wrap of its numbers", () => {
    const packets = Array.from({ length: 300 }, (_, i) => ({
      sequence: 65_400 + i,
      timestamp: 0xffff_ff00 + i * 960,
      marker: i === 0,
    }));
    expect(receive(packets)).toMatchObject({
      packetsReceived: 300,
      packetsLost: 0,
      packetsDuplicate: 0,
      packetsWrongDuration: 0,
      badTimestampSteps: 0,
      ssrcCount: 1,
      markers: 1,
      longestGapMs: 20,
      gapP99Ms: 20,
      jitterRtpTicks: 0,
      highestSequenceNumber: 65_536 + 65_400 + 299,
    });
  });

  it.each([
    ["a loss", [1, 2, 5, 6], 2, 0],
    ["a late packet", [1, 2, 4, 3, 5], 0, 0],
    ["a packet that comes before the first", [5, 4, 6], 0, 0],
    ["a duplicate", [1, 2, 2, 3], 0, 1],
    ["a late duplicate", [1, 2, 3, 1], 0, 1],
    ["a loss at the wrap", [65_534, 65_535, 65_537], 1, 0],
    ["a restart of the sender", [1, 2, 20_000, 20_001], 0, 0],
    ["a restart after a loss", [1, 3, 20_000, 20_002], 2, 0],
  ])("counts %s", (_name, sequences, lost, duplicate) => {
    const received = receive(sequences.map((sequence) => ({ sequence })));
    expect(received.packetsLost).toBe(lost);
    expect(received.packetsDuplicate).toBe(duplicate);
  });

  it("counts timestamps that do not step by frames", () => {
    const timestamps = [0, 960, 1920, 1920, 2400, 3360];
    const packets = timestamps.map((timestamp, sequence) => ({ sequence, timestamp }));
    expect(receive(packets).badTimestampSteps).toBe(2);
  });

  it("counts packets of another duration than 20 ms", () => {
    const payloads = [
      [0x48, 0],
      [0x40, 0],
      [0x50, 0],
      [0xf8, 0],
      [0xf0, 0],
      [0x41, 0],
      [0x49, 0],
      [0xfb, 2],
    ];
    const packets = payloads.map((payload, sequence) => ({ sequence, payload: Buffer.from(payload) }));
    expect(receive(packets).packetsWrongDuration).toBe(5);
  });

  it("counts other payload types and other SSRCs, eight of these at most", () => {
    const packets = Array.from({ length: 20 }, (_, i) => ({
      sequence: i,
      ssrc: i,
      payloadType: i < 3 ? 0 : OPUS,
    }));
    const received = receive(packets);
    expect(received.packetsWrongPayloadType).toBe(3);
    expect(received.ssrcCount).toBe(8);
  });

  it("counts what comes before the accept", () => {
    expect(receive([{ sequence: 1 }, { sequence: 2 }], 20, false).packetsBeforeAccept).toBe(2);
  });

  it("hears each digit once, whichever of its packets is lost", () => {
    const digit = (sequence: number, timestamp: number, code: number) => ({
      sequence,
      timestamp,
      payloadType: EVENTS,
      payload: event(code, 160),
    });
    const packets = [
      digit(1, 960, 1),
      digit(2, 960, 1),
      digit(3, 960, 1),
      digit(5, 8640, 1),
      digit(6, 17_280, 11),
      digit(7, 26_000, 16),
    ];
    expect(receive(packets).digits).toBe("11#");
  });

  it("measures the gaps between packets", () => {
    const packets = Array.from({ length: 101 }, (_, sequence) => ({ sequence }));
    const received = new RtpIn({ opusPayloadType: OPUS, telephoneEventPayloadType: EVENTS });
    const view = new RtpView();
    let atMs = 0;
    packets.forEach((packet, index) => {
      const bytes = toBytes(packet);
      view.read(bytes);
      received.add(view, bytes, atMs, true);
      atMs += index === 50 ? 130.5 : 19.5;
    });
    expect(received.longestGapMs).toBe(130.5);
    expect(received.gapP99Ms).toBe(20);
  });
});

describe("the reader of RTP packets", () => {
  it("steps over CSRCs, an extension and padding", () => {
    const bytes = Buffer.from("b1ef0001000003c000000007aaaaaaaabede0001ffffffff48010203000004", "hex");
    const view = new RtpView();
    expect(view.read(bytes)).toBe(true);
    expect(view).toMatchObject({
      marker: true,
      payloadType: OPUS,
      sequenceNumber: 1,
      timestamp: 960,
      ssrc: 7,
    });
    expect(bytes.subarray(view.payloadStart, view.payloadEnd).toString("hex")).toBe("480102");
  });

  it("takes no prefix that is shorter than its own header", () => {
    const bytes = Buffer.from("91ef0001000003c000000007aaaaaaaabede0001ffffffff", "hex");
    const view = new RtpView();
    for (let length = 0; length < bytes.length; length += 1) {
      expect(view.read(bytes.subarray(0, length))).toBe(false);
    }
    expect(view.read(bytes)).toBe(true);
  });
});
