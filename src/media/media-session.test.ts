import { describe, expect, test } from "vitest";
import type { AudioDescription } from "../core/sdp/model.ts";
import { createRtpHeader, RtpWriter, readRtp } from "../core/transport/rtp/rtp.ts";
import type { Digit } from "../core/transport/rtp/telephone-event.ts";
import { ManualClock } from "../testing/manual-clock.ts";
import { ScriptedMediaEngine } from "../testing/scripted-media.ts";
import { type EncodedPrompt, packPrompt } from "./encoded-prompt.ts";
import { MediaClock } from "./media-clock.ts";
import { MediaSession } from "./media-session.ts";
import { OPUS_SILENCE } from "./silence.ts";

const offer: AudioDescription = {
  mid: "audio",
  iceUfrag: "SJJXJHYPhhGFGPyd",
  icePwd: "sFDA3KtvPb8Qd+yv/1Ab3A==",
  iceLite: true,
  fingerprints: [{ algorithm: "sha-256", value: "AB" }],
  setup: "actpass",
  candidates: [],
  opus: { payloadType: 107, parameters: "" },
  telephoneEvent: { payloadType: 101 },
  ssrc: 5,
};

function promptOf(...marks: number[]): EncodedPrompt {
  const packets = marks.map((mark) => Uint8Array.of(0x78, mark));
  return packPrompt(packets, marks.length * 20 - 5);
}

interface SetUp {
  readonly autoConnect?: boolean;
  readonly onFirstRtpIn?: () => void;
  readonly engineFails?: boolean;
}

async function setUp(options: SetUp = {}) {
  const time = new ManualClock({ nowMs: 1003 });
  const clock = new MediaClock({
    clock: time,
    timers: time,
    onError: (error) => {
      if (options.engineFails !== true) throw error;
    },
  });
  // The session begins somewhere within a slot, as calls do: its second packet is due 18 ms after the first.
  time.advance(7);
  const engine = new ScriptedMediaEngine(options);
  const reports: string[] = [];
  const digits: Digit[] = [];
  const frames: [number[], number][] = [];
  let byte = 0;
  const session = await MediaSession.open({
    engine,
    offer,
    clock,
    now: time,
    random: (byteLength) => {
      byte += 1;
      return new Uint8Array(byteLength).fill(byte);
    },
    listener: {
      onIceConnected: () => reports.push("ice"),
      onConnected: () => reports.push("connected"),
      onLost: () => reports.push("lost"),
      onFailed: () => reports.push("failed"),
      onFirstRtpIn: () => {
        reports.push("first-in");
        options.onFirstRtpIn?.();
      },
      onFirstRtpOut: () => reports.push("first-out"),
      onDigit: (digit) => digits.push(digit),
      onFrame: (payload, timestamp) => frames.push([[...payload], timestamp]),
    },
  });
  session.setFramesWanted(true);
  return { time, clock, engine, leg: engine.lastLeg, session, reports, digits, frames };
}

async function setUpTalking(options: SetUp = {}) {
  const call = await setUp(options);
  call.session.connect();
  await call.time.advanceAsync(0);
  call.session.startRtp();
  return call;
}

function readSent(packets: readonly Uint8Array[]) {
  return packets.map((packet) => {
    const header = createRtpHeader();
    expect(readRtp(packet, header)).toBeNull();
    return { ...header, payload: packet.subarray(header.payloadOffset) };
  });
}

/** What the peer sends. */
function createPeer(ssrc = 5) {
  const writer = new RtpWriter({ ssrc, firstSequence: 100, firstTimestamp: 5000 });
  return {
    audio: (mark: number, ticks: number) =>
      writer.write(Uint8Array.of(0x78, mark), 107, ticks, false).slice(),
    event: (event: number, end: boolean, durationTicks: number, ticks: number) =>
      writer
        .write(
          Uint8Array.of(event, end ? 0x80 : 0, durationTicks >> 8, durationTicks & 0xff),
          101,
          ticks,
          false,
        )
        .slice(),
    of: (payloadType: number) => writer.write(Uint8Array.of(1), payloadType, 0, false).slice(),
  };
}

