import fc from "fast-check";
import { expect, test } from "vitest";
import { RingbackError } from "../errors.ts";
import { storeUnavailable } from "./errors.ts";
import { GroupCommit } from "./group-commit.ts";

/** A disk that takes a turn of the event loop for each transaction. */
function createDisk(refuses: (item: number) => boolean = () => false): {
  readonly write: (items: readonly number[]) => Promise<readonly number[]>;
  readonly written: number[];
  readonly batches: number[];
} {
  const written: number[] = [];
  const batches: number[] = [];
  return {
    written,
    batches,
    write: async (items) => {
      batches.push(items.length);
      await new Promise((resolve) => setImmediate(resolve));
      if (items.some(refuses)) throw new Error("refused");
      written.push(...items);
      return items.map((item) => item * 2);
    },
  };
}

test("items that come while a transaction is under way share the next one, in their order", async () => {
  const disk = createDisk();
  const group = new GroupCommit({ write: disk.write, maxBatch: 64, maxWaiting: 1_000 });
  const first = group.submit(0);
  while (disk.batches.length === 0) await new Promise((resolve) => setImmediate(resolve));
  const others = Array.from({ length: 100 }, (_, index) => group.submit(index + 1));
  expect(await first).toBe(0);
  expect(await Promise.all(others)).toEqual(Array.from({ length: 100 }, (_, index) => (index + 1) * 2));
  expect(disk.batches).toEqual([1, 64, 36]);
  expect(disk.written).toEqual([...disk.written].sort((one, other) => one - other));
});

test("items that come in one turn of the event loop share a transaction, though none is under way", async () => {
  const disk = createDisk();
  const group = new GroupCommit({ write: disk.write, maxBatch: 64, maxWaiting: 1_000 });
  const first = group.submit(0);
  await Promise.resolve();
  await Promise.all([first, group.submit(1)]);
  expect(disk.batches).toEqual([2]);
});

test("whatever comes whenever, each item is written once, in order, and has its own result; those that cannot be written fail alone", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.integer({ min: 0, max: 30 }), fc.boolean()), { maxLength: 60 }),
      fc.integer({ min: 1, max: 8 }),
      async (bursts, maxBatch) => {
        const bad = new Set<number>();
        const disk = createDisk((item) => bad.has(item));
        const group = new GroupCommit({ write: disk.write, maxBatch, maxWaiting: 10_000 });
        const results: Promise<PromiseSettledResult<number>[]>[] = [];
        let item = 0;
        for (const [size, waits] of bursts) {
          const burst = Array.from({ length: size }, () => item++);
          for (const one of burst) if (one % 7 === 3) bad.add(one);
          results.push(Promise.allSettled(burst.map((one) => group.submit(one))));
          if (waits) await new Promise((resolve) => setImmediate(resolve));
        }
        const settled = (await Promise.all(results)).flat();
        await group.settled();
        const all = Array.from({ length: item }, (_, index) => index);
        expect(disk.written).toEqual(all.filter((one) => !bad.has(one)));
        expect(settled.map((result) => (result.status === "fulfilled" ? result.value : null))).toEqual(
          all.map((one) => (bad.has(one) ? null : one * 2)),
        );
        expect(Math.max(0, ...disk.batches)).toBeLessThanOrEqual(maxBatch);
        expect(group.waiting).toBe(0);
      },
    ),
    { numRuns: 60 },
  );
});

test("when the store cannot write at all, a batch fails as a whole and is not tried item by item", async () => {
  let calls = 0;
  const group = new GroupCommit<number, number>({
    write: async () => {
      calls += 1;
      throw storeUnavailable("disk-full");
    },
    maxBatch: 64,
    maxWaiting: 100,
  });
  const results = await Promise.allSettled([1, 2, 3].map((item) => group.submit(item)));
  expect(
    results.every((result) => result.status === "rejected" && result.reason instanceof RingbackError),
  ).toBe(true);
  expect(calls).toBe(1);
});

test("more than may wait is refused as overloaded, and taken again once there is room", async () => {
  const disk = createDisk();
  const group = new GroupCommit({ write: disk.write, maxBatch: 4, maxWaiting: 10 });
  const taken = Array.from({ length: 10 }, (_, index) => group.submit(index));
  await expect(group.submit(99)).rejects.toMatchObject({
    code: "STORE_UNAVAILABLE",
    details: { reason: "overloaded" },
    retryable: true,
  });
  await Promise.all(taken);
  expect(await group.submit(10)).toBe(20);
  expect(disk.written).toEqual(Array.from({ length: 11 }, (_, index) => index));
});
