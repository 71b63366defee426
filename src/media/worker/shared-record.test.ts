import { describe, expect, test } from "vitest";
import { SharedRecord } from "./shared-record.ts";
import { callStats, StatsMemory } from "./shared-stats.ts";

interface Example {
  readonly count: number;
  readonly rttMs: number | null;
  readonly inner: { readonly a: number; readonly "b-c": number | null };
  readonly remote: { readonly jitterMs: number } | null;
}

const shape = { count: 0, rttMs: 0, inner: { a: 0, "b-c": 0 }, remote: { jitterMs: 0 } } as const;

describe("a record in shared memory", () => {
  const record = new SharedRecord<Example>(shape);
  const memory = new Float64Array(new SharedArrayBuffer(record.length * 8));

  test.each<Example>([
    { count: 3, rttMs: 1.5, inner: { a: -1, "b-c": 2 ** 40 }, remote: { jitterMs: 0 } },
    { count: 0, rttMs: null, inner: { a: 0, "b-c": null }, remote: null },
  ])("comes out as it went in: %o", (example) => {
    record.write(example, memory);
    expect(record.read(memory)).toEqual(example);
  });

  test("takes one float per number", () => {
    expect(record.length).toBe(5);
  });
});

test("each call has memory of its own", () => {
  const statsMemory = new StatsMemory();
  const pieces = Array.from({ length: 200 }, () => statsMemory.take());
  pieces.forEach((piece, index) => {
    piece.fill(index);
  });
  expect(pieces.every((piece, index) => piece.every((value) => value === index))).toBe(true);
  expect(new Set(pieces.map((piece) => piece.length))).toEqual(new Set([callStats.length]));
});
