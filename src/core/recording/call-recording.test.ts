import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  numberedPacket,
  RecordingRig,
  SILENCE_PACKET,
  type SlotLabel,
} from "../../../test/support/recording-rig.ts";
import { SeededRandom } from "../seeded-random.ts";

const START_MS = 5_000;
const FIRST_TIMESTAMP = 0xffff_f000;
const TRANSIT_MS = 13;

interface CallerOptions {
  readonly packets: number;
  readonly loss?: number;
  readonly jitterMs?: number;
  /** How much the caller's clock is faster than ours, in millionths. */
  readonly ppm?: number;
  readonly seed?: number;
}

/** A caller who sends numbered packets, the first one when the recording begins. @returns The numbers of those that were lost. */
function addCaller(rig: RecordingRig, options: CallerOptions): Set<number> {
  const { packets, loss = 0, jitterMs = 0, ppm = 0, seed = 1 } = options;
  const random = new SeededRandom(seed);
  const lost = new Set<number>();
  for (let n = 0; n < packets; n += 1) {
    const isLost = random.fraction() < loss;
    const atMs = sentAtMs(n, ppm) + TRANSIT_MS + random.fraction() * jitterMs;
    if (isLost) lost.add(n);
    else rig.caller(atMs, numberedPacket(n), FIRST_TIMESTAMP + n * 960);
  }
  return lost;
}

function sentAtMs(n: number, ppm = 0): number {
  return START_MS + (n * 20) / (1 + ppm / 1e6);
}

/** A business that sends numbered packets, and the ticks that go with them. */
function addBusiness(rig: RecordingRig, slots: number): void {
  for (let n = 0; n < slots; n += 1) rig.business(START_MS + n * 20, numberedPacket(n));
  rig.ticks(START_MS, slots);
}

function stopAfter(rig: RecordingRig, slots: number): void {
  rig.at(START_MS + slots * 20, (atMs) => rig.recording.stop(atMs));
  rig.run();
}

function count(labels: readonly SlotLabel[], label: SlotLabel): number {
  return labels.filter((each) => each === label).length;
}

function numbersIn(labels: readonly SlotLabel[]): readonly number[] {
  return labels.filter((label) => typeof label === "number");
}

/** How much later than it came, against the fastest packets, each packet is recorded, at most. */
function worstOffsetMs(labels: readonly SlotLabel[], ppm = 0): number {
  let worst = 0;
  labels.forEach((label, slot) => {
    if (typeof label !== "number") return;
    const offsetMs = START_MS + slot * 20 - (sentAtMs(label, ppm) + TRANSIT_MS);
    if (Math.abs(offsetMs) > Math.abs(worst)) worst = offsetMs;
  });
  return worst;
}

