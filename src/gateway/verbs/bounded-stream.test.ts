import { describe, expect, test } from "vitest";
import { BoundedStream } from "./bounded-stream.ts";

function setUp(limit = 3) {
  let returns = 0;
  const stream = new BoundedStream<number>(limit, () => {
    returns += 1;
  });
  return { stream, returns: () => returns };
}

async function readAll(stream: BoundedStream<number>): Promise<number[]> {
  const values: number[] = [];
  for await (const value of stream) values.push(value);
  return values;
}

describe("a stream of values", () => {
  test("gives them in order, those that wait and those that come", async () => {
    const { stream } = setUp();
    stream.push(1);
    const reading = readAll(stream);
    stream.push(2);
    await new Promise(setImmediate);
    stream.push(3);
    stream.end();
    expect(await reading).toEqual([1, 2, 3]);
  });

  test("drops the oldest beyond its limit, and counts them", async () => {
    const { stream } = setUp();
    for (let value = 1; value <= 5; value += 1) stream.push(value);
    stream.end();
    expect(stream.dropped).toBe(2);
    expect(await readAll(stream)).toEqual([3, 4, 5]);
  });

  test("takes nothing once it has ended", async () => {
    const { stream } = setUp();
    stream.end();
    stream.end();
    stream.push(1);
    stream.fail(new Error("too late"));
    expect(await readAll(stream)).toEqual([]);
    expect(stream.dropped).toBe(0);
  });

  test("tells whoever made it when its reader leaves, and forgets what waited", async () => {
    const { stream, returns } = setUp();
    stream.push(1);
    stream.push(2);
    for await (const value of stream) {
      expect(value).toBe(1);
      break;
    }
    expect(returns()).toBe(1);
    expect(await stream.next()).toEqual({ done: true, value: undefined });
  });

  test("ends a reader that waits when it is left from elsewhere", async () => {
    const { stream, returns } = setUp();
    const reading = readAll(stream);
    await stream.return();
    expect(await reading).toEqual([]);
    expect(returns()).toBe(1);
  });

  test("has one reader: of two that wait, the first gives up", async () => {
    const { stream } = setUp();
    const [first, second] = [stream.next(), stream.next()];
    stream.push(1);
    expect(await first).toEqual({ done: true, value: undefined });
    expect(await second).toEqual({ done: false, value: 1 });
  });
});

describe("a fault", () => {
  test("reaches the reader that waits", async () => {
    const { stream } = setUp();
    const reading = readAll(stream);
    stream.fail(new Error("no ears"));
    await expect(reading).rejects.toThrow("no ears");
  });

  test("reaches one that comes later once, behind what waited", async () => {
    const { stream } = setUp();
    stream.push(1);
    stream.fail(new Error("no ears"));
    expect(await stream.next()).toEqual({ done: false, value: 1 });
    await expect(stream.next()).rejects.toThrow("no ears");
    expect(await stream.next()).toEqual({ done: true, value: undefined });
  });

  test("that nobody waits for rejects nothing", async () => {
    const { stream } = setUp();
    stream.fail(new Error("no ears"));
    await new Promise(setImmediate);
    expect(stream.dropped).toBe(0);
  });
});
