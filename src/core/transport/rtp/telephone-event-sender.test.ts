import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Digit, TelephoneEventDecoder } from "./telephone-event.ts";
import { type DigitOptions, type DigitsOutcome, TelephoneEventSender } from "./telephone-event-sender.ts";

const SLOT_RTP_TICKS = 960;

interface Sent {
  readonly slot: number;
  readonly event: number;
  readonly isEnd: boolean;
  readonly volumeDb: number;
  readonly ticks: number;
  readonly mediaRtpTicks: number;
  readonly marker: boolean;
}

function setUp(options: DigitOptions = {}) {
  const sender = new TelephoneEventSender();
  const outcomes: DigitsOutcome[] = [];
  const push = (digits: string) => sender.push(digits, options, (outcome) => outcomes.push(outcome));
  let slot = 0;
  /** Takes slots while there is something to send, but at most so many. */
  const run = (maxSlots = 10_000): Sent[] => {
    const sent: Sent[] = [];
    for (let taken = 0; taken < maxSlots && !sender.isIdle; taken += 1, slot += 1) {
      const packet = sender.next(slot * SLOT_RTP_TICKS);
      if (packet === null) continue;
      const [event = -1, flags = 0, high = 0, low = 0] = packet.payload;
      sent.push({
        slot,
        event,
        isEnd: (flags & 0x80) !== 0,
        volumeDb: flags & 0x3f,
        ticks: (high << 8) | low,
        mediaRtpTicks: packet.mediaRtpTicks,
        marker: packet.marker,
      });
    }
    return sent;
  };
  const skip = (slots: number) => {
    slot += slots;
  };
  return { sender, outcomes, push, run, skip, slot: () => slot };
}

/** What a receiver makes of it, each packet of `lost` not reaching it. */
function decode(sent: readonly Sent[], lost: ReadonlySet<number> = new Set()): Digit[] {
  const digits: Digit[] = [];
  const decoder = new TelephoneEventDecoder((digit) => digits.push(digit));
  sent.forEach(({ slot, event, isEnd, ticks, mediaRtpTicks, marker }, index) => {
    if (lost.has(index)) return;
    const payload = Uint8Array.of(event, isEnd ? 0x80 : 0, ticks >> 8, ticks & 0xff);
    decoder.receive(payload, 0, 4, mediaRtpTicks, marker, slot * 20);
  });
  decoder.expire(Number.POSITIVE_INFINITY);
  return digits;
}

test("a digit is an event of 100 ms with its end three times, then silence for the rest of its gap", () => {
  const { push, run, slot, outcomes } = setUp();
  push("5");
  const sent = run();
  expect(sent.map(({ ticks }) => ticks)).toEqual([160, 320, 480, 640, 800, 800, 800]);
  expect(sent.map(({ isEnd }) => isEnd)).toEqual([false, false, false, false, true, true, true]);
  expect(sent.map(({ marker }) => marker)).toEqual([true, false, false, false, false, false, false]);
  for (const packet of sent) expect(packet).toMatchObject({ event: 5, volumeDb: 10, mediaRtpTicks: 0 });
  expect(slot()).toBe(8);
  expect(outcomes).toEqual(["sent"]);
});

test("every event begins at its own time", () => {
  const { push, run } = setUp();
  push("1a#");
  const starts = run().filter(({ marker }) => marker);
  expect(starts.map(({ event, slot, mediaRtpTicks }) => [event, slot, mediaRtpTicks])).toEqual([
    [1, 0, 0],
    [12, 8, 8 * SLOT_RTP_TICKS],
    [11, 16, 16 * SLOT_RTP_TICKS],
  ]);
});

test("w waits for 500 ms", () => {
  const { push, run, slot } = setUp();
  push("1w2");
  expect(run().flatMap(({ marker, slot: at }) => (marker ? [at] : []))).toEqual([0, 8 + 25]);
  expect(slot()).toBe(8 + 25 + 8);
});

test("tone, gap and volume are as told, in whole slots", () => {
  const { push, run, slot } = setUp({ toneMs: 41, gapMs: 99, volumeDb: 3 });
  push("0");
  const sent = run();
  expect(sent.map(({ ticks }) => ticks)).toEqual([160, 320, 480, 480, 480]);
  expect(sent[0]?.volumeDb).toBe(3);
  expect(slot()).toBe(3 + 5);
});

