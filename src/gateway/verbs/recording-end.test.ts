import { describe, expect, test } from "vitest";
import { keeperInto } from "../../../test/support/keeper.ts";
import { silentLogger } from "../../logger.ts";
import type { HostedSession, OngoingEnd } from "../../media/index.ts";
import { ManualClock } from "../../testing/manual-clock.ts";
import type { CallEvents } from "../call.ts";
import { SafeEmitter } from "../safe-emitter.ts";
import { DigitQueue } from "./digit-queue.ts";
import { watchForEnd } from "./recording-end.ts";
import type { VerbCall } from "./verb-call.ts";

type Speech = { readonly type: "start" | "end"; readonly atMs: number };

/** A recording that is watched, with a caller who speaks and presses keys when the test says so. */
function setUp(options: Parameters<typeof watchForEnd>[3]) {
  const clock = new ManualClock({ nowMs: 5_000 });
  const events = new SafeEmitter<CallEvents>(() => {});
  const call: VerbCall = {
    id: "wacid.x",
    events,
    ended: new Promise(() => {}),
    endReason: null,
    clock,
    timers: clock,
    logger: silentLogger,
    startedAtMs: 0,
    keeper: keeperInto([], { clock, phoneNumberId: "1", number: 0 }),
    media: async () => null,
  };
  const digits = new DigitQueue(call);
  const watch = {
    endSilenceMs: 0,
    say: (() => {}) as (news: Speech) => void,
    end: (() => {}) as (end: OngoingEnd) => void,
    isStopped: false,
  };
  const session = {
    watchSpeech: (watchOptions: { endSilenceMs: number }, onSpeech: (news: Speech) => void) => {
      watch.endSilenceMs = watchOptions.endSilenceMs;
      watch.say = onSpeech;
      return {
        finished: new Promise<OngoingEnd>((resolve) => {
          watch.end = resolve;
        }),
        stop: () => {
          watch.isStopped = true;
        },
      };
    },
  } as unknown as HostedSession;
  const ends: [string, number][] = [];
  const press = (digit: string): void => events.emit("digit", { digit, durationMs: 100 });
  press("5");
  const release = watchForEnd(call, session, digits, options, (endedBy) =>
    ends.push([endedBy, clock.nowMs() - 5_000]),
  );
  return { clock, digits, press, watch, ends, release };
}

test("it ends after its longest time, which is not counted once nobody watches", () => {
  const { clock, ends, release } = setUp({ maxMs: 2_000 });
  clock.advance(1_999);
  expect(ends).toEqual([]);
  clock.advance(1);
  expect(ends).toEqual([["max-duration", 2_000]]);
  const other = setUp({ maxMs: 2_000 });
  other.release();
  expect(other.clock.pendingTimers).toBe(0);
  release();
});

test("its key ends it, and no key of its time or from before is left for a gather", () => {
  const { digits, press, ends, release } = setUp({ finishOnKey: "#" });
  press("1");
  press("#");
  expect(ends).toEqual([["finish-key", 0]]);
  release();
  expect(digits.size).toBe(0);
  press("2");
  expect(digits.size).toBe(1);
  expect(ends).toHaveLength(1);
});

test("without a key of its own it leaves keys alone", () => {
  const { digits, press, release } = setUp({ finishOnKey: null });
  press("#");
  release();
  expect([digits.take(), digits.take()]).toEqual(["5", "#"]);
});

describe("silence", () => {
  test("ends it when the caller never speaks", () => {
    const { clock, ends } = setUp({ endOnSilenceMs: 3_000 });
    clock.advance(3_000);
    expect(ends).toEqual([["silence", 3_000]]);
  });

  test("is counted from the last word, not from when it was noticed", () => {
    const { clock, watch, ends, release } = setUp({ endOnSilenceMs: 3_000 });
    expect(watch.endSilenceMs).toBe(300);
    clock.advance(1_000);
    watch.say({ type: "start", atMs: 5_950 });
    clock.advance(10_000);
    expect(ends).toEqual([]);
    watch.say({ type: "end", atMs: clock.nowMs() - 300 });
    clock.advance(2_699);
    expect(ends).toEqual([]);
    clock.advance(1);
    expect(ends).toEqual([["silence", 13_700]]);
    release();
    expect([watch.isStopped, clock.pendingTimers]).toEqual([true, 0]);
  });

  test("that a word breaks begins anew", () => {
    const { clock, watch, ends } = setUp({ endOnSilenceMs: 2_000 });
    watch.say({ type: "start", atMs: 5_000 });
    watch.say({ type: "end", atMs: 5_500 });
    clock.advance(2_000);
    watch.say({ type: "start", atMs: 6_950 });
    clock.advance(5_000);
    expect(ends).toEqual([]);
  });

  test("of which nobody knows, as detection failed, ends nothing", async () => {
    const { clock, watch, ends } = setUp({ endOnSilenceMs: 1_000 });
    watch.end("failed");
    await Promise.resolve();
    clock.advance(60_000);
    expect(ends).toEqual([]);
  });
});
