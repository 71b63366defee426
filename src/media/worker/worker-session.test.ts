import { describe, expect, test } from "vitest";
import { packPrompt } from "../encoded-prompt.ts";
import type { ToWorker } from "./messages.ts";
import { callStats } from "./shared-stats.ts";
import { WorkerSession } from "./worker-session.ts";

function setUp() {
  const posted: ToWorker[] = [];
  const reports: string[] = [];
  const note = (name: string) => (): void => void reports.push(name);
  const session = new WorkerSession({
    call: 7,
    local: Object.create(null),
    listener: {
      onIceConnected: note("ice"),
      onConnected: note("connected"),
      onLost: note("lost"),
      onFailed: note("failed"),
      onFirstRtpIn: note("first-in"),
      onFirstRtpOut: note("first-out"),
      onDigit: note("digit"),
      onFrame: note("frame"),
    },
    stats: new Float64Array(callStats.length),
    post: (message) => posted.push(message),
    sharePrompt: () => 1,
  });
  return { session, posted, reports };
}

const prompt = packPrompt([Uint8Array.of(1)], 20);

test("what the worker left unanswered ends when it has closed the call", async () => {
  const { session, reports } = setUp();
  const playing = session.play([prompt]);
  const sending = session.sendDigits("1");
  session.close();
  session.workerIsDone();
  expect(await playing.finished).toEqual({ outcome: "call-ended", playedMs: 0, interruptedBy: null });
  expect(await sending).toBe("call-ended");
  expect(reports).toEqual([]);
});

test("nothing is asked of the worker, and nothing reported, once the call is closed", async () => {
  const { session, posted, reports } = setUp();
  session.setFramesWanted(true);
  const playing = session.play([prompt]);
  session.close();
  const asked = posted.length;
  session.close();
  session.connect();
  session.startRtp();
  session.setFramesWanted(false);
  playing.stop();
  expect((await session.play([prompt]).finished).outcome).toBe("call-ended");
  session.handle({ type: "connected", call: 7 });
  session.handle({ type: "lost", call: 7, reason: "ice-consent-expired" });
  session.takeFrame(Uint8Array.of(1), 0);
  expect(posted).toHaveLength(asked);
  expect(reports).toEqual([]);
});

describe("marks of samples that are over", () => {
  const listen = () => {
    const marks: [number, string][] = [];
    return { marks, listener: { onMark: (mark: number, outcome: string) => marks.push([mark, outcome]) } };
  };
  const ended = (outcome: "replaced" | "completed") => ({ outcome, playedMs: 0, interruptedBy: null });

  test("come back at once, and those that the worker did not see any more with the end", async () => {
    const { session } = setUp();
    const { marks, listener } = listen();
    const writer = session.playPcm({ rateHz: 8_000, place: "live" }, listener);
    writer.mark(1);
    writer.mark(2);
    session.handle({
      type: "task-news",
      call: 7,
      task: 1,
      news: { type: "mark", mark: 1, outcome: "played" },
    });
    session.handle({ type: "task-done", call: 7, task: 1, result: ended("replaced") });
    await writer.finished;
    expect(marks).toEqual([
      [1, "played"],
      [2, "cleared"],
    ]);
    writer.mark(3);
    expect(marks.at(-1)).toEqual([3, "cleared"]);
  });

  test("say that the call ended when the worker has gone", async () => {
    const { session } = setUp();
    const { marks, listener } = listen();
    const writer = session.playPcm({ rateHz: 8_000, place: "live" }, listener);
    writer.mark(1);
    session.workerIsDone();
    await writer.finished;
    writer.mark(2);
    expect(marks).toEqual([
      [1, "call-ended"],
      [2, "call-ended"],
    ]);
  });
});

describe("a recording", () => {
  const options = { path: "calls/a.opus", channels: "both", layout: "files" } as const;

  test("that is lost with the worker names the files in which its beginning is", async () => {
    const { session } = setUp();
    const recording = session.record(options);
    session.workerIsDone();
    expect(await recording.finished).toMatchObject({
      status: "failed",
      files: [
        { path: "calls/a-caller.opus", channel: "caller" },
        { path: "calls/a-business.opus", channel: "business" },
      ],
      error: { code: "worker-crashed" },
    });
  });

  test("of a call that is closed is none, and no failure", async () => {
    const { session, posted } = setUp();
    session.close();
    const asked = posted.length;
    expect(await session.record(options).finished).toMatchObject({
      status: "absent",
      files: [],
      error: null,
    });
    expect(posted).toHaveLength(asked);
  });
});

test("media goes down once: what the worker said counts, not that it broke down afterwards", () => {
  const { session, reports } = setUp();
  session.handle({ type: "connected", call: 7 });
  session.handle({ type: "lost", call: 7, reason: "ice-consent-expired" });
  session.workerIsDone();
  expect(reports).toEqual(["connected", "lost"]);
});
