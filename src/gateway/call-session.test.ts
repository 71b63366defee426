import { describe, expect, test } from "vitest";
import { CallRig } from "../../test/support/call-rig.ts";
import { isRingbackError } from "../errors.ts";
import type { MediaEngine, MediaLeg } from "../media/index.ts";
import { ScriptedMediaEngine } from "../testing/index.ts";
import type { Call } from "./call.ts";

const nothing = (): void => {};
const answer = (call: Call): Promise<void> => call.answer();

/** A call that is up: answered, accepted, audio flowing. */
async function activeRig(): Promise<CallRig> {
  const rig = new CallRig(answer);
  await rig.connect();
  await rig.mediaUp();
  expect(rig.call.phase).toBe("active");
  return rig;
}

/** Every call ends once, is forgotten, and leaves no timer behind. */
async function expectEnd(rig: CallRig, reason: string): Promise<void> {
  await rig.settle();
  expect((await rig.call.ended).reason).toBe(reason);
  expect(rig.steps.filter((step) => step === "ended")).toHaveLength(1);
  expect(rig.call.phase).toBe("ended");
  expect(rig.registry.size).toBe(0);
  expect(rig.clock.pendingTimers).toBe(0);
}

describe("the caller hangs up", () => {
  test("while the media leg is being opened: it is closed as soon as it is there", async () => {
    let open = nothing;
    const inner = new ScriptedMediaEngine();
    const engine: MediaEngine = {
      name: "slow",
      async openLeg(offer, listener): Promise<MediaLeg> {
        await new Promise<void>((resolve) => {
          open = resolve;
        });
        return inner.openLeg(offer, listener);
      },
      close: () => Promise.resolve(),
    };
    const rig = new CallRig(answer, { engine });
    await rig.connect();
    await rig.terminate();
    await expectEnd(rig, "caller-hangup");
    open();
    await rig.settle();
    expect(inner.lastLeg.isClosed).toBe(true);
    expect(rig.graph.sent).toEqual([]);
    expect(rig.log.filter((line) => line.level === "error")).toEqual([]);
  });

  test("while pre_accept is under way: its answer changes nothing", async () => {
    const rig = new CallRig(answer);
    rig.graph.holds.add("pre_accept");
    await rig.connect();
    await rig.terminate();
    rig.graph.release("pre_accept");
    await expectEnd(rig, "caller-hangup");
    expect(rig.graph.sent).toEqual(["pre_accept"]);
    expect(rig.engine.lastLeg).toMatchObject({ connectCalls: 0, isClosed: true });
  });

  test("while accept is under way: no audio leaves after its 200, and answer() says that the call ended", async () => {
    const failures: unknown[] = [];
    const rig = new CallRig((call) => call.answer().catch((error: unknown) => void failures.push(error)));
    rig.graph.holds.add("accept");
    await rig.connect();
    await rig.mediaUp();
    await rig.terminate();
    rig.graph.release("accept");
    await expectEnd(rig, "caller-hangup");
    expect(failures).toMatchObject([{ code: "CALL_ENDED", details: { reason: "caller-hangup" } }]);
    expect(rig.graph.sent).toEqual(["pre_accept", "accept"]);
    expect(rig.engine.lastLeg.sentCount).toBe(0);
  });

  test("twice: the second webhook changes nothing", async () => {
    const rig = await activeRig();
    await rig.terminate();
    await rig.terminate({ errors: [{ code: 138021, title: null, message: null, details: null }] });
    await expectEnd(rig, "caller-hangup");
    expect((await rig.call.ended).remoteErrors).toEqual([]);
  });

  test("before a program that does not await answer(): nothing is thrown at the process", async () => {
    const rig = new CallRig((call) => void call.answer());
    await rig.connect();
    await rig.terminate();
    await expectEnd(rig, "caller-hangup");
    void rig.call.answer();
    await rig.settle();
  });
});

