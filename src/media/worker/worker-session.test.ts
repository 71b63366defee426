import { expect, test } from "vitest";
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

test("media goes down once: what the worker said counts, not that it broke down afterwards", () => {
  const { session, reports } = setUp();
  session.handle({ type: "connected", call: 7 });
  session.handle({ type: "lost", call: 7, reason: "ice-consent-expired" });
  session.workerIsDone();
  expect(reports).toEqual(["connected", "lost"]);
});
