import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { SeededRandom } from "../../../testing/seeded-random.ts";
import { JitterBuffer, type JitterBufferOptions, type JitterFrame } from "./jitter-buffer.ts";
import { createRtpHeader } from "./rtp.ts";

const SLOT_MS = 20;

/** One packet: number `mark`, sent at `mark` × 20 ms of media time unless told otherwise. */
interface Sending {
  readonly mark: number;
  readonly arrivalMs: number;
  readonly sequence?: number;
  readonly timestamp?: number;
  readonly ssrc?: number;
  readonly isEvent?: boolean;
}

function setUp(options: Partial<JitterBufferOptions> = {}) {
  const buffer = new JitterBuffer({ clockRateHz: 48_000, slotRtpTicks: 960, ...options });
  const header = createRtpHeader();
  const bytes = new Uint8Array(400);
  const view = new DataView(bytes.buffer);
  const push = ({ mark, arrivalMs, sequence, timestamp, ssrc, isEvent }: Sending) => {
    header.sequence = (sequence ?? 65_500 + mark) & 0xffff;
    header.timestamp = (timestamp ?? 0xfffff000 + mark * 960) >>> 0;
    header.ssrc = ssrc ?? 1;
    header.payloadOffset = 12;
    // Payloads of many sizes, as VBR makes them.
    header.payloadLength = 4 + ((mark * 37) % 300);
    view.setUint32(12, mark);
    if (isEvent === true) buffer.skip(bytes, header);
    else buffer.push(bytes, header, arrivalMs);
  };
  return { buffer, push };
}

function markOf(outcome: JitterFrame | "lost" | "wait"): number | "lost" | "wait" {
  if (typeof outcome === "string") return outcome;
  return new DataView(outcome.bytes.buffer, outcome.bytes.byteOffset).getUint32(0);
}

/** Feeds the packets at their times and pops each 20 ms, 7 ms into the sender's slots. */
function play(sendings: readonly Sending[], options: Partial<JitterBufferOptions> = {}, tailMs = 1000) {
  const { buffer, push } = setUp(options);
  const arrivals = [...sendings].sort((a, b) => a.arrivalMs - b.arrivalMs);
  const endMs = (arrivals.at(-1)?.arrivalMs ?? 0) + tailMs;
  const outcomes: (number | "lost" | "wait")[] = [];
  const delays: number[] = [];
  let next = 0;
  for (let nowMs = 7; nowMs < endMs; nowMs += SLOT_MS) {
    for (
      let sending = arrivals[next];
      sending !== undefined && sending.arrivalMs <= nowMs;
      sending = arrivals[next]
    ) {
      push(sending);
      next += 1;
    }
    outcomes.push(markOf(buffer.pop(nowMs)));
    delays.push(buffer.stats().delayMs);
    expect(buffer.stats().packetsBuffered).toBeLessThanOrEqual(64);
  }
  const played = outcomes.filter((outcome) => typeof outcome === "number");
  // Between the first sound and the last one.
  const heard = outcomes.slice(
    outcomes.indexOf(played[0] ?? 0),
    outcomes.lastIndexOf(played.at(-1) ?? 0) + 1,
  );
  return { buffer, outcomes, delays, played, heard, stats: buffer.stats() };
}

function stream(count: number, delayOf: (mark: number) => number = () => 0): Sending[] {
  return Array.from({ length: count }, (_, mark) => ({ mark, arrivalMs: mark * SLOT_MS + delayOf(mark) }));
}

const marks = (from: number, to: number) => Array.from({ length: to - from }, (_, index) => from + index);

test("an even stream is played whole, in order, without a gap, after the least delay", () => {
  const { outcomes, heard, delays } = play(stream(500));
  expect(outcomes.slice(0, 3)).toEqual(["wait", "wait", 0]);
  expect(heard).toEqual(marks(0, 500));
  expect(delays.at(-1)).toBe(47);
});

test("before the first packet and behind the last there is nothing to play", () => {
  const { buffer } = setUp();
  expect(buffer.pop(0)).toBe("wait");
  expect(play(stream(3)).outcomes.slice(-5)).toEqual(Array.from({ length: 5 }, () => "wait"));
});

test("lost packets are told in their slots, and when nothing is left to tell by, waited for", () => {
  const random = new SeededRandom(1);
  const arrived = stream(1000).filter(({ mark }) => mark === 0 || mark === 999 || random.fraction() >= 0.1);
  const { heard, stats } = play(arrived);
  expect(heard.map((outcome, index) => (typeof outcome === "string" ? outcome : index))).toEqual(heard);
  expect(heard).toHaveLength(1000);
  expect(stats.packetsLost).toBe(1000 - arrived.length);
});