describe("the program", () => {
  test("rejects while pre_accept is under way: it is given up, and that is no failure", async () => {
    const rig = new CallRig((call) => call.ended.then(nothing));
    rig.graph.holds.add("pre_accept");
    await rig.connect();
    await rig.call.reject();
    await expectEnd(rig, "rejected");
    expect(rig.graph.sent).toEqual(["pre_accept", "reject"]);
    expect(rig.steps).toEqual([
      "webhook",
      "answer-built",
      "pre-accept-sent",
      "ended",
      "reject-sent",
      "rejected",
    ]);
    expect(rig.log.filter((line) => line.level === "warn")).toEqual([]);
  });

  test("hangs up while accept is under way: terminate follows it, in that order", async () => {
    const rig = new CallRig((call) => void call.answer());
    rig.graph.holds.add("accept");
    await rig.connect();
    await rig.mediaUp();
    const hungUp = rig.call.hangUp();
    await rig.settle();
    expect(rig.graph.sent).toEqual(["pre_accept", "accept"]);
    rig.graph.release("accept");
    await hungUp;
    expect(rig.graph.sent).toEqual(["pre_accept", "accept", "terminate"]);
    await expectEnd(rig, "local-hangup");
  });

  test("hangs up from within a listener: the phases keep their order", async () => {
    const phases: string[] = [];
    const rig = new CallRig((call) => {
      call.on("phase", (next) => {
        phases.push(next);
        if (next === "active") void call.hangUp();
      });
      void call.answer();
    });
    await rig.connect();
    await rig.mediaUp();
    await expectEnd(rig, "local-hangup");
    expect(phases).toEqual(["connecting", "active", "ended"]);
  });

  test("rejects a call whose caller was quicker: nothing is wrong with that", async () => {
    const rig = new CallRig((call) => call.ended.then(() => call.reject()));
    await rig.connect();
    await rig.terminate();
    await expectEnd(rig, "caller-hangup");
    expect(rig.graph.sent).toEqual(["pre_accept"]);
    expect(rig.log.filter((line) => line.level === "error")).toEqual([]);
  });

  test("cannot reject what it has answered", async () => {
    const rig = await activeRig();
    await expect(rig.call.reject()).rejects.toMatchObject({ code: "CALL_WRONG_PHASE" });
    expect(rig.call.phase).toBe("active");
  });

  test("answers twice: one accept, and both are told", async () => {
    const rig = new CallRig((call) => Promise.all([call.answer(), call.answer()]).then(nothing));
    await rig.connect();
    await rig.mediaUp();
    await rig.call.answer();
    expect(rig.graph.sent).toEqual(["pre_accept", "accept"]);
    expect(rig.graph.sdps[0]).toBe(rig.graph.sdps[1]);
    expect(rig.steps.filter((step) => step === "answer-requested")).toHaveLength(1);
  });

  test("fails in a listener: the others hear of it all the same", async () => {
    const heard: string[] = [];
    const rig = new CallRig((call) => {
      call.on("phase", () => {
        throw new Error("a fault of the program");
      });
      call.on("phase", () => Promise.reject(new Error("another one")) as never);
      call.on("phase", (next) => heard.push(next));
      void call.answer();
    });
    await rig.connect();
    await rig.mediaUp();
    expect(heard).toEqual(["connecting", "active"]);
    expect(rig.log.filter((line) => line.message === "listener failed")).toHaveLength(4);
  });

  test("fails in onFrame, at once or later: it is taken off, and the call goes on", async () => {
    const rig = await activeRig();
    const rtp = (sequence: number): Uint8Array =>
      Uint8Array.of(0x80, 111, 0, sequence, 0, 0, 0, sequence, 0, 0, 0, 9, 0xf8, 1);
    rig.call.onFrame = () => {
      throw new Error("a fault of the program");
    };
    rig.engine.lastLeg.receive(rtp(1));
    expect(rig.call.onFrame).toBeNull();
    rig.call.onFrame = (() => Promise.reject(new Error("a later one"))) as () => void;
    rig.engine.lastLeg.receive(rtp(2));
    await rig.settle();
    expect(rig.call.onFrame).toBeNull();
    expect(rig.call.phase).toBe("active");
  });
});

describe("digits", () => {
  const keysSent = (rig: CallRig) =>
    rig.engine.lastLeg.sent.filter((packet) => ((packet[1] ?? 0) & 0x7f) === 126).map((packet) => packet[12]);

  test("are pressed one after the other, and the outcome is a value", async () => {
    const rig = await activeRig();
    const sending = rig.call.sendDigits("4#");
    await rig.clock.advanceAsync(1_000);
    expect(await sending).toBe("sent");
    expect([...new Set(keysSent(rig))]).toEqual([4, 11]);
  });

  test("wait for the call to be active", async () => {
    const rig = new CallRig(() => {});
    await rig.connect();
    const sending = rig.call.sendDigits("1");
    await rig.mediaUp();
    await rig.clock.advanceAsync(500);
    expect(keysSent(rig)).toEqual([]);
    await rig.call.answer();
    await rig.clock.advanceAsync(500);
    expect(await sending).toBe("sent");
  });

  test("end with the call, and those that are none are refused", async () => {
    const rig = await activeRig();
    await expect(rig.call.sendDigits("five")).rejects.toMatchObject({ code: "OPTION_INVALID" });
    const sending = rig.call.sendDigits("123456");
    await rig.terminate();
    expect(await sending).toBe("call-ended");
    expect(await rig.call.sendDigits("1")).toBe("call-ended");
  });
});