test("texts queue up, and each is told when it is out", () => {
  const { push, run, outcomes, sender } = setUp();
  push("1");
  push("");
  push("2");
  expect(outcomes).toEqual(["sent"]);
  run(8);
  expect(outcomes).toEqual(["sent", "sent"]);
  run();
  expect(outcomes).toEqual(["sent", "sent", "sent"]);
  expect(sender.isIdle).toBe(true);
  expect(sender.next(0)).toBeNull();
});

test("what waits when the call ends is told so, and later digits begin anew", () => {
  const { push, run, sender, outcomes } = setUp();
  push("12");
  push("3");
  run(3);
  sender.clear();
  sender.clear();
  expect(outcomes).toEqual(["call-ended", "call-ended"]);
  push("4");
  expect(run()[0]).toMatchObject({ event: 4, ticks: 160, mediaRtpTicks: 3 * SLOT_RTP_TICKS, marker: true });
});

test("slots that the program missed count as time", () => {
  const { push, run, skip } = setUp();
  push("7");
  const before = run(2);
  skip(10);
  const sent = [...before, ...run()];
  expect(sent.map(({ ticks }) => ticks)).toEqual([160, 320, 800, 800, 800]);
  expect(decode(sent)).toEqual([{ digit: "7", durationMs: 100 }]);
});

test("a key held for 30 s goes on in segments, each beginning where the one before was full", () => {
  const { push, run } = setUp({ toneMs: 30_000 });
  push("9");
  const sent = run();
  const timestamps = [...new Set(sent.map(({ mediaRtpTicks }) => mediaRtpTicks))];
  expect(timestamps).toEqual([0, 1, 2, 3].map((segment) => segment * 0xffff * 6));
  const full = sent.filter(({ ticks }) => ticks === 0xffff);
  expect(full.map(({ isEnd }) => isEnd)).toEqual([false, false, false]);
  expect(sent.filter(({ marker }) => marker)).toHaveLength(1);
  expect(sent.filter(({ isEnd }) => isEnd)).toHaveLength(3);
  expect(decode(sent)).toEqual([{ digit: "9", durationMs: 30_000 }]);
});

test("a tone that just passes the end of a segment is whole too", () => {
  const { push, run } = setUp({ toneMs: 8200 });
  push("9");
  expect(decode(run())).toEqual([{ digit: "9", durationMs: 8200 }]);
});

describe("what is refused", () => {
  test.each(["12x", "1 2", "W", "١", "😀"])("digits that are none: %s", (digits) => {
    const { push, sender } = setUp();
    expect(() => push(digits)).toThrow("0–9, *, #, A–D, and w for a wait of 500 ms");
    expect(() => push(digits)).toThrow(expect.objectContaining({ code: "OPTION_INVALID" }));
    expect(sender.isIdle).toBe(true);
  });

  test("more digits than can wait", () => {
    const { push } = setUp();
    push("1".repeat(200));
    expect(() => push("2".repeat(57))).toThrow("At most 256");
    push("2".repeat(56));
  });

  test.each([
    { toneMs: 39 },
    { toneMs: 30_001 },
    { toneMs: Number.NaN },
    { gapMs: 40 },
    { gapMs: 5001 },
    { volumeDb: 64 },
    { volumeDb: -1 },
  ])("times and volumes out of range: %o", (options) => {
    expect(() => setUp(options).push("1")).toThrow(expect.objectContaining({ code: "OPTION_INVALID" }));
  });
});

test("any digits come through whole, as long as one packet of each event does", () => {
  const text = fc.stringMatching(/^[0-9*#ABCDw]{1,12}$/);
  const options = fc.record({
    toneMs: fc.integer({ min: 40, max: 400 }),
    gapMs: fc.integer({ min: 60, max: 200 }),
  });
  fc.assert(
    fc.property(text, options, fc.infiniteStream(fc.boolean()), (digits, timing, losses) => {
      const { push, run, outcomes } = setUp(timing);
      push(digits);
      const sent = run();
      expect(outcomes).toEqual(["sent"]);
      const keys = digits.replaceAll("w", "");
      expect(
        decode(sent)
          .map(({ digit }) => digit)
          .join(""),
      ).toBe(keys);
      const lost = new Set(
        sent.flatMap(({ marker }, index) => (!marker && losses.next().value ? [index] : [])),
      );
      expect(
        decode(sent, lost)
          .map(({ digit }) => digit)
          .join(""),
      ).toBe(keys);
    }),
  );
});