describe("the stream that goes out", () => {
  test("nothing is sent before startRtp", async () => {
    const { time, leg, session } = await setUp();
    session.connect();
    await time.advanceAsync(1000);
    expect(leg.isConnected).toBe(true);
    expect(leg.sentCount + leg.sendsDropped).toBe(0);
  });

  test("the first packet goes at once, then one per slot without a gap, silence throughout", async () => {
    const { time, leg, reports } = await setUpTalking();
    expect(leg.sentCount).toBe(1);
    expect(reports).toEqual(["ice", "connected", "first-out"]);
    time.advance(18);
    expect(leg.sentCount).toBe(2);
    time.advance(980);
    const packets = readSent(leg.sent);
    expect(packets).toHaveLength(51);
    packets.forEach((packet, index) => {
      expect(packet).toMatchObject({
        payloadType: 107,
        ssrc: leg.local.ssrc,
        marker: index === 0,
        sequence: 0x0101 + index,
        timestamp: 0x02020202 + index * 960,
        payload: OPUS_SILENCE,
      });
    });
  });

  test("startRtp may be called again", async () => {
    const { time, leg, session } = await setUpTalking();
    session.startRtp();
    time.advance(18);
    expect(leg.sentCount).toBe(2);
  });

  test("after a hold-up the timestamp jumps by the skipped slots, the sequence does not, and the marker is set", async () => {
    const { time, leg, session } = await setUpTalking();
    time.advance(18);
    time.stall(95);
    time.advance(5);
    const packets = readSent(leg.sent).slice(1);
    expect(packets.map(({ sequence }) => sequence - 0x0101)).toEqual([1, 2, 3]);
    expect(packets.map(({ timestamp }) => (timestamp - 0x02020202) / 960)).toEqual([1, 5, 6]);
    expect(packets.map(({ marker }) => marker)).toEqual([false, true, false]);
    expect(session.stats().slotsSkipped).toBe(3);
  });

  test("packets that the transport does not take are counted, and the marker waits for the first that it takes", async () => {
    const { time, leg, session, reports } = await setUp({ autoConnect: false });
    session.startRtp();
    time.advance(38);
    expect(session.stats()).toMatchObject({ packetsSent: 0, packetsNotSent: 3 });
    leg.reportConnected();
    time.advance(20);
    expect(readSent(leg.sent)[0]).toMatchObject({ marker: true, timestamp: 0x02020202 + 3 * 960 });
    expect(reports.at(-1)).toBe("first-out");
  });
});

describe("playing", () => {
  test("a prompt goes out packet by packet, then silence again", async () => {
    const { time, leg, session } = await setUpTalking();
    const playback = session.play(promptOf(1, 2, 3));
    time.advance(100);
    expect(leg.sent.slice(1, 6).map((packet) => packet[13])).toEqual([1, 2, 3, 0xff, 0xff]);
    expect(await playback.finished).toEqual({ outcome: "completed", playedMs: 55 });
  });

  test("a prompt played before startRtp waits for it, and its first packet is the stream's first", async () => {
    const { time, leg, session } = await setUp();
    const playback = session.play(promptOf(1, 2));
    session.connect();
    await time.advanceAsync(500);
    session.startRtp();
    time.advance(60);
    expect(leg.sent.map((packet) => packet[13]).slice(0, 3)).toEqual([1, 2, 0xff]);
    expect((await playback.finished).outcome).toBe("completed");
  });

  test("a second prompt takes the place of the first", async () => {
    const { time, leg, session } = await setUpTalking();
    const first = session.play(promptOf(1, 2, 3, 4));
    time.advance(38);
    const second = session.play(promptOf(7, 8));
    time.advance(60);
    expect(leg.sent.slice(1, 5).map((packet) => packet[13])).toEqual([1, 2, 7, 8]);
    expect(await first.finished).toEqual({ outcome: "replaced", playedMs: 40 });
    expect(await second.finished).toEqual({ outcome: "completed", playedMs: 35 });
  });

  test("a looped prompt starts over until it is stopped", async () => {
    const { time, leg, session } = await setUpTalking();
    const playback = session.play(promptOf(1, 2), { loop: true });
    time.advance(98);
    playback.stop();
    playback.stop();
    time.advance(20);
    expect(leg.sent.slice(1).map((packet) => packet[13])).toEqual([1, 2, 1, 2, 1, 0xff]);
    expect(await playback.finished).toEqual({ outcome: "stopped", playedMs: 100 });
  });

  test("an empty prompt is completed at the next slot, looped or not", async () => {
    const { time, session } = await setUpTalking();
    const playback = session.play(promptOf(), { loop: true });
    time.advance(20);
    expect(await playback.finished).toMatchObject({ outcome: "completed" });
  });

  test("the end of the call ends the playback, and later ones at once", async () => {
    const { time, session } = await setUpTalking();
    const playback = session.play(promptOf(1, 2, 3));
    time.advance(18);
    session.close();
    expect(await playback.finished).toEqual({ outcome: "call-ended", playedMs: 20 });
    expect(await session.play(promptOf(1)).finished).toEqual({ outcome: "call-ended", playedMs: 0 });
  });
});