describe("media", () => {
  test("that is lost in the middle of the call ends it, and WhatsApp is told", async () => {
    const rig = await activeRig();
    await rig.clock.advanceAsync(1_000);
    rig.engine.lastLeg.reportDown("failed");
    await expectEnd(rig, "media-failed");
    expect(rig.graph.sent).toEqual(["pre_accept", "accept", "terminate"]);
    expect(await rig.call.ended).toMatchObject({ answered: true, durationMs: 1_000 });
  });

  test("that goes down says why: in the timeline, in the end's error and in its explanation", async () => {
    const rig = await activeRig();
    rig.engine.lastLeg.reportDown("failed", "ice-consent-expired");
    await expectEnd(rig, "media-failed");
    const end = await rig.call.ended;
    expect(end.error).toMatchObject({ code: "MEDIA_LOST", details: { reason: "ice-consent-expired" } });
    expect(end.explanation.meaning).toContain("ICE consent");
    const step = rig.call.timeline.find((entry) => entry.step === "media-down");
    expect(step?.detail).toBe("ice-consent-expired");
  });

  test("that does not come up, with the reason, does not wait for the time to be over", async () => {
    const rig = new CallRig(answer);
    await rig.connect();
    rig.engine.lastLeg.reportDown("failed", "dtls-fingerprint-mismatch");
    await expectEnd(rig, "media-failed");
    expect(rig.graph.sent).toEqual(["pre_accept", "reject"]);
    expect((await rig.call.ended).explanation.meaning).toContain("certificate");
  });

  test("that goes down without a word of why is explained in general", async () => {
    const rig = await activeRig();
    rig.engine.lastLeg.reportDown("disconnected");
    const end = await rig.call.ended;
    expect(end.error).toMatchObject({ code: "MEDIA_LOST", details: { reason: "unknown" } });
    expect(end.explanation.nextStep).toContain("MEDIA_PORT");
  });

  test("that never comes up ends the call in its time, answered or not", async () => {
    const rig = new CallRig(answer);
    await rig.connect();
    await rig.clock.advanceAsync(15_000);
    await expectEnd(rig, "media-timeout");
    expect(rig.graph.sent).toEqual(["pre_accept", "reject"]);
    expect((await rig.call.ended).explanation.meaning).toContain("ICE");
  });

  test("whose engine throws ends its call all the same", async () => {
    class BrokenEngine extends ScriptedMediaEngine {
      override async openLeg(...args: Parameters<MediaEngine["openLeg"]>): Promise<MediaLeg> {
        const leg = await super.openLeg(...args);
        const fail = (): never => {
          throw new Error("a fault of the engine");
        };
        return Object.assign(leg, { connect: fail, close: fail });
      }
    }
    const rig = new CallRig(answer, { engine: new BrokenEngine() });
    await rig.connect();
    await expectEnd(rig, "media-failed");
    expect(rig.graph.sent).toEqual(["pre_accept", "reject"]);
  });

  test("that cannot be opened is told as the error it was", async () => {
    const rig = new CallRig(answer);
    rig.engine.failsToOpen = true;
    await rig.connect();
    await expectEnd(rig, "media-failed");
    expect((await rig.call.ended).error?.code).toBe("MEDIA_ENGINE_FAILED");
    expect(rig.graph.sent).toEqual(["reject"]);
  });

  test("whose engine never opens a leg does not keep the call for ever", async () => {
    const engine: MediaEngine = {
      name: "stuck",
      openLeg: () => new Promise(nothing),
      close: () => Promise.resolve(),
    };
    const plays: unknown[] = [];
    const rig = new CallRig(
      async (call) => {
        void call.play("a.wav").then((result) => plays.push(result));
        await call.answer();
      },
      { engine },
    );
    await rig.connect();
    await rig.clock.advanceAsync(30_000);
    await expectEnd(rig, "media-failed");
    expect(plays).toEqual([{ outcome: "call-ended", playedMs: 0, interruptedBy: null }]);
  });
});

