import { expect, test } from "vitest";
import type { ToWorker } from "./messages.ts";
import { SessionTasks } from "./session-tasks.ts";
import type { TaskNews } from "./tasks.ts";

const CALL = 7;
const LOST = { outcome: "call-ended", playedMs: 0, interruptedBy: null } as const;
const PLAYED = { outcome: "completed", playedMs: 400, interruptedBy: null } as const;
const PLAY = { type: "play", prompts: [1], options: {} } as const;

function setUp() {
  const posted: ToWorker[] = [];
  const transferred: (readonly ArrayBuffer[] | undefined)[] = [];
  const tasks = new SessionTasks(CALL, (message, transfer) => {
    posted.push(message);
    transferred.push(transfer);
  });
  return { tasks, posted, transferred };
}

test("each task has a number of its own, and ends with what the worker says of it", async () => {
  const { tasks, posted } = setUp();
  const first = tasks.start<"play">(PLAY, LOST);
  const second = tasks.start<"digits">({ type: "digits", digits: "1", options: {} }, "call-ended");
  expect(posted).toEqual([
    { type: "task", call: CALL, task: 1, start: PLAY },
    { type: "task", call: CALL, task: 2, start: { type: "digits", digits: "1", options: {} } },
  ]);
  tasks.done(2, "sent");
  tasks.done(1, PLAYED);
  // Once.
  tasks.done(1, LOST);
  expect(await first.finished).toEqual(PLAYED);
  expect(await second.finished).toBe("sent");
});

test("a task that the worker refuses rejects", async () => {
  const { tasks } = setUp();
  const task = tasks.start<"digits">({ type: "digits", digits: "?", options: {} }, "call-ended");
  tasks.refused(1, new Error("no such key"));
  await expect(task.finished).rejects.toThrow("no such key");
});

test("orders go to a running task alone, and samples are given away", () => {
  const { tasks, posted, transferred } = setUp();
  const task = tasks.start<"pcm">({ type: "pcm", options: { rateHz: 8_000, place: "live" } }, LOST);
  const samples = new Int16Array(160);
  task.order({ type: "write", samples });
  task.order({ type: "stop" });
  expect(posted.slice(1)).toEqual([
    { type: "task-order", call: CALL, task: 1, order: { type: "write", samples } },
    { type: "task-order", call: CALL, task: 1, order: { type: "stop" } },
  ]);
  expect(transferred.slice(1)).toEqual([[samples.buffer], undefined]);
  tasks.done(1, PLAYED);
  task.order({ type: "stop" });
  expect(posted).toHaveLength(3);
});

test("news and samples go to those that they are about, while they are running", () => {
  const { tasks } = setUp();
  const heard: unknown[] = [];
  tasks.start<"listen">({ type: "listen", options: { rateHz: 8_000 } }, "call-ended", {
    onSamples: (samples) => heard.push(samples.length),
  });
  tasks.start<"speech">({ type: "speech", options: {} }, "call-ended", {
    onNews: (news) => heard.push(news),
  });
  const news: TaskNews = { type: "speech", news: { type: "start", atMs: 5 } };
  tasks.samples(1, new Int16Array(160));
  tasks.news(1, news);
  tasks.news(2, news);
  tasks.samples(2, new Int16Array(160));
  tasks.samples(3, new Int16Array(160));
  expect(heard).toEqual([160, news]);
  tasks.done(1, "stopped");
  tasks.samples(1, new Int16Array(160));
  expect(heard).toHaveLength(2);
});

test("once the call is closed nothing is asked, but the worker's last words count", async () => {
  const { tasks, posted } = setUp();
  const playing = tasks.start<"play">(PLAY, LOST);
  const lost = tasks.start<"play">(PLAY, LOST);
  tasks.close();
  playing.order({ type: "stop" });
  const late = tasks.start<"play">(PLAY, LOST);
  late.order({ type: "stop" });
  expect(posted).toHaveLength(2);
  expect(await late.finished).toEqual(LOST);
  tasks.done(1, PLAYED);
  expect(await playing.finished).toEqual(PLAYED);
  tasks.end();
  tasks.done(2, PLAYED);
  expect(await lost.finished).toEqual(LOST);
});
