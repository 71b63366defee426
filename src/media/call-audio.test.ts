import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { encodePackets, loadSpeech } from "../../test/support/opus-stream.ts";
import { RtcpSession } from "../core/transport/rtp/rtcp-session.ts";
import { RTP_HEADER_BYTES, RtpWriter } from "../core/transport/rtp/rtp.ts";
import type { Logger } from "../logger.ts";
import { ManualClock } from "../testing/manual-clock.ts";
import { ScriptedMediaEngine } from "../testing/scripted-media.ts";
import { CallAudio } from "./call-audio.ts";
import { type EncodedPrompt, packPrompt } from "./encoded-prompt.ts";
import { IncomingAudio } from "./incoming-audio.ts";
import { prepareListening } from "./listening/prepare.ts";
import { loadOpus } from "./opus-codec.ts";
import { OutgoingAudio } from "./outgoing-audio.ts";
import { createPacketRingMemory } from "./shared-packet-ring.ts";
import { OPUS_SILENCE } from "./silence.ts";

const OPUS = 107;
const SILENT = OPUS_SILENCE[0];
let folder = "";
let speech: readonly Uint8Array[] = [];

beforeAll(async () => {
  await Promise.all([loadOpus(), prepareListening()]);
  // The file begins with silence.
  speech = await encodePackets((await loadSpeech()).subarray(24_000, 72_000));
});
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "ringback-audio-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Packets that tell their place by their second byte. */
function promptOf(count: number, config = 0x78): EncodedPrompt {
  const packets = Array.from({ length: count }, (_, index) => Uint8Array.of(config, index));
  return packPrompt(packets, count * 20);
}

/** A call's audio whose slots come when the test says so. */
async function setUp() {
  const clock = new ManualClock();
  const engine = new ScriptedMediaEngine();
  const leg = await engine.openLeg(Object.create(null, { setup: { value: "actpass" } }), {
    onIceConnected: () => {},
    onState: () => {},
    onRtp: () => {},
    onRtcp: () => {},
  });
  engine.lastLeg.reportConnected();
  const logged: string[] = [];
  const note = (_: object, message: string): void => void logged.push(message);
  const logger: Logger = { debug: note, info: note, warn: note, error: note, child: () => logger };
  const incoming = new IncomingAudio({
    opusType: OPUS,
    telephoneEventType: 101,
    listener: { onFirstRtpIn: () => {}, onDigit: () => {}, onFrame: () => {} },
    onDigitStart: () => outgoing.interrupt("digit"),
  });
  const random = (byteLength: number): Uint8Array => new Uint8Array(byteLength);
  const { receiver } = incoming;
  const rtcp = new RtcpSession({ ssrc: 1, cname: "c", clockRateHz: 48_000, receiver, random });
  const outgoing = new OutgoingAudio({ leg, rtcp, opusType: OPUS, telephoneEventType: 101, random });
  const audio = new CallAudio({ incoming, outgoing, clock, logger, encoderComplexity: 0 });
  const writer = new RtpWriter({ ssrc: 9, firstSequence: 1, firstTimestamp: 0 });
  let slot = 0;
  outgoing.start(0, 0);
  return {
    audio,
    logged,
    clock,
    /** The first bytes of what was sent in the slots that follow, with what the caller says in each. */
    async run(slots: number, said: readonly Uint8Array[] = []): Promise<number[]> {
      const { sent } = engine.lastLeg;
      const before = sent.length;
      for (let i = 0; i < slots; i += 1) {
        slot += 1;
        await clock.advanceAsync(20);
        const packet = said[i];
        if (packet !== undefined) {
          incoming.receive(writer.write(packet, OPUS, slot * 960, false).slice(), clock.nowMs());
        }
        outgoing.send(slot, clock.nowMs());
        incoming.tick(clock.nowMs());
        audio.tick(clock.nowMs());
      }
      return sent.slice(before).map((packet) => packet[RTP_HEADER_BYTES] ?? -1);
    },
    close(): void {
      outgoing.close();
      audio.close(clock.nowMs());
    },
  };
}

const wave = (slots: number): Int16Array =>
  Int16Array.from({ length: slots * 320 }, (_, i) => 9_000 * Math.sin((2 * Math.PI * 500 * i) / 16_000));

