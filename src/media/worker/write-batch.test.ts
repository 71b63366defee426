import { expect, test } from "vitest";
import { ManualClock } from "../../testing/manual-clock.ts";
import { readFrames } from "./frame-buffer.ts";
import type { ToWorker } from "./messages.ts";
import { WriteBatcher } from "./write-batch.ts";

type Write = readonly [call: number, task: number, samples: readonly number[]];

function setUp() {
  const clock = new ManualClock({ nowMs: 1_000 });
  const posted: (Write | ToWorker)[][] = [];
  const batcher = new WriteBatcher({
    post: (message) => void posted.push(message.type === "writes" ? writesOf(message) : [message]),
    clock,
    timers: clock,
  });
  const write = (call: number, task: number, samples: Int16Array): void =>
    batcher.post({ type: "task-order", call, task, order: { type: "write", samples } });
  return { clock, posted, batcher, write };
}

function writesOf({ buffer, usedBytes }: Extract<ToWorker, { type: "writes" }>): Write[] {
  const writes: Write[] = [];
  readFrames(buffer, usedBytes, (call, bytes, task) => {
    writes.push([call, task, [...new Int16Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 2)]]);
  });
  return writes;
}

test("what is written at one time goes in one message, whatever its call", () => {
  const { clock, posted, write } = setUp();
  write(1, 7, Int16Array.of(1, -2, 3));
  write(2, 9, Int16Array.of(-32_768, 32_767));
  write(1, 7, Int16Array.of(4));
  expect(posted).toEqual([]);
  clock.advance(0);
  expect(posted).toEqual([
    [
      [1, 7, [1, -2, 3]],
      [2, 9, [-32_768, 32_767]],
      [1, 7, [4]],
    ],
  ]);
});

test("what is written within 5 ms of a message goes in the next one", () => {
  const { clock, posted, write } = setUp();
  write(1, 7, Int16Array.of(1));
  clock.advance(0);
  for (const sample of [2, 3, 4]) {
    clock.advance(1);
    write(1, 7, Int16Array.of(sample));
  }
  expect(posted).toHaveLength(1);
  clock.advance(2);
  expect(posted[1]).toEqual([2, 3, 4].map((sample) => [1, 7, [sample]]));
});

test("whatever else is asked of a call goes behind what was written, at once", () => {
  const { clock, posted, batcher, write } = setUp();
  const clear: ToWorker = { type: "task-order", call: 2, task: 1, order: { type: "clear" } };
  write(1, 7, Int16Array.of(1));
  batcher.post(clear);
  write(1, 7, Int16Array.of(2));
  expect(posted).toEqual([[[1, 7, [1]]], [clear]]);
  clock.advance(5);
  expect(posted).toEqual([[[1, 7, [1]]], [clear], [[1, 7, [2]]]]);
  clock.advance(100);
  expect(posted).toHaveLength(3);
});

test("what does not fit in goes in the next message, and what fits in none goes by itself", () => {
  const { clock, posted, write } = setUp();
  const half = new Int16Array(20_000);
  write(1, 7, half);
  write(1, 7, half);
  const whole = new Int16Array(40_000);
  write(1, 7, whole);
  write(1, 7, Int16Array.of(1));
  expect(posted).toHaveLength(3);
  expect(posted[2]).toEqual([
    { type: "task-order", call: 1, task: 7, order: { type: "write", samples: whole } },
  ]);
  clock.advance(5);
  expect(posted[3]).toEqual([[1, 7, [1]]]);
});