describe("the Graph API", () => {
  test("that does not answer pre_accept in time is the reason, not the program that has answered", async () => {
    const rig = new CallRig(answer);
    rig.graph.holds.add("pre_accept");
    await rig.connect();
    await rig.clock.advanceAsync(30_000);
    await expectEnd(rig, "graph-unreachable");
    expect(rig.graph.sent).toEqual(["pre_accept", "reject"]);
  });

  test("that fails accept leaves open whether WhatsApp took it, so the call is terminated", async () => {
    const rig = new CallRig(answer);
    rig.graph.holds.add("accept");
    await rig.connect();
    await rig.mediaUp();
    rig.graph.fail("accept");
    await expectEnd(rig, "graph-unreachable");
    expect(rig.graph.sent).toEqual(["pre_accept", "accept", "terminate"]);
    expect((await rig.call.ended).error?.code).toBe("GRAPH_UNREACHABLE");
  });

  test("that fails terminate does not change how the call ended, but the timeline tells", async () => {
    const rig = await activeRig();
    rig.graph.holds.add("terminate");
    const hungUp = rig.call.hangUp();
    await rig.settle();
    rig.graph.fail("terminate");
    await hungUp;
    await expectEnd(rig, "local-hangup");
    expect(await rig.call.ended).toMatchObject({ error: null });
    expect(rig.call.timeline.at(-1)).toMatchObject({
      step: "graph-failed",
      detail: "terminate GRAPH_UNREACHABLE",
    });
  });
});

describe("play", () => {
  test("before the answer begins with the first packet", async () => {
    const results: unknown[] = [];
    const rig = new CallRig((call) => void call.play("a.wav").then((result) => results.push(result)));
    await rig.connect();
    await rig.mediaUp();
    await rig.clock.advanceAsync(5_000);
    expect(rig.engine.lastLeg.sentCount).toBe(0);
    void rig.call.answer();
    await rig.clock.advanceAsync(1_020);
    expect(results).toEqual([{ outcome: "completed", playedMs: 1_000, interruptedBy: null }]);
    expect(rig.engine.lastLeg.sent[0]?.subarray(12)).toEqual(Uint8Array.of(0xf8, 1));
  });

  test("that the caller's end, a signal or another play cuts short says so, and how much was heard", async () => {
    const rig = await activeRig();
    const stop = new AbortController();
    const aborted = rig.call.play("a.wav", { loop: true, signal: stop.signal });
    await rig.clock.advanceAsync(400);
    stop.abort();
    expect(await aborted).toEqual({ outcome: "stopped", playedMs: 400, interruptedBy: null });
    const replaced = rig.call.play("a.wav");
    await rig.clock.advanceAsync(200);
    const cut = rig.call.play("b.wav");
    await rig.clock.advanceAsync(100);
    expect(await replaced).toEqual({ outcome: "replaced", playedMs: 200, interruptedBy: null });
    await rig.terminate();
    expect(await cut).toEqual({ outcome: "call-ended", playedMs: 100, interruptedBy: null });
    expect(await rig.call.play("a.wav")).toEqual({ outcome: "call-ended", playedMs: 0, interruptedBy: null });
  });

  test("of a file that loads slowly does not replace one that was asked for after it", async () => {
    const rig = await activeRig();
    const first = rig.call.play("slow.wav");
    const second = rig.call.play("b.wav");
    await rig.clock.advanceAsync(100);
    rig.prompts.slow.get("slow.wav")?.();
    expect(await first).toEqual({ outcome: "replaced", playedMs: 0, interruptedBy: null });
    await rig.clock.advanceAsync(1_000);
    expect(await second).toEqual({ outcome: "completed", playedMs: 1_000, interruptedBy: null });
  });

  test("of a missing file replaces nothing", async () => {
    const rig = await activeRig();
    const slow = rig.call.play("slow.wav");
    await expect(rig.call.play("missing.wav")).rejects.toMatchObject({ code: "MEDIA_FILE_UNUSABLE" });
    rig.prompts.slow.get("slow.wav")?.();
    await rig.clock.advanceAsync(1_020);
    expect(await slow).toEqual({ outcome: "completed", playedMs: 1_000, interruptedBy: null });
  });

  test("of a missing file fails where it is awaited, not before", async () => {
    const failures: unknown[] = [];
    const rig = new CallRig(async (call) => {
      const playing = call.play("missing.wav");
      await call.answer();
      await playing.catch((error: unknown) => failures.push(error));
    });
    await rig.connect();
    // An unhandled rejection in between would fail the run.
    await rig.clock.advanceAsync(1_000);
    expect(failures).toEqual([]);
    await rig.mediaUp();
    expect(failures.every((error) => isRingbackError(error, "MEDIA_FILE_UNUSABLE"))).toBe(true);
    expect(failures).toHaveLength(1);
    expect(rig.call.phase).toBe("active");
  });

  test("with a signal that is aborted already plays nothing", async () => {
    const rig = await activeRig();
    const result = await rig.call.play("a.wav", { signal: AbortSignal.abort() });
    expect(result).toEqual({ outcome: "stopped", playedMs: 0, interruptedBy: null });
  });
});