describe("the stream that comes in", () => {
  test("frames that nobody wants are counted and kept", async () => {
    const { leg, frames, session } = await setUpTalking();
    const peer = createPeer();
    session.setFramesWanted(false);
    leg.receive(peer.audio(1, 0));
    session.setFramesWanted(true);
    leg.receive(peer.audio(2, 960));
    expect(frames).toEqual([[[0x78, 2], 5960]]);
    expect(session.stats().received.packetsReceived).toBe(2);
  });

  test("frames are handed on as they come, duplicates once", async () => {
    const { leg, frames, reports, session } = await setUpTalking();
    const peer = createPeer();
    const first = peer.audio(1, 0);
    leg.receive(first);
    leg.receive(first);
    leg.receive(peer.audio(2, 960));
    expect(frames).toEqual([
      [[0x78, 1], 5000],
      [[0x78, 2], 5960],
    ]);
    expect(reports.filter((report) => report === "first-in")).toHaveLength(1);
    expect(session.stats().received).toMatchObject({
      packetsReceived: 2,
      packetsDuplicate: 1,
      packetsLost: 0,
    });
  });

  test("a key press is one digit, and no frame", async () => {
    const { leg, digits, frames } = await setUpTalking();
    const peer = createPeer();
    leg.receive(peer.event(9, false, 160, 960));
    for (let i = 0; i < 3; i += 1) leg.receive(peer.event(9, true, 800, 960));
    expect(digits).toEqual([{ digit: "9", durationMs: 100 }]);
    expect(frames).toEqual([]);
  });

  test("a key press whose end was lost is reported by the clock", async () => {
    const { time, leg, digits } = await setUpTalking();
    leg.receive(createPeer().event(3, false, 400, 960));
    time.advance(480);
    expect(digits).toEqual([]);
    time.advance(60);
    expect(digits).toEqual([{ digit: "3", durationMs: 50 }]);
  });

  test("keys that have an SSRC of their own, between audio packets, are one digit each", async () => {
    const { leg, digits } = await setUpTalking();
    const [audio, keys] = [createPeer(5), createPeer(6)];
    for (let i = 0; i < 6; i += 1) {
      leg.receive(audio.audio(1, i * 960));
      leg.receive(keys.event(9, i >= 3, 160 * (i + 1), 960));
    }
    expect(digits).toEqual([{ digit: "9", durationMs: 80 }]);
  });

  test("a sender that begins anew under its SSRC is understood at once", async () => {
    const { leg, digits } = await setUpTalking();
    const peer = createPeer();
    leg.receive(peer.event(1, true, 800, 9_600_000));
    const anew = Array.from({ length: 5 }, () => peer.event(2, true, 800, 960));
    for (const packet of anew) {
      const view = new DataView(packet.buffer);
      view.setUint16(2, view.getUint16(2) + 20_000);
      leg.receive(packet);
    }
    expect(digits.map(({ digit }) => digit)).toEqual(["1", "2"]);
  });

  test("a session closed by its listener reports nothing more of the same packet", async () => {
    const { leg, session, frames } = await setUpTalking({ onFirstRtpIn: () => session.close() });
    leg.receive(createPeer().audio(1, 0));
    expect(frames).toEqual([]);
  });

  test("malformed packets and foreign payload types are counted and dropped", async () => {
    const { leg, frames, reports, session } = await setUpTalking();
    leg.receive(new Uint8Array(5));
    leg.receive(createPeer().of(96));
    expect(frames).toEqual([]);
    expect(reports).not.toContain("first-in");
    expect(session.stats().received.packetsBad).toMatchObject({ "too-short": 1, "payload-type": 1 });
  });
});

describe("the transport's states", () => {
  test("a transport that never comes up has failed", async () => {
    const { leg, session, reports } = await setUp({ autoConnect: false });
    session.connect();
    leg.reportDown("failed");
    leg.reportDown("closed");
    expect(reports).toEqual(["failed"]);
  });

  test("a transport that was up is lost, once", async () => {
    const { leg, reports } = await setUpTalking();
    leg.reportDown("disconnected");
    leg.reportDown("failed");
    expect(reports).toEqual(["ice", "connected", "first-out", "lost"]);
  });

  test("close is idempotent, stops the clock and reports nothing more", async () => {
    const { time, leg, session, reports } = await setUpTalking();
    const before = [...reports];
    session.close();
    session.close();
    session.connect();
    session.startRtp();
    time.advance(100);
    expect(leg.isClosed).toBe(true);
    expect(leg.sentCount).toBe(1);
    expect(time.pendingTimers).toBe(0);
    expect(reports).toEqual(before);
  });

  test("an engine that cannot open a leg rejects the session", async () => {
    const call = await setUp();
    call.engine.failsToOpen = true;
    const options = { engine: call.engine, offer, clock: call.clock, now: call.time };
    const listener = {
      onIceConnected() {},
      onConnected() {},
      onLost() {},
      onFailed() {},
      onFirstRtpIn() {},
      onFirstRtpOut() {},
      onDigit() {},
      onFrame() {},
    };
    const opening = MediaSession.open({ ...options, random: (length) => new Uint8Array(length), listener });
    await expect(opening).rejects.toMatchObject({ code: "MEDIA_ENGINE_FAILED" });
  });
});

test("an engine that throws while it sends is reported as a lost transport, once", async () => {
  const { leg, time, reports } = await setUpTalking({ engineFails: true });
  leg.sendRtp = () => {
    throw new Error("a fault of the engine");
  };
  time.advance(100);
  expect(reports).toEqual(["ice", "connected", "first-out", "lost"]);
  expect(time.pendingTimers).toBe(0);
});
