import { expect, test } from "vitest";
import { RingbackError } from "../../errors.ts";
import { packPrompt } from "../encoded-prompt.ts";
import type { HostedSession } from "../media-host.ts";
import { FrameBatcher } from "./frame-batch.ts";
import { readFrames } from "./frame-buffer.ts";
import type { FromWorker } from "./messages.ts";
import type { TaskStart } from "./tasks.ts";
import { WorkerTasks } from "./worker-tasks.ts";

const CALL = 7;
const prompt = packPrompt([Uint8Array.of(1)], 20);

/** A promise that the test settles. */
function pending<T>() {
  let resolve: (value: T) => void = () => {};
  let reject: (error: unknown) => void = () => {};
  const promise = new Promise<T>((onResolve, onReject) => {
    resolve = onResolve;
    reject = onReject;
  });
  return { promise, resolve, reject };
}

/** The tasks of a call whose session notes what it is asked to do. */
function setUp() {
  const asked: unknown[][] = [];
  const ends: ReturnType<typeof pending<never>>[] = [];
  const listeners: Parameters<HostedSession["playPcm"]>[1][] = [];
  const hears: ((samples: Int16Array) => void)[] = [];
  const begin = (...what: unknown[]) => {
    asked.push(what);
    const end = pending<never>();
    ends.push(end);
    const note =
      (name: string) =>
      (...args: unknown[]) =>
        void asked.push([name, ...args]);
    const orders = ["stop", "pause", "resume", "write", "mark", "clear", "finish"].map((name) => [
      name,
      note(name),
    ]);
    return { finished: end.promise, ...Object.fromEntries(orders) };
  };
  const session = {
    play: (...args: unknown[]) => begin("play", ...args),
    playPcm: (options: unknown, listener: Parameters<HostedSession["playPcm"]>[1]) => {
      listeners.push(listener);
      return begin("pcm", options);
    },
    sendDigits: (...args: unknown[]) => begin("digits", ...args).finished,
    listen: (options: unknown, onSamples: (samples: Int16Array) => void) => {
      hears.push(onSamples);
      return begin("listen", options);
    },
    watchSpeech: (options: unknown, onSpeech: (news: unknown) => void) => {
      onSpeech({ type: "start", atMs: 1 });
      return begin("speech", options);
    },
    record: (options: unknown) => begin("record", options),
    bridge: (ends: unknown) => begin("bridge", ends),
  } as unknown as HostedSession;
  const posted: FromWorker[] = [];
  const batches: [ArrayBuffer, number][] = [];
  const flushes: (() => void)[] = [];
  const samples = new FrameBatcher({
    send: (buffer, usedBytes) => batches.push([buffer, usedBytes]),
    batchesTaken: new Int32Array(1),
    schedule: (flush) => flushes.push(flush),
  });
  const tasks = new WorkerTasks({
    call: CALL,
    post: (message) => posted.push(message),
    samples,
    findPrompt: (number) => (number === 1 ? prompt : null),
  });
  const start = (task: number, what: TaskStart): void => tasks.start(task, what, session);
  const end = async (index: number, result: unknown): Promise<void> => {
    ends[index]?.resolve(result as never);
    await tasks.settled();
  };
  return { tasks, start, end, ends, asked, posted, listeners, hears, batches, flushes };
}

test("prompts are found by their numbers, and what became of a task is told once", async () => {
  const { tasks, start, end, asked, posted } = setUp();
  start(3, { type: "play", prompts: [1, 2], options: { loop: true } });
  expect(asked).toEqual([["play", [prompt], { loop: true }]]);
  const result = { outcome: "completed", playedMs: 20, interruptedBy: null };
  await end(0, result);
  expect(posted).toEqual([{ type: "task-done", call: CALL, task: 3, result }]);
  tasks.obey(3, { type: "stop" });
  expect(asked).toHaveLength(1);
});

