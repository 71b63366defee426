import { expect, test } from "vitest";
import { systemRandom } from "./random.ts";

test("no bytes are given out twice, whatever is asked for", () => {
  const seen = new Set<string>();
  let asked = 0;
  for (let round = 0; round < 2_000; round += 1) {
    for (const byteLength of [12, 16, 32]) {
      seen.add(Buffer.from(systemRandom(byteLength)).toString("hex"));
      asked += 1;
    }
  }
  expect(seen.size).toBe(asked);
});

test("each answer has memory of its own and the length that was asked for", () => {
  const first = systemRandom(8);
  const copy = Uint8Array.from(first);
  const second = systemRandom(8);
  second.fill(0);
  expect(first).toEqual(copy);
  expect([0, 1, 1_024, 1_025, 100_000].map((length) => systemRandom(length).length)).toEqual([
    0, 1, 1_024, 1_025, 100_000,
  ]);
});
