import { copyFileSync, existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { keeperInto } from "../../../test/support/keeper.ts";
import { TalkingRig } from "../../../test/support/talking-rig.ts";
import { silentLogger } from "../../logger.ts";
import { type HostedSession, WorkSlices } from "../../media/index.ts";
import { failedRecording } from "../../media/session-recordings.ts";
import type { CallChange } from "../../store/types.ts";
import { ManualClock } from "../../testing/manual-clock.ts";
import { CallRecordingTask, type RecordParts } from "./record.ts";
import type { RecordingResult, RecordOptions, StartRecordingOptions } from "./types.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "ringback-record-"));
});
const rigs: TalkingRig[] = [];
afterEach(async () => {
  for (const rig of rigs.splice(0)) {
    await rig.hangUp();
    expect(rig.clock.pendingTimers).toBe(0);
  }
  rmSync(folder, { recursive: true });
});

async function start(): Promise<TalkingRig> {
  const rig = await TalkingRig.start();
  rigs.push(rig);
  return rig;
}

const file = (): string => join(folder, "call.opus");
/** Of rigs, every sound lasts a second. */
const SOUND_MS = 1_000;

/** A message that is being taken. */
async function recording(options: RecordOptions, rig?: TalkingRig) {
  const call = rig ?? (await start());
  const state: { result: RecordingResult | null } = { result: null };
  const finished = call.call.record({ file: file(), ...options });
  void finished.then((result) => {
    state.result = result;
  });
  await call.settle();
  return { rig: call, state, finished };
}

/** A recording of the whole call. */
async function wholeCall(options: StartRecordingOptions) {
  const rig = await start();
  const task = rig.call.startRecording({ file: file(), ...options });
  await rig.settle();
  return { rig, task };
}

const nothing = { files: [], durationMs: 0, error: null };

describe("without a choice that was made", () => {
  test.each([
    [{}, "consent", /"announce", "dtmf" or "none"/],
    [{ consent: "maybe" }, "consent", /"announce", "dtmf" or "none"/],
    [{ consent: "announce" }, "announcement", /has to be told/],
    [{ consent: "dtmf" }, "announcement", /has to be told/],
    [{ consent: "none", consentKey: "yes" }, "consentKey", /one key/],
    [{ consent: "none", channels: "left" }, "channels", /"caller", "business" or "both"/],
    [{ consent: "none", layout: "mono" }, "layout", /"stereo" or "files"/],
    [{ consent: "none", format: "mp3" }, "format", /"opus" or "wav"/],
    [{ consent: "none", maxMs: 10 }, "maxMs", /100/],
    [{ consent: "none", endOnSilenceMs: 100 }, "endOnSilenceMs", /300/],
  ] as const)("%o is refused, with what there is to choose", async (options, option, message) => {
    const rig = await start();
    const error = { code: "OPTION_INVALID", details: { option }, message: expect.stringMatching(message) };
    await expect(rig.call.record(options as unknown as RecordOptions)).rejects.toMatchObject(error);
    expect(() => rig.call.startRecording(options as unknown as RecordOptions)).toThrow(
      expect.objectContaining({ code: "OPTION_INVALID" }),
    );
  });

  test("of one key to end it, a message is refused", async () => {
    const rig = await start();
    await expect(rig.call.record({ consent: "none", finishOnKey: "12" })).rejects.toMatchObject({
      details: { option: "finishOnKey" },
    });
  });
});