test.each([
  [60, 7],
  [150, 8],
  [300, 9],
])("with jitter of up to %d ms the delay settles where nearly all packets are in time", (jitterMs, seed) => {
  const random = new SeededRandom(seed);
  const { heard, played, stats, delays } = play(stream(3000, () => random.fraction() * jitterMs));
  expect(played).toEqual([...played].sort((a, b) => a - b));
  expect(new Set(played).size).toBe(played.length);
  const settled = heard.slice(1000);
  expect(settled.filter((outcome) => typeof outcome === "number").length / settled.length).toBeGreaterThan(
    0.95,
  );
  expect(stats.targetDelayMs).toBeGreaterThan(jitterMs * 0.8);
  expect(stats.targetDelayMs).toBeLessThanOrEqual(Math.max(40, jitterMs));
  for (const delayMs of delays) expect(delayMs).toBeLessThanOrEqual(340);
});

test("after the jitter is over the delay comes down again", () => {
  const random = new SeededRandom(3);
  const { delays, heard, stats } = play(stream(4000, (mark) => (mark < 1000 ? random.fraction() * 200 : 0)));
  expect(delays[1000]).toBeGreaterThan(150);
  expect(delays[3900]).toBeLessThanOrEqual(100);
  expect(heard.at(-1)).toBe(3999);
  expect(stats.packetsDiscarded).toBeLessThan(15);
});

test("packets that overtake each other are put in order", () => {
  const { heard, stats } = play(stream(200, (mark) => (mark % 5 === 2 ? 30 : 0)));
  expect(heard).toEqual(marks(0, 200));
  expect(stats).toMatchObject({ packetsLate: 0, packetsLost: 0 });
});

test("the first packets may come in any order", () => {
  const { heard } = play(stream(50, (mark) => [25, 0, 15][mark] ?? 0));
  expect(heard).toEqual(marks(0, 50));
});

test("a packet that comes twice is played once", () => {
  const twice = [...stream(100), ...stream(100, () => 3), ...stream(100, () => 400)];
  const { heard, stats } = play(twice);
  expect(heard).toEqual(marks(0, 100));
  expect(stats).toMatchObject({ packetsDuplicate: 100, packetsLate: 100 });
});

test("a packet that comes after its turn is counted", () => {
  const { stats, heard } = play(stream(100, (mark) => (mark === 50 ? 200 : 0)));
  expect(stats).toMatchObject({ packetsLate: 1, packetsLost: 1 });
  expect(heard[50]).toBe("lost");
});

test("nothing is lost where sequence and timestamp wrap", () => {
  const shifted = stream(300).map((sending) => ({
    ...sending,
    timestamp: (0xffffffff - 96_000 + sending.mark * 960) % 2 ** 32,
  }));
  expect(play(shifted).heard).toEqual(marks(0, 300));
});

describe("pauses", () => {
  /** The sender says nothing for `pauseMs` after packet 99: DTX. The sequence goes on, the timestamp jumps. */
  const withPause = (pauseMs: number, delayOf: (mark: number) => number = () => 0): Sending[] =>
    stream(200, delayOf).map((sending) =>
      sending.mark < 100
        ? sending
        : {
            ...sending,
            arrivalMs: sending.arrivalMs + pauseMs,
            timestamp: 0xfffff000 + sending.mark * 960 + pauseMs * 48,
          },
    );

  test.each([40, 2000, 60_000])("of %d ms are as long as they were, and no loss", (pauseMs) => {
    const { heard, stats } = play(withPause(pauseMs));
    expect(heard.filter((outcome) => typeof outcome === "number")).toEqual(marks(0, 200));
    expect(heard.filter((outcome) => outcome === "wait")).toHaveLength(pauseMs / SLOT_MS);
    expect(stats).toMatchObject({ packetsLost: 0, packetsLate: 0, packetsDiscarded: 0, restarts: 0 });
  });

  test("take up what the delay was too long", () => {
    // A hold-up of 200 ms makes the delay long; the pause makes it right at once.
    const { stats, delays, heard } = play(
      withPause(1000, (mark) => (mark === 90 ? 200 : mark > 90 ? Math.max(0, 200 - (mark - 90) * 20) : 0)),
    );
    expect(Math.max(...delays)).toBeGreaterThan(150);
    expect(stats.delayMs).toBeLessThan(Math.max(...delays) - 40);
    expect(heard.at(-1)).toBe(199);
  });

  test("made by telephone events are pauses, not losses", () => {
    const keys = stream(60).map((sending) => ({
      ...sending,
      isEvent: sending.mark >= 20 && sending.mark < 27,
    }));
    const { heard, stats } = play(keys);
    expect(stats.packetsLost).toBe(0);
    expect(heard).toEqual([...marks(0, 20), ...Array.from({ length: 7 }, () => "wait"), ...marks(27, 60)]);
  });

  test("are not made by events of another SSRC, nor by any before the stream", () => {
    const { buffer, push } = setUp();
    push({ mark: 9, arrivalMs: 0, isEvent: true });
    push({ mark: 0, arrivalMs: 0 });
    push({ mark: 1, arrivalMs: 20, ssrc: 77, isEvent: true });
    expect(buffer.stats()).toMatchObject({ packetsBuffered: 1, restarts: 0 });
  });
});