describe("a recording", () => {
  test("has each packet in its slot, both channels side by side, and lasts as long as it took", () => {
    const rig = new RecordingRig();
    addCaller(rig, { packets: 100 });
    addBusiness(rig, 100);
    stopAfter(rig, 100);
    const content = rig.read();
    expect([content.durationMs, content.isComplete]).toEqual([2000, true]);
    // 13 ms on their way are nearer to one slot than to none.
    expect(content.labels(0)).toEqual(["silence", ...Array.from({ length: 99 }, (_, n) => n)]);
    expect(content.labels(1)).toEqual(Array.from({ length: 100 }, (_, n) => n));
    expect(rig.recording.stats()).toEqual({
      durationMs: 2000,
      pausedMs: 0,
      concealedMs: 0,
      framesUnplaced: 0,
    });
  });

  test.each([1, 2, 3, 4, 5])(
    "with every 20th packet lost and 60 ms of jitter keeps the channels within 20 ms (seed %i)",
    (seed) => {
      const rig = new RecordingRig();
      const lost = addCaller(rig, { packets: 1500, loss: 0.05, jitterMs: 60, seed });
      addBusiness(rig, 1500);
      stopAfter(rig, 1500);
      const labels = rig.read().labels(0);
      expect(labels).toHaveLength(1500);
      expect(Math.abs(worstOffsetMs(labels))).toBeLessThanOrEqual(20);
      const { concealedMs, framesUnplaced } = rig.recording.stats();
      expect(framesUnplaced).toBeLessThanOrEqual(2);
      expect(Math.abs(concealedMs / 20 - lost.size)).toBeLessThanOrEqual(5);
      expect(numbersIn(labels).length).toBeGreaterThanOrEqual(1500 - lost.size - 6);
    },
  );

  test.each([200, -200])("follows a clock that is off by %i ppm for 20 minutes, without growing", (ppm) => {
    const slots = 60_000;
    const rig = new RecordingRig({ channels: "caller" });
    addCaller(rig, { packets: slots + 100, loss: 0.01, jitterMs: 20, ppm });
    rig.ticks(START_MS, slots);
    stopAfter(rig, slots);
    const content = rig.read("caller");
    expect(content.durationMs).toBe(1_200_000);
    expect(Math.abs(worstOffsetMs(content.labels(0), ppm))).toBeLessThanOrEqual(20);
    // 240 ms are 12 slots; nothing else is left out.
    expect(rig.recording.stats().framesUnplaced).toBeLessThanOrEqual(12);
  });

  test("begun in the middle of a call knows the fastest packets from before", () => {
    const rig = new RecordingRig({ fastestTransitMs: START_MS + TRANSIT_MS - FIRST_TIMESTAMP / 48 });
    const random = new SeededRandom(3);
    // None of the first second is fast.
    for (let n = 0; n < 50; n += 1) {
      rig.caller(
        sentAtMs(n) + TRANSIT_MS + 55 + random.fraction() * 5,
        numberedPacket(n),
        FIRST_TIMESTAMP + n * 960,
      );
    }
    addBusiness(rig, 50);
    stopAfter(rig, 50);
    // Those still on their way at the end are missing.
    expect(rig.read().labels(0).slice(0, 46)).toEqual([
      "silence",
      ...Array.from({ length: 45 }, (_, n) => n),
    ]);
  });

  test("does not trust an estimate that has nothing to do with what comes", () => {
    const rig = new RecordingRig({ fastestTransitMs: -1e9 });
    addCaller(rig, { packets: 50 });
    addBusiness(rig, 50);
    stopAfter(rig, 50);
    expect(Math.abs(worstOffsetMs(rig.read().labels(0)))).toBeLessThanOrEqual(20);
  });

  test("finds their place for packets that are late by less than the hold-back, and counts the others", () => {
    const rig = new RecordingRig({ channels: "caller" });
    for (let n = 0; n < 100; n += 1) {
      const lateMs = n === 40 ? 250 : n === 60 ? 400 : 0;
      rig.caller(sentAtMs(n) + TRANSIT_MS + lateMs, numberedPacket(n), FIRST_TIMESTAMP + n * 960);
    }
    rig.ticks(START_MS, 100);
    stopAfter(rig, 100);
    const labels = rig.read("caller").labels(0);
    expect([labels[41], labels[61], labels[62]]).toEqual([40, "concealed", 61]);
    expect(rig.recording.stats()).toMatchObject({ framesUnplaced: 1, concealedMs: 20 });
  });

  test("conceals the first 100 ms of a gap and is silent in the rest of it", () => {
    const rig = new RecordingRig({ channels: "caller" });
    for (let n = 0; n < 100; n += 1) {
      if (n < 30 || n >= 60) rig.caller(sentAtMs(n), numberedPacket(n), FIRST_TIMESTAMP + n * 960);
    }
    rig.ticks(START_MS, 100);
    stopAfter(rig, 100);
    const labels = rig.read("caller").labels(0);
    expect(labels.slice(28, 37)).toEqual([28, 29, ...new Array(5).fill("concealed"), "silence", "silence"]);
    expect(labels.slice(58, 62)).toEqual(["silence", "silence", 60, 61]);
    expect(rig.recording.stats().concealedMs).toBe(100);
  });

  test("is silent at once when the caller's sender says that it pauses (DTX)", () => {
    const rig = new RecordingRig({ channels: "caller" });
    for (let n = 0; n < 100; n += 1) {
      if (n < 30 || n % 20 === 0) rig.caller(sentAtMs(n), numberedPacket(n), FIRST_TIMESTAMP + n * 960);
      // SILK, wideband, and no bytes.
      else if (n === 30 || n % 20 === 1)
        rig.caller(sentAtMs(n), Uint8Array.of(9 << 3), FIRST_TIMESTAMP + n * 960);
    }
    rig.ticks(START_MS, 100);
    stopAfter(rig, 100);
    const content = rig.read("caller");
    expect(content.labels(0).slice(29, 43)).toEqual([
      29,
      "concealed",
      ...new Array(9).fill("silence"),
      40,
      "concealed",
      "silence",
    ]);
    expect(rig.recording.stats().concealedMs).toBe(0);
    // FFmpeg's decoder makes noise of SILK without bytes.
    expect(content.streams[0]?.[30]).toEqual(Uint8Array.of(9 << 3, 0x0f));
  });

  test("goes on in time when the caller's stream begins anew", () => {
    const rig = new RecordingRig({ channels: "caller" });
    const random = new SeededRandom(5);
    for (let n = 0; n < 200; n += 1) {
      const timestamp = n < 100 ? FIRST_TIMESTAMP + n * 960 : 1_000_000 + n * 960;
      rig.caller(sentAtMs(n) + TRANSIT_MS + random.fraction() * 30, numberedPacket(n), timestamp);
    }
    rig.at(sentAtMs(100), () => rig.recording.callerRestarted());
    rig.ticks(START_MS, 200);
    stopAfter(rig, 200);
    const labels = rig.read("caller").labels(0);
    expect(Math.abs(worstOffsetMs(labels))).toBeLessThanOrEqual(20);
    expect(numbersIn(labels).length).toBeGreaterThanOrEqual(195);
    expect(labels).toHaveLength(200);
  });

  test.each([
    ["forward by 10 s", 480_000],
    ["backward by 10 s", -480_000],
    ["to somewhere", 0x7000_0000],
  ])("goes on in time when timestamps jump untold, %s", (_, jump) => {
    const rig = new RecordingRig({ channels: "caller" });
    for (let n = 0; n < 200; n += 1) {
      rig.caller(
        sentAtMs(n) + TRANSIT_MS,
        numberedPacket(n),
        FIRST_TIMESTAMP + n * 960 + (n < 100 ? 0 : jump),
      );
    }
    rig.ticks(START_MS, 200);
    stopAfter(rig, 200);
    const labels = rig.read("caller").labels(0);
    expect(Math.abs(worstOffsetMs(labels))).toBeLessThanOrEqual(20);
    // Until it is sure that all are late, ten are lost.
    expect(numbersIn(labels).length).toBeGreaterThanOrEqual(187);
  });

  test("follows a route that has become longer, and one that has become shorter", () => {
    const rig = new RecordingRig({ channels: "caller" });
    const random = new SeededRandom(6);
    const delayOf = (n: number): number => (n < 500 || n >= 1500 ? TRANSIT_MS : TRANSIT_MS + 120);
    for (let n = 0; n < 2500; n += 1) {
      rig.caller(
        sentAtMs(n) + delayOf(n) + random.fraction() * 20,
        numberedPacket(n),
        FIRST_TIMESTAMP + n * 960,
      );
    }
    rig.ticks(START_MS, 2500);
    stopAfter(rig, 2500);
    const labels = rig.read("caller").labels(0);
    expect(labels).toHaveLength(2500);
    for (const [from, to] of [
      [0, 500],
      [1100, 1480],
      [1510, 2490],
    ] as const) {
      for (let slot = from; slot < to; slot += 1) {
        const n = labels[slot];
        if (typeof n === "number")
          expect(Math.abs(START_MS + slot * 20 - sentAtMs(n) - delayOf(n))).toBeLessThanOrEqual(20);
      }
    }
    // 120 ms are six packets that cannot all be kept when the way back is shorter.
    expect(rig.recording.stats().framesUnplaced).toBeLessThanOrEqual(7);
  });

  test("loses nothing that waits in the socket while the program is held up for a second", () => {
    const rig = new RecordingRig({ channels: "caller" });
    for (let n = 0; n < 200; n += 1) {
      // All that came meanwhile is read at once, after the first tick.
      const atMs = sentAtMs(n) + TRANSIT_MS;
      const isHeldUp = atMs > START_MS + 2000 && atMs < START_MS + 3000;
      rig.caller(isHeldUp ? START_MS + 3000.5 : atMs, numberedPacket(n), FIRST_TIMESTAMP + n * 960);
    }
    rig.ticks(START_MS, 100);
    rig.ticks(START_MS + 3000, 50);
    stopAfter(rig, 200);
    expect(rig.read("caller").labels(0)).toEqual(["silence", ...Array.from({ length: 199 }, (_, n) => n)]);
  });

  test("lasts as long as it took when the program stood still for minutes", () => {
    const rig = new RecordingRig();
    addCaller(rig, { packets: 100 });
    addBusiness(rig, 100);
    rig.ticks(START_MS + 600_000, 10);
    stopAfter(rig, 30_010);
    expect(rig.read().durationMs).toBe(600_200);
  });
});

