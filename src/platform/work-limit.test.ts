import { describe, expect, test } from "vitest";
import { WorkLimit } from "./work-limit.ts";

interface Job {
  readonly outcome: Promise<unknown>;
  readonly finish: () => void;
  readonly isStarted: () => boolean;
}

function start(limit: WorkLimit, signal?: AbortSignal): Job {
  let isStarted = false;
  let finish = (): void => {};
  const done = new Promise<void>((resolve) => {
    finish = resolve;
  });
  const work = async (): Promise<string> => {
    isStarted = true;
    await done;
    return "done";
  };
  const outcome = limit.run(work, signal).catch((error: unknown) => error);
  return { outcome, finish: () => finish(), isStarted: () => isStarted };
}

describe("a limit of work", () => {
  test("lets so many begin, the next ones wait in line, the others are refused", async () => {
    const limit = new WorkLimit(1, 1);
    const [first, second, third] = [start(limit), start(limit), start(limit)];
    expect(await third.outcome).toBeNull();
    expect(limit.refused).toBe(1);
    expect([first.isStarted(), second.isStarted(), third.isStarted()]).toEqual([true, false, false]);
    first.finish();
    expect(await first.outcome).toEqual({ result: "done" });
    second.finish();
    expect(await second.outcome).toEqual({ result: "done" });
    expect(second.isStarted()).toBe(true);
  });

  test("goes on after work that failed", async () => {
    const limit = new WorkLimit(1, 0);
    await expect(limit.run(() => Promise.reject(new Error("broken")))).rejects.toThrow("broken");
    expect(await limit.run(async () => 1)).toEqual({ result: 1 });
  });

  test("forgets who leaves the line", async () => {
    const limit = new WorkLimit(1, 1);
    const first = start(limit);
    const leaving = new AbortController();
    const second = start(limit, leaving.signal);
    leaving.abort(new Error("gone"));
    expect(await second.outcome).toMatchObject({ message: "gone" });
    const third = start(limit);
    first.finish();
    third.finish();
    expect(await third.outcome).toEqual({ result: "done" });
    expect(second.isStarted()).toBe(false);
  });

  test("does not begin what is not wanted any more", async () => {
    const job = start(new WorkLimit(1, 1), AbortSignal.abort(new Error("gone")));
    expect(await job.outcome).toMatchObject({ message: "gone" });
    expect(job.isStarted()).toBe(false);
  });
});
