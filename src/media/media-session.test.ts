import { describe, expect, test } from "vitest";
import type { AudioDescription } from "../core/sdp/model.ts";
import { RtcpSession } from "../core/transport/rtp/rtcp-session.ts";
import { createRtpHeader, RtpWriter, readRtp } from "../core/transport/rtp/rtp.ts";
import { RtpReceiver } from "../core/transport/rtp/rtp-receiver.ts";
import type { Digit } from "../core/transport/rtp/telephone-event.ts";
import { silentLogger } from "../logger.ts";
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
  readonly offer?: AudioDescription;
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
    offer: options.offer ?? offer,
    clock,
    now: time,
    logger: silentLogger,
    random: (byteLength) => {
      byte += 1;
      return new Uint8Array(byteLength).fill(byte);
    },
    listener: {
      onIceConnected: () => reports.push("ice"),
      onConnected: () => reports.push("connected"),
      onLost: (reason) => reports.push(reason === undefined ? "lost" : `lost: ${reason}`),
      onFailed: (reason) => reports.push(reason === undefined ? "failed" : `failed: ${reason}`),
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
    const playback = session.play([promptOf(1, 2, 3)]);
    time.advance(100);
    expect(leg.sent.slice(1, 6).map((packet) => packet[13])).toEqual([1, 2, 3, 0xff, 0xff]);
    expect(await playback.finished).toEqual({ outcome: "completed", playedMs: 55, interruptedBy: null });
  });

  test("a prompt played before startRtp waits for it, and its first packet is the stream's first", async () => {
    const { time, leg, session } = await setUp();
    const playback = session.play([promptOf(1, 2)]);
    session.connect();
    await time.advanceAsync(500);
    session.startRtp();
    time.advance(60);
    expect(leg.sent.map((packet) => packet[13]).slice(0, 3)).toEqual([1, 2, 0xff]);
    expect((await playback.finished).outcome).toBe("completed");
  });

  test("a second prompt takes the place of the first", async () => {
    const { time, leg, session } = await setUpTalking();
    const first = session.play([promptOf(1, 2, 3, 4)]);
    time.advance(38);
    const second = session.play([promptOf(7, 8)]);
    time.advance(60);
    expect(leg.sent.slice(1, 5).map((packet) => packet[13])).toEqual([1, 2, 7, 8]);
    expect(await first.finished).toEqual({ outcome: "replaced", playedMs: 40, interruptedBy: null });
    expect(await second.finished).toEqual({ outcome: "completed", playedMs: 35, interruptedBy: null });
  });

  test("a looped prompt starts over until it is stopped", async () => {
    const { time, leg, session } = await setUpTalking();
    const playback = session.play([promptOf(1, 2)], { loop: true });
    time.advance(98);
    playback.stop();
    playback.stop();
    time.advance(20);
    expect(leg.sent.slice(1).map((packet) => packet[13])).toEqual([1, 2, 1, 2, 1, 0xff]);
    expect(await playback.finished).toEqual({ outcome: "stopped", playedMs: 100, interruptedBy: null });
  });

  test("an empty prompt is completed at the next slot, looped or not", async () => {
    const { time, session } = await setUpTalking();
    const playback = session.play([promptOf()], { loop: true });
    time.advance(20);
    expect(await playback.finished).toMatchObject({ outcome: "completed" });
  });

  test("the end of the call ends the playback, and later ones at once", async () => {
    const { time, session } = await setUpTalking();
    const playback = session.play([promptOf(1, 2, 3)]);
    time.advance(18);
    session.close();
    expect(await playback.finished).toEqual({ outcome: "call-ended", playedMs: 20, interruptedBy: null });
    expect(await session.play([promptOf(1)]).finished).toEqual({
      outcome: "call-ended",
      playedMs: 0,
      interruptedBy: null,
    });
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

describe("digits", () => {
  test("go out as events in the audio's slots, and the audio goes on behind them as if they had been sound", async () => {
    const { time, leg, session } = await setUpTalking();
    time.advance(33);
    const before = leg.sentCount;
    const sending = session.sendDigits("9");
    time.advance(240);
    const packets = readSent(leg.sent);
    const slots = packets.map(({ payloadType }) => (payloadType === 101 ? "event" : "audio"));
    expect(slots.slice(before, before + 9)).toEqual([
      ...Array.from({ length: 7 }, () => "event"),
      "audio",
      "audio",
    ]);
    packets.forEach(({ sequence, timestamp, ssrc, payloadType, marker }, index) => {
      const isEvent = payloadType === 101;
      expect(sequence).toBe(0x0101 + index);
      expect(timestamp).toBe(0x02020202 + (isEvent ? before : index) * 960);
      expect(ssrc).toBe(leg.local.ssrc);
      expect(marker).toBe(index === 0 || index === before);
    });
    expect(packets[before]?.payload).toEqual(Uint8Array.of(9, 10, 0, 160));
    expect(packets[before + 6]?.payload).toEqual(Uint8Array.of(9, 0x8a, 3, 32));
    expect(await sending).toBe("sent");
  });

  test("hold the prompt, which goes on behind them with its next packet", async () => {
    const { time, leg, session } = await setUpTalking();
    const playback = session.play([promptOf(1, 2, 3)]);
    time.advance(20);
    void session.sendDigits("1w2");
    time.advance(41 * 20 + 60);
    const sounds = readSent(leg.sent).filter(({ payload }) => payload[0] === 0x78);
    expect(sounds.map(({ payload }) => payload[1])).toEqual([1, 2, 3]);
    const ticks = sounds.map(({ timestamp }) => (timestamp - (sounds[0]?.timestamp ?? 0)) / 960);
    expect(ticks).toEqual([0, 42, 43]);
    expect(await playback.finished).toMatchObject({ outcome: "completed" });
  });

  test("asked for before startRtp wait for it", async () => {
    const { time, leg, session } = await setUp();
    session.connect();
    await time.advanceAsync(100);
    const sending = session.sendDigits("5", { toneMs: 40 });
    session.startRtp();
    time.advance(100);
    expect(readSent(leg.sent)[0]).toMatchObject({ payloadType: 101, marker: true, timestamp: 0x02020202 });
    expect(await sending).toBe("sent");
  });

  test("are over when the call is, and cannot be sent after it", async () => {
    const { time, session } = await setUpTalking();
    const sending = session.sendDigits("123");
    time.advance(100);
    session.close();
    expect(await sending).toBe("call-ended");
    expect(await session.sendDigits("1")).toBe("call-ended");
  });

  test("are refused when they are none, or when the peer takes none", async () => {
    const { session } = await setUp();
    await expect(session.sendDigits("1-2")).rejects.toMatchObject({ code: "OPTION_INVALID" });
    await expect(session.sendDigits("1", { toneMs: 1 })).rejects.toMatchObject({ code: "OPTION_INVALID" });
    const deaf = await setUp({ offer: { ...offer, telephoneEvent: null } });
    expect(await deaf.session.sendDigits("1")).toBe("unsupported");
  });
});

describe("RTCP", () => {
  /** The peer's side of it. */
  function createReporter(ssrc = 5) {
    const receiver = new RtpReceiver(48_000);
    const rtcp = new RtcpSession({
      ssrc,
      cname: "peer",
      clockRateHz: 48_000,
      receiver,
      random: (byteLength) => new Uint8Array(byteLength),
    });
    const header = createRtpHeader();
    const hear = (packets: readonly Uint8Array[], nowMs: number) => {
      for (const packet of packets) {
        readRtp(packet, header);
        receiver.receive(header, nowMs, true);
      }
    };
    return { rtcp, hear };
  }

  test("a sender report goes out within 4 s, then one every 2.5 to 7.5 s", async () => {
    const { time, leg, session } = await setUpTalking();
    time.advance(1200);
    expect(leg.sentRtcp).toEqual([]);
    time.advance(2600);
    expect(leg.sentRtcp).toHaveLength(1);
    time.advance(60_000);
    expect(leg.sentRtcp.length).toBeGreaterThan(8);
    expect(leg.sentRtcp.length).toBeLessThan(26);
    expect(session.stats().rtcp).toMatchObject({
      reportsSent: leg.sentRtcp.length,
      rttMs: null,
      remote: null,
    });
    const { rtcp, hear } = createReporter();
    hear(leg.sent, 0);
    for (const report of leg.sentRtcp) rtcp.receive(report, 0);
    expect(rtcp.stats()).toMatchObject({ reportsReceived: leg.sentRtcp.length, dropped: 0, byesReceived: 0 });
  });

  test("says how many packets and bytes went out, and which time it is in the stream", async () => {
    const { time, leg } = await setUpTalking();
    time.advance(4000);
    const report = leg.sentRtcp[0] ?? new Uint8Array();
    const view = new DataView(report.buffer);
    const packets = view.getUint32(20);
    expect(report[1]).toBe(200);
    expect(view.getUint32(4)).toBe(leg.local.ssrc);
    expect(view.getUint32(24)).toBe(packets * OPUS_SILENCE.length);
    expect(view.getUint32(16)).toBe(0x02020202 + (packets - 1) * 960);
    expect(new TextDecoder().decode(report.subarray(38, 38 + leg.local.cname.length))).toBe(leg.local.cname);
  });

  test("nothing is reported before the first packet, nor while the transport is down", async () => {
    const { time, leg, session } = await setUp();
    session.connect();
    await time.advanceAsync(20_000);
    session.startRtp();
    leg.sendRtcp = () => {
      throw new Error("sent though it was down");
    };
    leg.reportDown("disconnected");
    time.advance(20_000);
    session.close();
    expect(leg.sentRtcp).toEqual([]);
  });

  test("what the peer reports comes with the statistics", async () => {
    const { time, leg, session } = await setUpTalking();
    while (leg.sentRtcp.length === 0) time.advance(1);
    const sentMs = time.nowMs();
    const { rtcp, hear } = createReporter();
    const arrived = leg.sent.filter((_, index) => index % 10 !== 3);
    const packetsLost = leg.sent.length - arrived.length;
    hear(arrived, sentMs);
    rtcp.receive(leg.sentRtcp[0] ?? new Uint8Array(), sentMs + 35);
    const report = rtcp.bye(sentMs + 535, time.wallMs()).slice();
    time.advance(570);
    leg.receiveRtcp(report);
    expect(session.stats().rtcp).toMatchObject({
      reportsReceived: 1,
      rttMs: expect.closeTo(70, 0) as number,
      remote: { packetsLost, fractionLost: expect.closeTo(0.1, 1) as number },
    });
  });

  test("a peer that says BYE is noted, and the call goes on", async () => {
    const { time, leg, session, reports } = await setUpTalking();
    const before = [...reports];
    leg.receiveRtcp(createReporter().rtcp.bye(0, 0));
    leg.receiveRtcp(new Uint8Array(3));
    time.advance(100);
    expect(session.stats().rtcp).toMatchObject({ byesReceived: 1, dropped: 1 });
    expect(reports).toEqual(before);
    expect(leg.sentCount).toBeGreaterThan(4);
  });

  test("the call's end is said with BYE, by one who has spoken", async () => {
    const { leg, session } = await setUpTalking();
    session.close();
    session.close();
    leg.receiveRtcp(new Uint8Array(3));
    const { rtcp, hear } = createReporter();
    hear(leg.sent, 0);
    expect(leg.sentRtcp.map((packet) => rtcp.receive(packet, 0))).toEqual([true]);
    const silent = await setUp();
    silent.session.connect();
    await silent.time.advanceAsync(0);
    silent.session.close();
    expect(silent.leg.sentRtcp).toEqual([]);
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

  test("the reason is told, where the engine knows it", async () => {
    const lost = await setUpTalking();
    lost.leg.reportDown("failed", "ice-consent-expired");
    expect(lost.reports.at(-1)).toBe("lost: ice-consent-expired");
    const failed = await setUp({ autoConnect: false });
    failed.leg.reportDown("failed", "ice-no-pair");
    expect(failed.reports).toEqual(["failed: ice-no-pair"]);
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
    const opening = MediaSession.open({
      ...options,
      random: (length) => new Uint8Array(length),
      logger: silentLogger,
      listener,
    });
    await expect(opening).rejects.toMatchObject({ code: "MEDIA_ENGINE_FAILED" });
  });
});

test("an engine that throws at the last packet is closed all the same", async () => {
  const { leg, time, session } = await setUpTalking();
  leg.sendRtcp = () => {
    throw new Error("a fault of the engine");
  };
  expect(() => session.close()).toThrow("a fault of the engine");
  expect(leg.isClosed).toBe(true);
  expect(time.pendingTimers).toBe(0);
});

test("an engine that throws while it sends is reported as a lost transport, once", async () => {
  const { leg, time, reports } = await setUpTalking({ engineFails: true });
  leg.sendRtp = () => {
    throw new Error("a fault of the engine");
  };
  time.advance(100);
  expect(reports).toEqual(["ice", "connected", "first-out", "lost: engine-error"]);
  expect(time.pendingTimers).toBe(0);
});