describe("a pause", () => {
  test("is silence in both channels, also in what a packet repeats of the time before it", () => {
    const rig = new RecordingRig();
    addCaller(rig, { packets: 200, jitterMs: 40 });
    addBusiness(rig, 200);
    rig.at(START_MS + 1005, (atMs) => rig.recording.pause(atMs));
    rig.at(START_MS + 1800, (atMs) => rig.recording.pause(atMs));
    rig.at(START_MS + 2015, (atMs) => rig.recording.resume(atMs));
    rig.at(START_MS + 2500, (atMs) => rig.recording.resume(atMs));
    stopAfter(rig, 200);
    const content = rig.read();
    expect(content.durationMs).toBe(4000);
    for (const stream of [0, 1]) {
      const labels = content.labels(stream);
      // From the slot in which it began to the one behind that in which it ended.
      expect(labels.slice(50, 102)).toEqual(new Array(52).fill("silence"));
      expect([typeof labels[49], typeof labels[102]]).toEqual(["number", "number"]);
    }
    expect(rig.recording.stats()).toMatchObject({ pausedMs: 52 * 20, concealedMs: 0, durationMs: 4000 });
  });

  test("may last to the end, and begin with the recording", () => {
    const rig = new RecordingRig();
    rig.at(START_MS - 5, (atMs) => rig.recording.pause(atMs));
    addCaller(rig, { packets: 50 });
    addBusiness(rig, 50);
    stopAfter(rig, 50);
    const content = rig.read();
    // With the packet behind the end.
    for (const stream of content.streams) for (const packet of stream) expect(packet).toEqual(SILENCE_PACKET);
    expect(rig.recording.stats().pausedMs).toBe(content.durationMs);
  });

  test("that is begun and ended all the time is right in each slot, and holds no memory", () => {
    const rig = new RecordingRig({ channels: "business" });
    addBusiness(rig, 400);
    for (let i = 0; i < 50; i += 1) {
      rig.at(START_MS + i * 100 + 41, (atMs) => rig.recording.pause(atMs));
      rig.at(START_MS + i * 100 + 59, (atMs) => rig.recording.resume(atMs));
    }
    stopAfter(rig, 400);
    const labels = rig.read("business").labels(0);
    labels.slice(0, 250).forEach((label, slot) => {
      expect(label === "silence", String(slot)).toBe(slot % 5 === 2 || slot % 5 === 3);
    });
  });
});

