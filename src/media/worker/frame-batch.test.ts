import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { FrameBatcher } from "./frame-batch.ts";
import { readFrames } from "./frame-buffer.ts";

type Frame = readonly [call: number, payload: number[], rtpTimestamp: number];

/** A batcher whose turn of the event loop ends when the test says so. */
function setUp() {
  const batches: [ArrayBuffer, number][] = [];
  const batchesTaken = new Int32Array(1);
  const scheduled: (() => void)[] = [];
  const batcher = new FrameBatcher({
    send: (buffer, usedBytes) => void batches.push([buffer, usedBytes]),
    batchesTaken,
    schedule: (flush) => void scheduled.push(flush),
  });
  const add = ([call, payload, timestamp]: Frame): void =>
    batcher.add(call, Uint8Array.from(payload), timestamp);
  const endTurn = (): void => {
    for (const flush of scheduled.splice(0)) flush();
  };
  const read = (): Frame[] => batches.flatMap(([buffer, usedBytes]) => framesOf(buffer, usedBytes));
  return { batcher, batches, batchesTaken, add, endTurn, read };
}

function framesOf(buffer: ArrayBuffer, usedBytes: number): Frame[] {
  const frames: Frame[] = [];
  readFrames(buffer, usedBytes, (call, payload, timestamp) => frames.push([call, [...payload], timestamp]));
  return frames;
}

describe("frames on their way to the other thread", () => {
  test("all of a turn go in one batch, in their order", () => {
    const { batches, add, endTurn, read } = setUp();
    const frames: Frame[] = [
      [1, [1, 2, 3], 960],
      [2, [], 0xffff_ffff],
      [1, [4], 1920],
    ];
    frames.forEach(add);
    expect(batches).toHaveLength(0);
    endTurn();
    expect(batches).toHaveLength(1);
    expect(read()).toEqual(frames);
  });

  test("a turn without frames sends nothing", () => {
    const { batcher, batches } = setUp();
    batcher.retry();
    expect(batches).toHaveLength(0);
  });

  test("whatever comes, comes out, turn after turn", () => {
    const frame = fc.tuple(
      fc.nat(0xffff_ffff),
      fc.array(fc.nat(255), { maxLength: 1_500 }),
      fc.nat(0xffff_ffff),
    );
    const turns = fc.array(fc.array(frame, { maxLength: 20 }), { maxLength: 6 });
    fc.assert(
      fc.property(turns, (all) => {
        const { add, endTurn, read, batcher } = setUp();
        for (const frames of all) {
          frames.forEach(add);
          endTurn();
        }
        expect(read()).toEqual(all.flat());
        expect(batcher.dropped).toBe(0);
      }),
      { numRuns: 50 },
    );
  });

  test("they are held back while the other thread is behind, and the newest are dropped and counted above 1 MiB", () => {
    const { batcher, batches, batchesTaken, add, endTurn, read } = setUp();
    for (let turn = 0; turn < 10; turn += 1) {
      add([1, [turn], turn]);
      endTurn();
    }
    expect(batches).toHaveLength(8);
    for (let index = 0; index < 1_100; index += 1) batcher.add(2, new Uint8Array(1_000), index);
    endTurn();
    expect(batches).toHaveLength(8);
    expect(batcher.dropped).toBeGreaterThan(50);
    batchesTaken[0] = 1;
    batcher.retry();
    expect(batches).toHaveLength(9);
    expect(read().map(([, , timestamp]) => timestamp)).toEqual([
      ...Array.from({ length: 10 }, (_, turn) => turn),
      ...Array.from({ length: 1_100 - batcher.dropped }, (_, index) => index),
    ]);
  });
});