describe("an announcement", () => {
  const told = { consent: "announce", announcement: "told", beep: false, maxMs: 500 } as const;

  test("is played to its end before anything is recorded", async () => {
    const { rig, finished } = await recording(told);
    const beganAtMs = rig.clock.wallMs();
    await rig.pass(SOUND_MS + 600);
    const result = await finished;
    expect(result).toMatchObject({ status: "completed", endedBy: "max-duration" });
    expect(result.durationMs).toBeGreaterThanOrEqual(480);
    expect(result.durationMs).toBeLessThanOrEqual(500);
    expect(result.consent).toMatchObject({ mode: "announce", state: "announced", digit: null });
    expect((result.consent.atMs ?? 0) - beganAtMs).toBeGreaterThanOrEqual(SOUND_MS);
  });

  test("that a hang-up cuts short is none: nothing is recorded", async () => {
    const { rig, finished } = await recording(told);
    await rig.pass(400);
    await rig.hangUp();
    const consent = { mode: "announce", state: "not-asked", atMs: null, digit: null };
    expect(await finished).toMatchObject({ status: "absent", endedBy: "call-ended", consent, ...nothing });
    expect(existsSync(file())).toBe(false);
  });

  test("is heard to its end: what the program plays meanwhile begins behind it", async () => {
    const { rig, task } = await wholeCall({ consent: "announce", announcement: "announcement.wav" });
    const playing = rig.call.play("b.wav");
    await rig.pass(2 * SOUND_MS + 40);
    expect((await playing).outcome).toBe("completed");
    expect(await task.stop()).toMatchObject({ status: "completed", consent: { state: "announced" } });
  });

  test("that cannot be played is a failure, with the reason", async () => {
    const { finished } = await recording({ ...told, announcement: "missing" });
    expect(await finished).toMatchObject({
      status: "failed",
      endedBy: "failed",
      files: [],
      error: { code: "MEDIA_FILE_UNUSABLE" },
    });
  });

  test("ends at once when the recording is stopped", async () => {
    const { rig, task } = await wholeCall({ consent: "announce", announcement: "told" });
    await rig.pass(400);
    const stopped = task.stop();
    await rig.pass(60);
    expect(await stopped).toMatchObject({ status: "absent", endedBy: "stopped", ...nothing });
    expect(rig.heard(1)).toEqual(["silence"]);
  });
});

describe("a question", () => {
  const asked = { consent: "dtmf", announcement: "asked", beep: false, maxMs: 500 } as const;

  test.each([
    ["its key", {}, "1", "given"],
    ["another key of one's own choice", { consentKey: "*" }, "*", "given"],
    ["any other key", {}, "2", "declined"],
    ["the key that would finish a gather", {}, "#", "declined"],
  ] as const)("is answered by %s", async (_, options, key, answer) => {
    const { rig, finished } = await recording({ ...asked, ...options });
    await rig.pass(300);
    await rig.press(key);
    await rig.pass(600);
    const result = await finished;
    expect(result.consent).toMatchObject({ mode: "dtmf", state: answer, digit: key });
    expect(result.consent.atMs).not.toBeNull();
    expect(result.status).toBe(answer === "given" ? "completed" : "absent");
    if (answer === "declined") expect(result).toMatchObject({ endedBy: "declined", ...nothing });
  });

  test("that is not answered within 10 s is declined", async () => {
    const { rig, state, finished } = await recording(asked);
    await rig.pass(SOUND_MS + 9_900);
    expect(state.result).toBeNull();
    await rig.pass(200);
    expect(await finished).toMatchObject({
      endedBy: "declined",
      consent: { state: "declined", digit: null },
    });
  });

  test("is not answered by a key from before it", async () => {
    const rig = await start();
    await rig.press("1");
    const { state } = await recording(asked, rig);
    await rig.pass(5_000);
    expect(state.result).toBeNull();
    await rig.press("2");
    expect(state.result).toMatchObject({ endedBy: "declined" });
  });

  test("that was not heard is not answered, whatever is pressed", async () => {
    const { rig, finished } = await recording({ ...asked, announcement: "missing" });
    await rig.press("1");
    expect(await finished).toMatchObject({
      status: "failed",
      consent: { state: "not-asked" },
      error: { code: "MEDIA_FILE_UNUSABLE" },
    });
  });

  test.each([
    ["while it is asked", 300],
    ["while an answer is waited for", 3_000],
  ])("ends with the call %s, unanswered", async (_, waitMs) => {
    const { rig, finished } = await recording(asked);
    await rig.pass(waitMs);
    await rig.hangUp();
    expect(await finished).toMatchObject({
      status: "absent",
      endedBy: "call-ended",
      consent: { state: "not-asked", atMs: null },
    });
  });

  test("ends with the signal, unanswered", async () => {
    const abort = new AbortController();
    const { rig, finished } = await recording({ ...asked, signal: abort.signal });
    await rig.pass(3_000);
    abort.abort();
    expect(await finished).toMatchObject({ endedBy: "aborted", consent: { state: "not-asked" } });
  });
});