describe("what the caller hears", () => {
  test("is what is played, and a live source goes on behind it where it was", async () => {
    const call = await setUp();
    const marks: number[] = [];
    const sink = call.audio.playPcm(
      { rateHz: 16_000, place: "live" },
      { onMark: (mark) => marks.push(mark) },
    );
    sink.write(wave(4));
    sink.mark(1);
    const live = (await call.run(2)).at(-1);
    expect(live).not.toBe(SILENT);
    const playing = call.audio.play([promptOf(10, 0x79)]);
    expect(await call.run(10)).toEqual(new Array(10).fill(0x79));
    expect(marks).toEqual([]);
    const rest = await call.run(6);
    expect((await playing.finished).outcome).toBe("completed");
    expect(rest.filter((first) => first !== SILENT)).toHaveLength(3);
    expect(marks).toEqual([1]);
    call.close();
  });

  test("has one live source: another one takes its place for good", async () => {
    const call = await setUp();
    const outcomes: string[] = [];
    const listener = { onMark: (_: number, outcome: string) => outcomes.push(outcome) };
    const first = call.audio.playPcm({ rateHz: 16_000, place: "live" }, listener);
    first.write(wave(50));
    first.mark(1);
    await call.run(3);
    const second = call.audio.playPcm({ rateHz: 16_000, place: "live" }, { onMark: () => {} });
    expect((await first.finished).outcome).toBe("replaced");
    first.write(wave(1));
    first.mark(2);
    expect(outcomes).toEqual(["cleared", "cleared"]);
    expect(await call.run(3)).toEqual([SILENT, SILENT, SILENT]);
    second.stop();
    call.close();
  });

  test("stops when the caller begins to speak, where that was asked for", async () => {
    const call = await setUp();
    const playing = call.audio.play([promptOf(200)], { interruptOn: ["speech"] });
    // Time for the voice detector to be there.
    await call.run(2);
    await call.run(50, speech);
    const { outcome, interruptedBy, playedMs } = await playing.finished;
    expect([outcome, interruptedBy]).toEqual(["interrupted", "speech"]);
    expect(playedMs).toBeLessThan(500);
    expect(await call.run(1)).toEqual([SILENT]);
    call.close();
  });
});

describe("those who listen", () => {
  test("are eight at most, and four watches for speech; more are refused, with a line in the log", async () => {
    const call = await setUp();
    const listeners = Array.from({ length: 9 }, () => call.audio.listen({ rateHz: 8_000 }, () => {}));
    const watches = Array.from({ length: 5 }, () => call.audio.watchSpeech({}, () => {}));
    expect(await listeners[8]?.finished).toBe("failed");
    expect(await watches[4]?.finished).toBe("failed");
    expect(call.logged).toHaveLength(2);
    listeners[0]?.stop();
    watches[0]?.stop();
    const [listener, watch] = [
      call.audio.listen({ rateHz: 8_000 }, () => {}),
      call.audio.watchSpeech({}, () => {}),
    ];
    call.close();
    expect([await listener.finished, await watch.finished]).toEqual(["call-ended", "call-ended"]);
  });

  test("end alone when they break down", async () => {
    const call = await setUp();
    let heard = 0;
    const broken = call.audio.listen({ rateHz: 8_000 }, () => {
      throw new Error("not today");
    });
    const sound = call.audio.listen({ rateHz: 8_000 }, () => {
      heard += 1;
    });
    await call.run(40, speech);
    expect(await broken.finished).toBe("failed");
    expect(heard).toBeGreaterThan(20);
    expect(call.logged).toEqual(["a part of a call's audio broke down"]);
    sound.stop();
    expect(await sound.finished).toBe("stopped");
    call.close();
  });
});