describe("the business's packets", () => {
  test("keep their slots when ticks are late, and leave silence where slots were skipped", () => {
    const rig = new RecordingRig({ channels: "business" });
    const random = new SeededRandom(4);
    for (let n = 0; n < 500; n += 1) {
      // A slot that was skipped has no packet; the tick after it is late.
      if (n % 100 === 50) continue;
      const lateMs = n % 100 === 51 ? 5 : random.fraction() * 12;
      rig.business(START_MS + n * 20 + lateMs, numberedPacket(n));
      rig.ticks(START_MS + n * 20 + lateMs, 1);
    }
    stopAfter(rig, 500);
    const labels = rig.read("business").labels(0);
    expect(count(labels, "silence")).toBe(5);
    labels.forEach((label, slot) => {
      expect(label, String(slot)).toBe(slot % 100 === 50 ? "silence" : slot);
    });
  });

  test("are in time again half a second after a skipped slot that nothing told", () => {
    const rig = new RecordingRig({ channels: "business" });
    rig.at(START_MS, (atMs) => rig.recording.tick(atMs));
    // All are 19 ms late at first, then a slot is skipped, and all are early.
    for (let n = 0; n < 20; n += 1) rig.business(START_MS + n * 20 + 9, numberedPacket(n));
    for (let n = 21; n < 100; n += 1) rig.business(START_MS + n * 20, numberedPacket(n));
    rig.ticks(START_MS + 20, 100);
    stopAfter(rig, 100);
    expect(rig.read("business").labels(0).slice(60, 100)).toEqual(
      Array.from({ length: 40 }, (_, i) => 60 + i),
    );
  });

  test("that come twice in a slot, or do not last 20 ms, are counted and left out", () => {
    const rig = new RecordingRig({ channels: "business" });
    addBusiness(rig, 50);
    rig.business(START_MS + 20 * 10 + 1, numberedPacket(999));
    rig.at(START_MS + 20 * 30 - 5, () => rig.recording.business(new Uint8Array(), START_MS + 20 * 30));
    stopAfter(rig, 50);
    const { framesUnplaced } = rig.recording.stats();
    expect(framesUnplaced).toBeGreaterThanOrEqual(2);
    expect(rig.read("business").labels(0).slice(31)).toEqual(Array.from({ length: 19 }, (_, i) => 31 + i));
  });
});

