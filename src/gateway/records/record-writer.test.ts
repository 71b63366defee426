import { expect, test } from "vitest";
import { RingbackError } from "../../errors.ts";
import { silentLogger } from "../../logger.ts";
import type { CallChange, CommitOutcome } from "../../store/types.ts";
import { ManualClock } from "../../testing/index.ts";
import { RecordWriter } from "./record-writer.ts";

const AWAY = new RingbackError("STORE_UNAVAILABLE", "away", { details: { reason: "connection" } });

function setUp() {
  const clock = new ManualClock();
  const written: CallChange[] = [];
  const finished: number[] = [];
  const reasons: string[] = [];
  const state = { failure: null as Error | null, outcome: "written" as CommitOutcome };
  const attempt = async <T>(result: T): Promise<T> => {
    if (state.failure !== null) throw state.failure;
    return result;
  };
  const writer = new RecordWriter({
    store: {
      calls: {
        commit: async (change: CallChange) => {
          const outcome = await attempt(state.outcome);
          written.push(change);
          return outcome;
        },
      },
      journal: {
        finish: async (ids: readonly number[]) => {
          await attempt(null);
          finished.push(...ids);
        },
      },
    } as unknown as ConstructorParameters<typeof RecordWriter>[0]["store"],
    timers: clock,
    logger: silentLogger,
    onUnavailable: (reason) => reasons.push(reason),
  });
  return { clock, written, finished, reasons, state, writer };
}

const tagged = (callId: string, value: number): CallChange => ({ callId, update: { tags: { value } } });

test("what comes while a call is being written is written together afterwards, later values last", async () => {
  const { writer, written } = setUp();
  for (const value of [1, 2, 3]) writer.write(tagged("call_a", value));
  writer.write(tagged("call_b", 9));
  await writer.idle();
  expect(written.map(({ callId, update }) => [callId, update?.tags])).toEqual([
    ["call_a", { value: 1 }],
    ["call_b", { value: 9 }],
    ["call_a", { value: 3 }],
  ]);
});

test("while the store is away nothing is lost: it is written when the store is back, in order, the journal as well", async () => {
  const { writer, written, finished, reasons, state, clock } = setUp();
  state.failure = AWAY;
  writer.write(tagged("call_a", 1));
  writer.finish(7);
  await clock.advanceAsync(0);
  writer.write(tagged("call_a", 2));
  await clock.advanceAsync(10_000);
  expect(written).toEqual([]);
  expect(writer.waiting).toBe(1);
  expect(new Set(reasons)).toEqual(new Set(["connection"]));
  state.failure = null;
  await clock.advanceAsync(2_000);
  await writer.idle();
  expect(written.map(({ update }) => update?.tags)).toEqual([{ value: 1 }, { value: 2 }]);
  expect(finished).toEqual([7]);
  expect(clock.pendingTimers).toBe(0);
});

test("who opens a record waits for the store, and learns whether there was one", async () => {
  const { writer, state, clock } = setUp();
  state.failure = AWAY;
  state.outcome = "exists";
  const opening = writer.commit(tagged("call_a", 1));
  await clock.advanceAsync(100);
  state.failure = null;
  await clock.advanceAsync(2_000);
  expect(await opening).toBe("exists");
});

test("a change that the store refuses for good is counted, and those behind it are written", async () => {
  const { writer, written, state, clock } = setUp();
  state.failure = new Error("a fault");
  writer.write(tagged("call_a", 1));
  await clock.advanceAsync(0);
  state.failure = null;
  writer.write(tagged("call_a", 2));
  await writer.idle();
  expect(writer.lost).toBe(1);
  expect(written.map(({ update }) => update?.tags)).toEqual([{ value: 2 }]);
});

test("once it is given up it waits for nothing: no timer, no call, whatever comes after", async () => {
  const { writer, state, clock } = setUp();
  state.failure = AWAY;
  writer.write(tagged("call_a", 1));
  await clock.advanceAsync(0);
  writer.abandon();
  await writer.idle();
  writer.write(tagged("call_a", 2));
  writer.finish(1);
  await writer.idle();
  expect(clock.pendingTimers).toBe(0);
  expect(writer.waiting).toBe(0);
});