test("a network that stood still is caught up with, to the longest delay at once, then little by little", () => {
  const stalled = (mark: number) => (mark >= 100 && mark < 140 ? 800 - (mark - 100) * 20 : 0);
  const { delays, heard, stats } = play(stream(1500, stalled));
  for (const delayMs of delays) expect(delayMs).toBeLessThanOrEqual(340);
  expect(stats.packetsDiscarded).toBeGreaterThan(20);
  expect(delays.at(-1)).toBeLessThan(120);
  expect(heard.at(-1)).toBe(1499);
});

describe("another stream", () => {
  const second = (change: Partial<Sending>): Sending[] =>
    stream(100).map((sending) => (sending.mark < 50 ? sending : { ...sending, ...change }));
  const far = (mark: number) => (20_000 + mark) & 0xffff;

  test.each<[string, Sending[]]>([
    ["SSRC", second({ ssrc: 2 })],
    [
      "sequence",
      second({}).map((sending) =>
        sending.mark < 50 ? sending : { ...sending, sequence: far(sending.mark) },
      ),
    ],
    [
      "timestamp",
      second({}).map((sending) =>
        sending.mark < 50 ? sending : { ...sending, timestamp: 5_000_000 + sending.mark * 960 },
      ),
    ],
  ])("known by its %s begins with a delay of its own", (_, sendings) => {
    const { outcomes, stats } = play(sendings);
    const sounds = outcomes.filter((outcome) => typeof outcome === "number");
    expect(stats).toMatchObject({ restarts: 1, packetsLost: 0 });
    expect(sounds.filter((mark) => mark >= 50)).toEqual(marks(50, 100));
  });
});

test("what comes beyond the capacity pushes the oldest out", () => {
  const { buffer, push } = setUp({ capacityPackets: 16 });
  for (let mark = 0; mark < 40; mark += 1) push({ mark, arrivalMs: 0 });
  expect(buffer.stats()).toMatchObject({ packetsBuffered: 16, packetsOverflowed: 24 });
  push({ mark: 200, arrivalMs: 0 });
  expect(buffer.stats()).toMatchObject({ packetsBuffered: 1, packetsOverflowed: 40, restarts: 0 });
});

test("what is missing before the first sound is no loss", () => {
  const { buffer, push } = setUp({ capacityPackets: 16 });
  for (const mark of [0, 3, 12, 20]) push({ mark, arrivalMs: mark * SLOT_MS });
  expect(markOf(buffer.pop(500))).toBe(12);
  expect(buffer.stats()).toMatchObject({ packetsOverflowed: 2, packetsLost: 0 });
});

describe("the packet that follows a lost one", () => {
  const arrivals = (missing: readonly number[]) => stream(10).filter(({ mark }) => !missing.includes(mark));

  /** What `following` says at each loss, beside what is played. */
  function playWithFollowing(sendings: readonly Sending[]) {
    const { buffer, push } = setUp();
    const outcomes: (number | string)[] = [];
    for (let nowMs = 7; nowMs < 500; nowMs += SLOT_MS) {
      for (const sending of sendings) if (sending.arrivalMs === nowMs - 7) push(sending);
      const outcome = buffer.pop(nowMs);
      if (outcome !== "lost") outcomes.push(markOf(outcome));
      else outcomes.push(`lost before ${markOf(buffer.following() ?? "wait")}`);
    }
    return outcomes.filter((outcome) => outcome !== "wait");
  }

  test("is shown and keeps its turn", () => {
    expect(playWithFollowing(arrivals([4]))).toEqual([0, 1, 2, 3, "lost before 5", 5, 6, 7, 8, 9]);
  });

  test("is none when it is lost, too", () => {
    expect(playWithFollowing(arrivals([4, 5]))).toEqual([
      0,
      1,
      2,
      3,
      "lost before wait",
      "lost before 6",
      6,
      7,
      8,
      9,
    ]);
  });

  test("is none behind a pause, and none when it is a telephone event", () => {
    const later = arrivals([4]).map((sending) => ({
      ...sending,
      arrivalMs: (sending.mark < 5 ? sending.mark : sending.mark + 1) * SLOT_MS,
      timestamp: 0xfffff000 + (sending.mark < 5 ? sending.mark : sending.mark + 1) * 960,
    }));
    expect(playWithFollowing(later)).toContain("lost before wait");
    const event = arrivals([4]).map((sending) => ({ ...sending, isEvent: sending.mark === 5 }));
    expect(playWithFollowing(event)).toContain("lost before wait");
  });
});

