import { describe, expect, test } from "vitest";
import type { WorkerThreadListener } from "../../platform/worker-thread.ts";
import { ManualClock } from "../../testing/manual-clock.ts";
import type { FromWorker, ToWorker } from "./messages.ts";
import { toWireError } from "./wire-error.ts";
import { WorkerLifecycle } from "./worker-lifecycle.ts";

const READY = { type: "ready", port: 10_000, addresses: ["127.0.0.1"] } as const;

/** A thread that does what the test says. */
class ScriptedThread {
  readonly posted: ToWorker[] = [];
  isTerminated = false;
  readonly #listener: WorkerThreadListener<FromWorker>;

  constructor(listener: WorkerThreadListener<FromWorker>) {
    this.#listener = listener;
  }

  post(message: ToWorker): void {
    this.posted.push(message);
  }
  terminate(): Promise<void> {
    this.isTerminated = true;
    this.exit();
    return Promise.resolve();
  }
  say(message: FromWorker): void {
    this.#listener.onMessage(message);
  }
  exit(error: unknown = null): void {
    this.#listener.onExit(error);
  }
}

function setUp() {
  const time = new ManualClock();
  const threads: ScriptedThread[] = [];
  const crashes: [unknown, number][] = [];
  const lifecycle = new WorkerLifecycle({
    startThread: (listener) => {
      const thread = new ScriptedThread(listener);
      threads.push(thread);
      return thread;
    },
    clock: time,
    timers: time,
    onMessage: () => {},
    onCrash: (error, pauseMs) => crashes.push([error, pauseMs]),
  });
  return { time, threads, crashes, lifecycle, last: () => threads.at(-1)! };
}

async function setUpRunning() {
  const rig = setUp();
  const starting = rig.lifecycle.start();
  rig.last().say(READY);
  await starting;
  return rig;
}

describe("a worker's life", () => {
  test("it is up when it says so", async () => {
    const { lifecycle, last } = setUp();
    const starting = lifecycle.start();
    expect(lifecycle.ready).toBeNull();
    last().say(READY);
    await starting;
    expect(lifecycle.ready).toEqual(READY);
  });

  test("one that cannot start says why and is not tried again", async () => {
    const { time, threads, lifecycle, last } = setUp();
    const starting = lifecycle.start();
    last().say({ type: "start-failed", error: toWireError(new Error("port taken")) });
    last().exit();
    await expect(starting).rejects.toThrow("port taken");
    time.advance(120_000);
    expect(threads).toHaveLength(1);
    await lifecycle.close();
    expect(time.pendingTimers).toBe(0);
  });

  test("one that breaks down is started again, after pauses that grow up to 30 s", async () => {
    const { time, threads, crashes, lifecycle, last } = await setUpRunning();
    const fault = new Error("out of memory");
    for (let crash = 1; crash <= 12; crash += 1) {
      last().exit(fault);
      expect(lifecycle.ready).toBeNull();
      time.advance(30_000);
      expect(threads).toHaveLength(crash + 1);
      last().say(READY);
    }
    expect(crashes[0]).toEqual([fault, 100]);
    const pausesMs = crashes.map(([, pauseMs]) => pauseMs);
    expect(pausesMs).toEqual([
      100, 200, 400, 800, 1_600, 3_200, 6_400, 12_800, 25_600, 30_000, 30_000, 30_000,
    ]);
    expect(lifecycle.restarts).toBe(12);
  });

  test("one that hangs is ended, and started again like any that breaks down", async () => {
    const { time, threads, crashes, lifecycle, last } = await setUpRunning();
    const fault = new Error("hangs");
    lifecycle.breakDown(fault);
    expect(last().isTerminated).toBe(true);
    expect(crashes).toEqual([[fault, 100]]);
    time.advance(100);
    last().say(READY);
    last().exit();
    expect(String(crashes[1]?.[0])).toContain("ended by itself");
    expect(threads).toHaveLength(2);
  });

  test("one that was up for a while is started again at once", async () => {
    const { time, crashes, last } = await setUpRunning();
    last().exit();
    time.advance(100);
    last().say(READY);
    time.advance(61_000);
    last().exit();
    expect(crashes.map(([, pauseMs]) => pauseMs)).toEqual([100, 100]);
  });

  test("one that cannot start again is tried on", async () => {
    const { time, threads, crashes, lifecycle, last } = await setUpRunning();
    last().exit();
    time.advance(100);
    last().say({ type: "start-failed", error: toWireError(new Error("port taken")) });
    last().exit();
    expect(String(crashes[1]?.[0])).toContain("port taken");
    time.advance(200);
    last().say(READY);
    expect(lifecycle.ready).toEqual(READY);
    expect(threads).toHaveLength(3);
  });
});

describe("a worker's end", () => {
  test("it is asked to, and closing waits until it is gone", async () => {
    const { time, threads, crashes, lifecycle, last } = await setUpRunning();
    let isClosed = false;
    const closing = lifecycle.close().then(() => {
      isClosed = true;
    });
    expect(last().posted).toEqual([{ type: "shut-down" }]);
    await time.advanceAsync(500);
    expect(isClosed).toBe(false);
    last().exit();
    await closing;
    await lifecycle.close();
    time.advance(60_000);
    expect([threads.length, crashes.length, time.pendingTimers]).toEqual([1, 0, 0]);
    expect(last().isTerminated).toBe(false);
  });

  test("one that does not end is ended", async () => {
    const { time, lifecycle, last } = await setUpRunning();
    const closing = lifecycle.close();
    time.advance(2_000);
    await closing;
    expect(last().isTerminated).toBe(true);
  });

  test("none is started any more in the pause after a breakdown", async () => {
    const { time, threads, lifecycle, last } = await setUpRunning();
    last().exit();
    await lifecycle.close();
    time.advance(60_000);
    expect(threads).toHaveLength(1);
    expect(time.pendingTimers).toBe(0);
  });

  test("closing while it starts fails the start", async () => {
    const { lifecycle, last } = setUp();
    const starting = lifecycle.start();
    const closing = lifecycle.close();
    last().exit();
    await closing;
    await expect(starting).rejects.toThrow("ended by itself");
  });
});