describe("a message", () => {
  test("begins behind the beep, and its key ends it and is nobody else's", async () => {
    const { rig, finished } = await recording({ consent: "none" });
    await rig.pass(500);
    expect(rig.heard(3)).toEqual(["prompt", "prompt", "prompt"]);
    await rig.pass(SOUND_MS);
    await rig.press("12#");
    const result = await finished;
    expect(result).toMatchObject({ status: "completed", endedBy: "finish-key" });
    expect(result.durationMs).toBeLessThan(600);
    const later = rig.call.gather({ timeoutMs: 100 });
    await rig.pass(150);
    expect((await later).outcome).toBe("timeout");
  });

  test("that is aborted before or in the beep is none", async () => {
    for (const waitMs of [0, 300]) {
      const abort = new AbortController();
      if (waitMs === 0) abort.abort();
      const { rig, finished } = await recording({ consent: "none", signal: abort.signal });
      await rig.pass(waitMs);
      abort.abort();
      await rig.pass(60);
      expect(await finished).toMatchObject({ status: "absent", endedBy: "aborted", ...nothing });
      expect(rig.heard(1)).toEqual(["silence"]);
    }
  });

  test("that is aborted later is kept", async () => {
    const abort = new AbortController();
    const { rig, finished } = await recording({ consent: "none", beep: false, signal: abort.signal });
    await rig.pass(1_000);
    abort.abort();
    expect(await finished).toMatchObject({ status: "completed", endedBy: "aborted", durationMs: 980 });
  });

  test("of a call that is over is none", async () => {
    const rig = await start();
    await rig.hangUp();
    for (const options of [{ consent: "none" }, { consent: "announce", announcement: "told" }] as const) {
      const { finished } = await recording(options, rig);
      expect(await finished).toMatchObject({ status: "absent", endedBy: "call-ended", ...nothing });
    }
  });
});

test("a pause from before it began is one from its beginning", async () => {
  const { rig, task } = await wholeCall({ consent: "announce", announcement: "told" });
  task.pause();
  await rig.pass(SOUND_MS + 1_000);
  task.resume();
  await rig.pass(500);
  const result = await task.stop();
  expect(await task.stop()).toBe(result);
  expect(result.pausedMs).toBeGreaterThanOrEqual(900);
  expect(result.durationMs).toBeGreaterThan(result.pausedMs);
});

test("what a broken worker has left is named, with its length and its hash", async () => {
  const { rig, finished } = await recording({ consent: "none", beep: false, maxMs: 1_000 });
  await rig.pass(1_100);
  const [whole] = (await finished).files;
  const left = join(folder, "left.opus");
  copyFileSync(file(), left);

  const clock = new ManualClock();
  const lost = failedRecording("worker-crashed", "The media worker broke down.", [
    { path: left, channel: "caller", bytes: 0 },
    { path: join(folder, "never-begun.opus"), channel: "business", bytes: 0 },
  ]);
  const session = {
    record: () => ({ finished: Promise.resolve(lost), stop: () => {}, pause: () => {}, resume: () => {} }),
  } as unknown as HostedSession;
  const changes: CallChange[] = [];
  const keeper = keeperInto(changes, { clock, phoneNumberId: "1", number: 0 });
  const call = {
    timers: clock,
    clock,
    logger: silentLogger,
    endReason: null,
    keeper,
    media: async () => session,
  };
  const consent = { run: async () => ({ mode: "none", state: "not-asked", atMs: null, digit: null }) };
  const parts = { call, consent, folder, slices: new WorkSlices(clock, 4) } as unknown as RecordParts;
  expect(await new CallRecordingTask(parts, { consent: "none" }).finished).toMatchObject({
    status: "failed",
    endedBy: "failed",
    files: [{ path: left, channel: "caller", bytes: whole?.bytes, sha256: whole?.sha256 }],
    durationMs: 980,
    error: { code: "RECORDING_FAILED", message: "The media worker broke down." },
  });
  expect(clock.pendingTimers).toBe(0);
  // In the record: that it began and where, then what became of it, by the same id.
  const noted = changes.flatMap(({ recordings = [] }) => recordings);
  expect(noted).toMatchObject([
    { status: "in-progress", files: [{ channel: "both" }] },
    { id: noted[0]?.id, status: "failed", durationMs: 980, files: [{ sha256: whole?.sha256 }] },
  ]);
  expect(changes.flatMap(({ events = [] }) => events.map(({ type }) => type))).toEqual([
    "recording.started",
    "recording.failed",
  ]);
});