describe("a bridge", () => {
  test("passes what one says to the other, and lets go of both when one of the calls ends", async () => {
    const [left, right] = [await setUp(), await setUp()];
    const [toRight, toLeft] = [createPacketRingMemory(), createPacketRingMemory()];
    const bridges = [
      left.audio.bridge({ to: toRight, from: toLeft }),
      right.audio.bridge({ to: toLeft, from: toRight }),
    ];
    const heard: number[] = [];
    for (let slot = 0; slot < 40; slot += 1) {
      await left.run(1, speech.slice(slot));
      heard.push(...(await right.run(1)));
    }
    expect(heard.filter((first) => first !== SILENT).length).toBeGreaterThan(20);
    left.close();
    expect(await bridges[0]?.finished).toBe("call-ended");
    // What is left of the other side is concealed for a moment, and then silent.
    const after = await right.run(20);
    expect(after.slice(10)).toEqual(new Array(10).fill(SILENT));
    bridges[1]?.stop();
    expect(await bridges[1]?.finished).toBe("stopped");
    right.close();
  });

  test("gives its place to a sink, and takes it from one", async () => {
    const call = await setUp();
    const sink = call.audio.playPcm({ rateHz: 16_000, place: "live" }, { onMark: () => {} });
    const ends = { to: createPacketRingMemory(), from: createPacketRingMemory() };
    const bridge = call.audio.bridge(ends);
    expect((await sink.finished).outcome).toBe("replaced");
    bridge.stop();
    bridge.stop();
    expect(await bridge.finished).toBe("stopped");
    expect(await call.run(2)).toEqual([SILENT, SILENT]);
    call.close();
  });
});

describe("recordings", () => {
  const file = (name: string): string => join(folder, name);

  test("are three at a time: a fourth is refused, and there is room again when one is over", async () => {
    const call = await setUp();
    const record = (name: string) => call.audio.record({ path: file(name), channels: "both" });
    const [first, second, third] = [record("1.opus"), record("2.opus"), record("3.opus")];
    const fourth = await record("4.opus").finished;
    expect(fourth).toMatchObject({ status: "failed", error: { code: "not-begun" } });
    await call.run(50, speech);
    first.stop();
    expect(await first.finished).toMatchObject({ status: "completed", durationMs: 980 });
    const fifth = record("5.opus");
    await call.run(50);
    call.close();
    expect((await Promise.all([second, third].map((each) => each.finished))).map((it) => it.status)).toEqual([
      "completed",
      "completed",
    ]);
    expect(await fifth.finished).toMatchObject({ status: "completed", durationMs: 980 });
    expect(existsSync(file("4.opus"))).toBe(false);
  });

  test("end by themselves when their file cannot be written, and leave their place", async () => {
    const call = await setUp();
    writeFileSync(file("there.opus"), "something else");
    const failing = Array.from({ length: 3 }, () =>
      call.audio.record({ path: file("there.opus"), channels: "caller" }),
    );
    let isOver = false;
    const over = Promise.all(failing.map(({ finished }) => finished)).finally(() => {
      isOver = true;
    });
    // The disk takes its own time.
    while (!isOver) await call.run(1, speech);
    for (const media of await over) {
      expect(media).toMatchObject({ status: "failed", files: [], error: { code: "EEXIST" } });
    }
    const next = call.audio.record({ path: file("next.opus"), channels: "caller" });
    await call.run(30);
    call.close();
    expect((await next.finished).status).toBe("completed");
  });
});

test("a call that is over plays, hears and records nothing any more", async () => {
  const call = await setUp();
  call.close();
  call.close();
  const marks: string[] = [];
  const sink = call.audio.playPcm(
    { rateHz: 8_000, place: "live" },
    { onMark: (_, outcome) => marks.push(outcome) },
  );
  sink.write(new Int16Array(160));
  sink.mark(1);
  const ends = { to: createPacketRingMemory(), from: createPacketRingMemory() };
  expect(marks).toEqual(["call-ended"]);
  expect((await sink.finished).outcome).toBe("call-ended");
  expect((await call.audio.play([promptOf(1)]).finished).outcome).toBe("call-ended");
  expect(await call.audio.listen({ rateHz: 8_000 }, () => {}).finished).toBe("call-ended");
  expect(await call.audio.watchSpeech({}, () => {}).finished).toBe("call-ended");
  expect(await call.audio.bridge(ends).finished).toBe("call-ended");
  const recording = call.audio.record({ path: join(folder, "late.opus"), channels: "both" });
  expect(await recording.finished).toMatchObject({ status: "absent", files: [], error: null });
  expect(call.clock.pendingTimers).toBe(0);
});