describe("packets that do not last 20 ms", () => {
  /** SILK, wideband: 10, 20, 40 and 60 ms a frame. */
  const [SILK_10, , SILK_40, SILK_60] = [8 << 3, 9 << 3, 10 << 3, 11 << 3];

  test("of 10 ms are joined in pairs; where one is missing, decoders conceal it", () => {
    const rig = new RecordingRig({ channels: "caller" });
    for (let n = 0; n < 100; n += 1) {
      if (n === 31) continue;
      rig.caller(START_MS - 10 + n * 10, Uint8Array.of(SILK_10, n, n, n), FIRST_TIMESTAMP + n * 480);
    }
    rig.ticks(START_MS, 50);
    stopAfter(rig, 50);
    const packets = rig.read("caller").streams[0] ?? [];
    expect(packets[3]).toEqual(Uint8Array.of(SILK_10 | 1, 6, 6, 6, 7, 7, 7));
    expect(packets[15]).toEqual(Uint8Array.of(SILK_10 | 2, 3, 30, 30, 30, 0x0f));
    expect(rig.recording.stats()).toMatchObject({ durationMs: 1000, concealedMs: 10, framesUnplaced: 0 });
  });

  test("of several frames are divided", () => {
    const rig = new RecordingRig();
    for (let n = 0; n < 30; n += 3) {
      // Three frames of 20 ms, all of the same length.
      const packet = Uint8Array.of(0xfb, 3, 1, 0, 0, n, 1, 0, 0, n + 1, 1, 0, 0, n + 2);
      rig.caller(START_MS + n * 20 + 40, packet, FIRST_TIMESTAMP + n * 960);
    }
    addBusiness(rig, 30);
    stopAfter(rig, 30);
    expect(rig.read().labels(0)).toEqual(Array.from({ length: 30 }, (_, n) => n));
  });

  test("of one long frame stay whole in a file of the caller's own", () => {
    const rig = new RecordingRig({ layout: "files" });
    for (let n = 0; n < 30; n += 3) {
      rig.caller(START_MS + n * 20 + 40, Uint8Array.of(SILK_60, 1, 2, n), FIRST_TIMESTAMP + n * 960);
    }
    addBusiness(rig, 40);
    stopAfter(rig, 40);
    const caller = rig.read("caller");
    expect(caller.streams[0]?.slice(0, 10)).toEqual(
      Array.from({ length: 10 }, (_, i) => Uint8Array.of(SILK_60, 1, 2, i * 3)),
    );
    expect([caller.durationMs, rig.read("business").durationMs]).toEqual([800, 800]);
    expect(rig.recording.stats()).toMatchObject({ framesUnplaced: 0, concealedMs: 100 });
  });

  test("of one long frame are concealed in a stereo file, and counted", () => {
    const rig = new RecordingRig();
    for (let n = 0; n < 50; n += 2) {
      rig.caller(START_MS + n * 20 + 20, Uint8Array.of(SILK_40, 1, 2, n), FIRST_TIMESTAMP + n * 960);
    }
    addBusiness(rig, 50);
    stopAfter(rig, 50);
    const content = rig.read();
    expect([content.durationMs, rig.recording.stats().framesUnplaced]).toEqual([1000, 25]);
    expect(content.labels(1)).toEqual(Array.from({ length: 50 }, (_, n) => n));
  });

  test("of one long frame do not reach into a pause, nor behind the end", () => {
    const rig = new RecordingRig({ channels: "caller" });
    for (let n = 0; n < 60; n += 3) {
      rig.caller(START_MS + n * 20 + 40, Uint8Array.of(SILK_60, 1, 2, n), FIRST_TIMESTAMP + n * 960);
    }
    rig.ticks(START_MS, 60);
    rig.at(START_MS + 500, (atMs) => rig.recording.pause(atMs));
    rig.at(START_MS + 600, (atMs) => rig.recording.resume(atMs));
    stopAfter(rig, 58);
    const content = rig.read("caller");
    expect(content.durationMs).toBe(1160);
    expect(content.streams[0]?.map((packet) => packet.at(-1))).not.toContain(24);
    expect(rig.recording.stats().framesUnplaced).toBe(1);
  });
});