test.each([
  [{ type: "play", prompts: [], options: {} }, ["stop", "pause", "resume"], ["clear", "finish"]],
  [
    { type: "pcm", options: { rateHz: 8_000, place: "live" } },
    ["stop", "pause", "resume", "clear", "finish"],
    [],
  ],
  [{ type: "listen", options: { rateHz: 8_000 } }, ["stop"], ["pause", "resume", "clear", "finish"]],
  [{ type: "speech", options: {} }, ["stop"], ["pause", "resume", "clear", "finish"]],
  [
    { type: "record", options: { path: "a.opus", channels: "both" } },
    ["stop", "pause", "resume"],
    ["clear", "finish"],
  ],
  [
    { type: "bridge", ends: { to: new SharedArrayBuffer(8), from: new SharedArrayBuffer(8) } },
    ["stop"],
    ["pause", "resume"],
  ],
] as const)("a task obeys the orders of its kind: $type", (what, known, unknown) => {
  const { tasks, start, asked } = setUp();
  start(1, what);
  const before = asked.length;
  for (const type of known) tasks.obey(1, { type });
  expect(asked.slice(before)).toEqual(known.map((type) => [type]));
  // `play` shares its orders with samples, and has no such methods.
  if (what.type !== "play") for (const type of unknown) tasks.obey(1, { type });
  expect(asked).toHaveLength(before + known.length);
  tasks.obey(2, { type: "stop" });
  expect(asked).toHaveLength(before + known.length);
});

test("samples go to the task that they were written for, and their marks come back", () => {
  const { tasks, start, asked, posted, listeners } = setUp();
  start(4, { type: "pcm", options: { rateHz: 8_000, place: "live" } });
  const samples = Int16Array.of(1, 2);
  tasks.obey(4, { type: "write", samples });
  tasks.obey(4, { type: "mark", mark: 9 });
  expect(asked.slice(1)).toEqual([
    ["write", samples],
    ["mark", 9],
  ]);
  listeners[0]?.onMark(9, "played");
  expect(posted).toEqual([
    { type: "task-news", call: CALL, task: 4, news: { type: "mark", mark: 9, outcome: "played" } },
  ]);
});

test("what is heard goes out in batches, by call and task, and speech as it is noticed", () => {
  const { start, posted, hears, batches, flushes } = setUp();
  start(5, { type: "listen", options: { rateHz: 8_000 } });
  hears[0]?.(Int16Array.of(1, -2, 3).subarray(1));
  for (const flush of flushes) flush();
  const heard: unknown[] = [];
  for (const [buffer, usedBytes] of batches) {
    readFrames(buffer, usedBytes, (call, bytes, task) => heard.push([call, task, bytes.length]));
  }
  expect(heard).toEqual([[CALL, 5, 4]]);
  start(6, { type: "speech", options: {} });
  expect(posted).toEqual([
    { type: "task-news", call: CALL, task: 6, news: { type: "speech", news: { type: "start", atMs: 1 } } },
  ]);
});

test("a task that fails is told as refused, with its code, and the others go on", async () => {
  const { start, ends, end, posted, tasks } = setUp();
  start(1, { type: "digits", digits: "?", options: {} });
  start(2, { type: "play", prompts: [1], options: {} });
  ends[0]?.reject(new RingbackError("OPTION_INVALID", "no key", { details: { option: "digits" } }));
  const settled = tasks.settled();
  await end(1, { outcome: "completed" });
  await settled;
  expect(posted.map((message) => message.type)).toEqual(["task-refused", "task-done"]);
  expect(posted[0]).toMatchObject({ task: 1, error: { code: "OPTION_INVALID" } });
});

test("all is settled when what became of each was posted", async () => {
  const { start, ends, posted, tasks } = setUp();
  start(1, { type: "play", prompts: [1], options: {} });
  start(2, { type: "digits", digits: "1", options: {} });
  let isSettled = false;
  const settled = tasks.settled().then(() => {
    isSettled = true;
  });
  ends[1]?.resolve("sent" as never);
  await new Promise(setImmediate);
  expect(isSettled).toBe(false);
  ends[0]?.resolve({ outcome: "call-ended" } as never);
  await settled;
  expect(posted).toHaveLength(2);
});
