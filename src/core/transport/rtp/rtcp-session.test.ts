import { describe, expect, test } from "vitest";
import { RtcpSession } from "./rtcp-session.ts";
import { createRtpHeader } from "./rtp.ts";
import { RtpReceiver } from "./rtp-receiver.ts";

/** 2026-01-01T00:00:00Z. */
const WALL_AT_ZERO_MS = 1_767_225_600_000;

/** One side of a call, with time and network in the test's hand. */
class Side {
  readonly receiver = new RtpReceiver(48_000);
  readonly rtcp: RtcpSession;
  readonly #ssrc: number;
  readonly #header = createRtpHeader();
  #sequence = 65_530;

  /** @param fraction What the random source says of each interval, 0-255 in 256ths. */
  constructor(ssrc: number, fraction = 128) {
    this.#ssrc = ssrc;
    const random = (byteLength: number) => {
      const bytes = new Uint8Array(byteLength);
      bytes[0] = fraction;
      return bytes;
    };
    this.rtcp = new RtcpSession({
      ssrc,
      cname: `side-${ssrc}`,
      clockRateHz: 48_000,
      receiver: this.receiver,
      random,
    });
  }

  /** Sends `count` packets of 60 bytes, every 20 ms from `atMs` on; `peer` gets those that `isLost` spares, after `delayMs`. */
  talk(
    peer: Side,
    count: number,
    atMs: number,
    delayMs = 0,
    isLost: (index: number) => boolean = () => false,
  ) {
    for (let i = 0; i < count; i += 1) {
      this.#sequence = (this.#sequence + 1) & 0xffff;
      const timestamp = (0xfffff000 + (atMs + i * 20) * 48) >>> 0;
      this.rtcp.onRtpSent(timestamp, 60, atMs + i * 20);
      if (isLost(i)) continue;
      Object.assign(this.#header, { ssrc: this.#ssrc, sequence: this.#sequence, timestamp });
      peer.receiver.receive(this.#header, atMs + i * 20 + delayMs, true);
    }
  }

  /** The report that is due, as a copy. */
  poll(nowMs: number): Uint8Array | null {
    return this.rtcp.poll(nowMs, WALL_AT_ZERO_MS + nowMs)?.slice() ?? null;
  }

  /** A report at `nowMs`, due or not. */
  bye(nowMs: number): Uint8Array {
    return this.rtcp.bye(nowMs, WALL_AT_ZERO_MS + nowMs).slice();
  }
}

function view(packet: Uint8Array): DataView {
  return new DataView(packet.buffer, packet.byteOffset, packet.length);
}

describe("the interval", () => {
  test.each([
    [0, 1250, 2500],
    [128, 2500, 5000],
    [255, 3740, 7480],
  ])(
    "with a random %d/256 the first report comes after %d ms, the next after %d ms more",
    (fraction, first, next) => {
      const side = new Side(1, fraction);
      expect(side.poll(1000)).toBeNull();
      expect(side.poll(1000 + first - 20)).toBeNull();
      expect(side.poll(1000 + first + 20)).not.toBeNull();
      expect(side.rtcp.deadlineMs).toBeCloseTo(1000 + first + 20 + next, -2);
      expect(side.poll(1000 + first + next)).toBeNull();
      expect(side.poll(1000 + first + next + 100)).not.toBeNull();
      expect(side.rtcp.stats().reportsSent).toBe(2);
    },
  );

  test("after a hold-up one report comes, not those that were missed", () => {
    const side = new Side(1);
    side.poll(0);
    expect(side.poll(60_000)).not.toBeNull();
    expect(side.poll(60_020)).toBeNull();
  });
});

describe("our reports", () => {
  test("are a sender's while packets go out, with the RTP time at the report", () => {
    const [side, peer] = [new Side(7), new Side(8)];
    side.poll(0);
    side.talk(peer, 100, 500);
    const report = side.poll(2510) ?? new Uint8Array();
    expect(report[1]).toBe(200);
    expect(view(report).getUint32(4)).toBe(7);
    expect(view(report).getUint32(8)).toBe(WALL_AT_ZERO_MS / 1000 + 2_208_988_800 + 2);
    expect(view(report).getUint32(12)).toBeCloseTo(0.51 * 2 ** 32, -6);
    expect(view(report).getUint32(16)).toBe((0xfffff000 + 2510 * 48) % 2 ** 32);
    expect(view(report).getUint32(20)).toBe(100);
    expect(view(report).getUint32(24)).toBe(6000);
  });

  test("are a receiver's when nothing went out since the last one", () => {
    const [side, peer] = [new Side(7), new Side(8)];
    side.poll(0);
    side.talk(peer, 1, 0);
    expect(side.poll(2500)?.[1]).toBe(200);
    expect(side.poll(7500)?.[1]).toBe(201);
  });

  test("have a block only when the peer was heard since the last one", () => {
    const [side, peer] = [new Side(7), new Side(8)];
    side.poll(0);
    expect((side.poll(2500)?.[0] ?? 0) & 0x1f).toBe(0);
    peer.talk(side, 10, 2600);
    expect((side.poll(7500)?.[0] ?? 0) & 0x1f).toBe(1);
    expect((side.poll(12_500)?.[0] ?? 0) & 0x1f).toBe(0);
  });

  test("end with BYE when the call ends", () => {
    const side = new Side(0x01020304);
    expect(view(side.bye(10)).getUint32(side.bye(10).length - 8)).toBe(0x81cb0001);
    expect([...side.bye(10).subarray(-4)]).toEqual([1, 2, 3, 4]);
  });
});

describe("what the peer says", () => {
  test("the round trip is measured from our sender report and the peer's delay", () => {
    const [side, peer] = [new Side(7), new Side(8)];
    side.poll(0);
    side.talk(peer, 10, 0);
    const report = side.poll(2500) ?? new Uint8Array();
    peer.rtcp.receive(report, 2540);
    side.rtcp.receive(peer.bye(4000), 4033);
    expect(side.rtcp.stats().rttMs).toBeCloseTo(73, 1);
  });

  test("the round trip does not care about the wall clock", () => {
    const [side, peer] = [new Side(7), new Side(8)];
    side.talk(peer, 10, 0);
    peer.rtcp.receive(side.rtcp.bye(1000, WALL_AT_ZERO_MS + 1_000_000).slice(), 1010);
    side.rtcp.receive(peer.rtcp.bye(2000, 5).slice(), 2010);
    expect(side.rtcp.stats().rttMs).toBeCloseTo(20, 1);
  });

  test("a report that we never sent, or one with an impossible delay, makes no negative round trip", () => {
    const [side, peer] = [new Side(7), new Side(8)];
    side.talk(peer, 10, 0);
    peer.rtcp.receive(side.bye(1000), 1010);
    const answer = peer.bye(2000);
    const strange = answer.slice();
    view(strange).setUint32(24, 12_345);
    side.rtcp.receive(strange, 2010);
    expect(side.rtcp.stats().rttMs).toBeNull();
    const impossible = answer.slice();
    view(impossible).setUint32(28, 0xffffffff);
    side.rtcp.receive(impossible, 2010);
    expect(side.rtcp.stats().rttMs).toBe(0);
  });

  test("loss and jitter of our stream are the peer's of its last interval", () => {
    const [side, peer] = [new Side(7), new Side(8)];
    side.talk(peer, 100, 0, 0, (index) => index % 4 === 1);
    side.rtcp.receive(peer.bye(2000), 2010);
    expect(side.rtcp.stats().remote).toEqual({ packetsLost: 25, fractionLost: 0.25, jitterMs: 0 });
    side.talk(peer, 100, 2000);
    side.rtcp.receive(peer.bye(4000), 4010);
    expect(side.rtcp.stats().remote).toMatchObject({ packetsLost: 25, fractionLost: 0 });
  });

  test("the highest sequence number counts its wraps", () => {
    const [side, peer] = [new Side(7), new Side(8)];
    peer.talk(side, 20, 0);
    expect(view(side.bye(1000)).getUint32(16)).toBe(65_536 + 14);
  });

  test("jitter comes over the wire in ticks and out in ms", () => {
    const [side, peer] = [new Side(7), new Side(8)];
    for (let i = 0; i < 200; i += 1) side.talk(peer, 1, i * 20, (i % 2) * 10);
    side.rtcp.receive(peer.bye(4000), 4010);
    expect(side.rtcp.stats().remote?.jitterMs).toBeCloseTo(10, 1);
  });

  test("a sender report of another SSRC than the stream's is not referred to", () => {
    const [side, peer, other] = [new Side(7), new Side(8), new Side(9)];
    peer.talk(side, 10, 0);
    other.talk(peer, 10, 0);
    side.rtcp.receive(other.bye(500), 510);
    expect(view(side.bye(1000)).getUint32(24)).toBe(0);
  });

  test("BYE counts when it is the peer's", () => {
    const [side, peer, other] = [new Side(7), new Side(8), new Side(9)];
    peer.talk(side, 1, 0);
    expect(side.rtcp.receive(other.bye(10), 10)).toBe(false);
    expect(side.rtcp.stats().byesReceived).toBe(0);
    expect(side.rtcp.receive(peer.bye(20), 20)).toBe(true);
    expect(side.rtcp.stats().byesReceived).toBe(1);
  });

  test("BYE of a peer that never said a word counts too", () => {
    expect(new Side(7).rtcp.receive(new Side(8).bye(10), 10)).toBe(true);
  });

  test("whatever is no report, about somebody else or of another kind is counted apart", () => {
    const [side, peer, other] = [new Side(7), new Side(8), new Side(9)];
    other.talk(peer, 10, 0);
    expect(side.rtcp.receive(new Uint8Array(7), 0)).toBe(false);
    side.rtcp.receive(peer.bye(100), 100);
    side.rtcp.receive(Uint8Array.of(0x80, 201, 0, 1, 0, 0, 0, 8, 0x8f, 205, 0, 1, 0, 0, 0, 8), 200);
    expect(side.rtcp.stats()).toMatchObject({
      dropped: 1,
      reportsReceived: 2,
      blocksForeign: 1,
      packetsSkipped: 1,
      remote: null,
      rttMs: null,
    });
  });

  test("no prefix of a report throws or changes what is known", () => {
    const [side, peer] = [new Side(7), new Side(8)];
    side.talk(peer, 10, 0);
    peer.rtcp.receive(side.bye(100), 110);
    const report = peer.bye(200);
    for (let length = 0; length < 32; length += 1) side.rtcp.receive(report.subarray(0, length), 300);
    expect(side.rtcp.stats()).toMatchObject({ dropped: 32, reportsReceived: 0, remote: null });
  });
});