describe("files", () => {
  test("grow so that a crash at any time costs a second at most", () => {
    const rig = new RecordingRig();
    addCaller(rig, { packets: 500, jitterMs: 60, loss: 0.05 });
    addBusiness(rig, 500);
    for (let atMs = START_MS; atMs < START_MS + 10_000; atMs += 20) {
      rig.at(atMs + 1, () => {
        const { durationMs, isComplete } = rig.read();
        expect(durationMs).toBeGreaterThanOrEqual(atMs - START_MS - 1000);
        expect(isComplete).toBe(false);
      });
    }
    rig.run();
  });

  test.each([
    ["caller", "stereo", ["caller"]],
    ["business", "files", ["business"]],
    ["both", "stereo", ["both"]],
    ["both", "files", ["caller", "business"]],
  ] as const)("of %s in layout %s are %j", (channels, layout, expected) => {
    const rig = new RecordingRig({ channels, layout });
    addCaller(rig, { packets: 20 });
    addBusiness(rig, 20);
    stopAfter(rig, 20);
    expect(rig.recording.channels).toEqual(expected);
    for (const channel of expected)
      expect(rig.read(channel)).toMatchObject({ durationMs: 400, isComplete: true });
  });

  test("are none when the recording is stopped before it begins; a second stop and what follows change nothing", () => {
    const rig = new RecordingRig();
    rig.recording.stop(0);
    expect(rig.pages()).toEqual([]);

    const other = new RecordingRig();
    addCaller(other, { packets: 20 });
    addBusiness(other, 40);
    stopAfter(other, 20);
    const { length } = other.pages();
    other.recording.stop(START_MS + 10_000);
    other.recording.tick(START_MS + 10_000);
    other.recording.pause(START_MS + 10_000);
    other.recording.resume(START_MS + 10_000);
    expect(other.pages()).toHaveLength(length);
    expect(other.recording.stats()).toMatchObject({ durationMs: 400, pausedMs: 0 });
  });

  test("last as long as the recording, whatever comes when", () => {
    const step = fc.record({
      waitMs: fc.oneof(fc.nat(40), fc.nat(3_000)),
      what: fc.constantFrom("caller", "business", "tick", "tick", "pause", "resume", "restart"),
      bytes: fc.uint8Array({ maxLength: 80 }),
      timestamp: fc.oneof(fc.nat(96_000), fc.nat(0xffff_ffff)),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 100 }), fc.constantFrom("stereo", "files"), (steps, layout) => {
        const rig = new RecordingRig({ layout });
        let nowMs = START_MS;
        let startMs: number | null = null;
        for (const { waitMs, what, bytes, timestamp } of steps) {
          nowMs += waitMs;
          if (what === "caller") rig.recording.caller(bytes, 0, bytes.length, timestamp, nowMs);
          else if (what === "restart") rig.recording.callerRestarted();
          else {
            startMs ??= nowMs;
            if (what === "business") rig.recording.business(bytes, nowMs);
            else rig.recording[what](nowMs);
          }
        }
        rig.recording.stop(nowMs);
        const slots = startMs === null ? 0 : Math.round((nowMs - startMs) / 20);
        const channels = slots === 0 ? [] : rig.recording.channels;
        for (const channel of channels) expect(rig.read(channel).durationMs).toBe(slots * 20);
      }),
      { numRuns: 200 },
    );
  });
});