describe("packets of other lengths than a slot", () => {
  /** Popped at the pace of what was played, as their user does. */
  function playAtTheirPace(packetTicks: number, missing: readonly number[]) {
    const packetMs = packetTicks / 48;
    // Long enough for a loss to be known at its turn: the packet behind it is there.
    const { buffer, push } = setUp({ packetRtpTicks: () => packetTicks, minDelayMs: 2 * packetMs });
    const heard: (number | string)[] = [];
    let nextPop = 0;
    for (let step = 0; step < 50 * 12; step += 1) {
      const nowMs = (step * packetMs) / 12;
      const mark = step / 12;
      if (Number.isInteger(mark) && !missing.includes(mark)) {
        push({ mark, arrivalMs: nowMs, timestamp: 0xfffff000 + mark * packetTicks });
      }
      if (step < nextPop) continue;
      const outcome = markOf(buffer.pop(nowMs));
      if (outcome === "wait") continue;
      heard.push(outcome);
      expect(buffer.poppedRtpTicks).toBe(packetTicks);
      nextPop = step + 12;
    }
    return heard;
  }

  test.each([120, 480, 1920, 2880, 5760])(
    "are played in order, %d ticks each, losses told",
    (packetTicks) => {
      const heard = playAtTheirPace(packetTicks, [10, 20]);
      expect(heard.length).toBeGreaterThan(30);
      expect(heard).toEqual(heard.map((_, mark) => (mark === 10 || mark === 20 ? "lost" : mark)));
    },
  );
});

test("a payload larger than any network carries is refused", () => {
  const { buffer } = setUp();
  const header = { ...createRtpHeader(), payloadOffset: 12, payloadLength: 1501 };
  buffer.push(new Uint8Array(1600), header, 0);
  expect(buffer.stats()).toMatchObject({ packetsBuffered: 0, packetsOversized: 1 });
});

test("payloads are copies, and the memory of a few serves thousands", () => {
  const { buffer, push } = setUp();
  const memory = new Set<ArrayBufferLike>();
  for (let mark = 0; mark < 5000; mark += 1) {
    push({ mark, arrivalMs: mark * SLOT_MS });
    const outcome = buffer.pop(mark * SLOT_MS + 7);
    if (typeof outcome === "string") continue;
    // The packet pushed last lies in the same bytes that this one came in.
    expect(markOf(outcome)).toBe(mark - 2);
    expect(outcome.lengthBytes).toBe(4 + (((mark - 2) * 37) % 300));
    if (mark > 1000) memory.add(outcome.bytes.buffer);
  }
  expect(memory.size).toBeLessThanOrEqual(5);
});

test("whatever comes, and whenever, what is played is in order and within the bounds", () => {
  const operation = fc.record({
    sequence: fc.oneof(fc.integer({ min: 65_400, max: 65_700 }), fc.nat(0xffff)),
    timestamp: fc.oneof(fc.integer({ min: 0, max: 200_000 }), fc.nat(0xffffffff)),
    ssrc: fc.constantFrom(1, 1, 1, 1, 1, 2),
    isEvent: fc.constantFrom(false, false, false, true),
    gapMs: fc.nat(60),
    pops: fc.nat(3),
  });
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 150 }), (operations) => {
      const { buffer, push } = setUp({ capacityPackets: 16 });
      let nowMs = 0;
      let lastPlayed = -1;
      let lastRestarts = -1;
      for (const { sequence, timestamp, ssrc, isEvent, gapMs, pops } of operations) {
        nowMs += gapMs;
        push({ mark: sequence & 0xffff, sequence, arrivalMs: nowMs, timestamp, ssrc, isEvent });
        for (let i = 0; i < pops; i += 1) {
          const played = markOf(buffer.pop(nowMs));
          const { packetsBuffered, targetDelayMs, restarts } = buffer.stats();
          expect(packetsBuffered).toBeGreaterThanOrEqual(0);
          expect(packetsBuffered).toBeLessThanOrEqual(16);
          expect(targetDelayMs).toBeGreaterThanOrEqual(40);
          expect(targetDelayMs).toBeLessThanOrEqual(300);
          if (typeof played === "string") continue;
          if (lastRestarts === restarts) {
            expect((played - lastPlayed) & 0xffff).toBeGreaterThan(0);
            expect((played - lastPlayed) & 0xffff).toBeLessThan(0x8000);
          }
          lastPlayed = played;
          lastRestarts = restarts;
        }
      }
    }),
    { numRuns: 300 },
  );
});
