import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { serializeWav } from "../../src/core/audio/wav.ts";
import type { Call, PlaySource, TextToSpeech } from "../../src/index.ts";
import { SAMPLE, startPair, until } from "./fixture.ts";
import { startTalking, type TalkingPair, talkFor } from "./talking-pair.ts";

const unhandled: unknown[] = [];
const note = (reason: unknown): void => void unhandled.push(reason);

/** What keeps the process alive, by kind; what belongs to the test's own process changes in between. */
function handles(): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const kind of process.getActiveResourcesInfo()) counts[kind] = (counts[kind] ?? 0) + 1;
  const {
    UDPWRAP = 0,
    TCPSERVERWRAP = 0,
    MessagePort = 0,
    PROCESSWRAP = 0,
  } = counts as Record<string, number>;
  return { UDPWRAP, TCPSERVERWRAP, MessagePort, PROCESSWRAP };
}

/** Speaks at once, or never, as the text says; `left` counts what it was told to leave. */
class ScriptedSpeech implements TextToSpeech {
  readonly name = "scripted";
  left = 0;

  synthesize({ text, signal }: Parameters<TextToSpeech["synthesize"]>[0]): Promise<Uint8Array> {
    if (text !== "never") return Promise.resolve(readFileSync(SAMPLE));
    return new Promise((_, reject) => {
      signal?.addEventListener("abort", () => {
        this.left += 1;
        reject(signal.reason);
      });
    });
  }
}

let folder = "";
let server: Server;
let url = "";
let before: Record<string, number>;
let talking: TalkingPair;
const speech = new ScriptedSpeech();

beforeAll(async () => {
  process.on("unhandledRejection", note);
  folder = mkdtempSync(join(tmpdir(), "ringback-hangup-"));
  // Longer than what is encoded as a whole.
  const minutes = new Int16Array(8_000 * 150);
  writeFileSync(
    join(folder, "long.wav"),
    serializeWav({ sampleRateHz: 8_000, channelCount: 1, samples: minutes.map((_, i) => (i % 20) * 400) }),
  );
  server = createServer((request, response) => {
    // The other one is never answered.
    if (request.url === "/a.mp3") response.setHeader("content-type", "audio/mpeg").end(readFileSync(SAMPLE));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  before = handles();
  talking = await startTalking({
    recordingsFolder: join(folder, "recordings"),
    speech,
    requests: { allowHttp: true, allowedHosts: ["127.0.0.1"] },
  });
});

afterAll(async () => {
  await talking[Symbol.asyncDispose]();
  // Nothing of all the calls is left: no socket, no thread, no process.
  try {
    await until(() => JSON.stringify(handles()) === JSON.stringify(before));
  } catch {
    expect(handles()).toEqual(before);
  }
  server.closeAllConnections();
  server.close();
  process.off("unhandledRejection", note);
  expect(unhandled).toEqual([]);
  rmSync(folder, { recursive: true });
});

/** Starts something on a call, lets it go on for a moment, and hangs up. */
async function hangUpIn<T>(start: (call: Call) => T, afterMs = 150): Promise<Awaited<T>> {
  const { call, phone } = await talking.connect();
  const doing = start(call);
  await talkFor(afterMs);
  phone.hangUp();
  await phone.ended;
  const result = await doing;
  expect((await call.ended).reason).toBe("caller-hangup");
  return result;
}

async function* endless(): AsyncGenerator<Int16Array> {
  for (;;) yield new Int16Array(320).fill(3_000);
}
const idle: AsyncIterable<Int16Array> = {
  [Symbol.asyncIterator]: () => ({ next: () => new Promise<never>(() => {}) }),
};

describe("a caller who hangs up ends what is played, whatever it is", () => {
  const sources: readonly (readonly [string, () => PlaySource | readonly PlaySource[]])[] = [
    ["a file", () => SAMPLE],
    ["a file that is streamed", () => join(folder, "long.wav")],
    ["a URL", () => `${url}/a.mp3`],
    ["a URL that does not answer", () => `${url}/never.mp3`],
    ["bytes", () => readFileSync(SAMPLE)],
    ["a tone", () => ({ tone: { frequencyHz: 500, durationMs: 20_000 } })],
    ["silence", () => ({ silenceMs: 20_000 })],
    ["speech", () => ({ say: "Hello." })],
    ["speech that does not come", () => ({ say: "never" })],
    ["samples", () => ({ pcm: endless(), rateHz: 16_000 })],
    ["samples that do not come", () => ({ pcm: idle, rateHz: 16_000 })],
    ["a list", () => [{ silenceMs: 50 }, { pcm: endless(), rateHz: 16_000 }, SAMPLE]],
  ];

  test.each(sources)("%s", async (_, source) => {
    const [first, queued] = await hangUpIn((call) =>
      Promise.all([
        call.play(source(), { loop: true, interruptOn: ["digit", "speech"] }),
        call.play(SAMPLE, { queue: true }),
      ]),
    );
    expect(first).toMatchObject({ outcome: "call-ended", interruptedBy: null });
    expect(queued).toEqual({ outcome: "call-ended", playedMs: 0, interruptedBy: null });
  });

  test("while it is paused, and though nobody waits for it", async () => {
    const result = await hangUpIn((call) => {
      void call.play("no-such-file.mp3");
      const playing = call.say("Hello.");
      playing.pause();
      return playing;
    });
    expect(result.outcome).toBe("call-ended");
  });

  test("and whoever speaks is told that nobody waits for it any more", async () => {
    speech.left = 0;
    expect((await hangUpIn((call) => call.say("never"))).outcome).toBe("call-ended");
    expect(speech.left).toBe(1);
  });
});

describe("a caller who hangs up ends", () => {
  test("a gather, in its prompt, behind it, and with keys", async () => {
    const hungUp = { outcome: "hangup", digits: "", finishedBy: null };
    expect(await hangUpIn((call) => call.gather({ prompt: SAMPLE, retries: 3 }))).toEqual(hungUp);
    expect(await hangUpIn((call) => call.gather({ timeoutMs: 60_000 }))).toEqual(hungUp);
    expect(await hangUpIn((call) => call.gather({ prompt: `${url}/never.mp3` }))).toEqual(hungUp);
  });

  test("messages, in the announcement, in the beep, and while they are taken", async () => {
    const absent = { status: "absent", endedBy: "call-ended", files: [], error: null };
    const told = { consent: "announce", announcement: SAMPLE } as const;
    expect(await hangUpIn((call) => call.record(told))).toMatchObject(absent);
    const unheard = { consent: "dtmf", announcement: `${url}/never.mp3` } as const;
    expect(await hangUpIn((call) => call.record(unheard))).toMatchObject(absent);
    expect(await hangUpIn((call) => call.record({ consent: "none" }))).toMatchObject(absent);
    const message = { consent: "none", beep: false, endOnSilenceMs: 10_000 } as const;
    const taken = await hangUpIn((call) => call.record(message), 600);
    expect(taken).toMatchObject({ status: "completed", endedBy: "call-ended", error: null });
    expect(existsSync(taken.files[0]?.path ?? "")).toBe(true);
  });

  test("recordings of the call, paused or not", async () => {
    const [whole, paused] = await hangUpIn((call) => {
      const recordings = [call.startRecording({ consent: "none" }), call.startRecording({ consent: "none" })];
      recordings[1]?.pause();
      return Promise.all(recordings.map(({ finished }) => finished));
    }, 600);
    expect(whole).toMatchObject({ status: "completed", endedBy: "call-ended", pausedMs: 0 });
    expect(paused).toMatchObject({ status: "completed", endedBy: "call-ended" });
    expect(paused?.pausedMs).toBe(paused?.durationMs);
  });

  test("keys that are being sent, either way", async () => {
    const digits = "0123456789ABCD*#";
    expect(await hangUpIn((call) => call.sendDigits(digits))).toBe("call-ended");
    expect(await hangUpIn((call) => call.sendDigits(digits, { inBand: true }))).toBe("call-ended");
  });

  test("listening and the detection of speech, whoever reads them", async () => {
    const [heard, spoken, unread] = await hangUpIn(async (call) => {
      const counts = { pieces: 0, events: 0 };
      const stream = call.audio();
      const never = call.audio({ rateHz: 8_000, bufferMs: 100 });
      await Promise.all([
        (async () => {
          for await (const samples of stream) counts.pieces += samples.length / 320;
        })(),
        (async () => {
          for await (const _ of call.detectSpeech()) counts.events += 1;
        })(),
      ]);
      return [counts.pieces, counts.events, never.dropped] as const;
    }, 500);
    expect(heard).toBeGreaterThan(5);
    expect(spoken).toBe(0);
    expect(unread).toBeGreaterThan(0);
  });

  test("a sink: what is written, what is waited for, and its end", async () => {
    const [written, marked, ended] = await hangUpIn((call) => {
      const sink = call.audioSink(16_000);
      const writing = sink.write(new Int16Array(16_000 * 30)).catch((error: { code: string }) => error.code);
      void sink.write(new Int16Array(320));
      return Promise.all([writing, sink.mark(), sink.end()]);
    });
    expect([written, marked, ended]).toEqual(["CALL_ENDED", "call-ended", undefined]);
  });

  test("a sink that is written to over and over", async () => {
    const code = await hangUpIn(async (call) => {
      const sink = call.audioSink(48_000);
      try {
        for await (const samples of endless()) await sink.write(samples);
      } catch (error) {
        return (error as { code: string }).code;
      }
      return null;
    });
    expect(code).toBe("CALL_ENDED");
  });

  test("a bridge, and the other call goes on; a hold goes with its call", async () => {
    const [left, right] = [await talking.connect(), await talking.connect()];
    await left.call.hold({ music: SAMPLE });
    const bridge = await left.call.bridge(right.call);
    left.call.unhold();
    expect(await right.phone.hears({ type: "quiet", forMs: 100 })).not.toBeNull();
    left.phone.hangUp();
    expect((await bridge.ended).outcome).toBe("hangup");
    expect(right.call.phase).toBe("active");
    await right.call.hold({ music: SAMPLE });
    expect(await right.phone.hears({ type: "sound" })).not.toBeNull();
    right.phone.hangUp();
    await Promise.all([left.phone.ended, right.phone.ended, right.call.ended]);
    right.call.unhold();
    await expect(left.call.bridge(right.call)).rejects.toMatchObject({ code: "CALL_ENDED" });
  });

  test("all at once", async () => {
    const results = await hangUpIn((call) => {
      const sink = call.audioSink(8_000);
      void (async () => {
        for await (const _ of call.audio()) void sink.write(new Int16Array(160));
      })();
      return Promise.all([
        call.play(SAMPLE, { loop: true, interruptOn: "speech" }).then(({ outcome }) => outcome),
        call.gather({ timeoutMs: 60_000 }).then(({ outcome }) => outcome),
        call.startRecording({ consent: "none" }).finished.then(({ endedBy }) => endedBy),
        call.sendDigits("123456789"),
        sink.write(new Int16Array(80_000)).catch((error: { code: string }) => error.code),
      ]);
    }, 700);
    expect(results).toEqual(["call-ended", "hangup", "call-ended", "call-ended", "CALL_ENDED"]);
  });
});

test("a caller who gives up before the call is answered ends what waits for it", async () => {
  const results: unknown[] = [];
  await using pair = await startPair(async (call) => {
    results.push(
      ...(await Promise.all([
        call.play(SAMPLE),
        call.gather({ prompt: SAMPLE }),
        call.record({ consent: "none" }),
        call.sendDigits("1"),
        call.audioSink(8_000).mark(),
      ])),
    );
  });
  const phone = await pair.simulator.call({ giveUpAfterMs: 300 });
  await phone.ended;
  await until(() => results.length > 0);
  expect(results).toMatchObject([
    { outcome: "call-ended" },
    { outcome: "hangup" },
    { status: "absent", endedBy: "call-ended" },
    "call-ended",
    // Nothing was written before it.
    expect.stringMatching(/played|call-ended/),
  ]);
});

test("what is asked of a call that is over says so, at once", async () => {
  const { call, phone } = await talking.connect();
  phone.hangUp();
  await call.ended;
  const sink = call.audioSink(16_000);
  const { finished } = call.startRecording({ consent: "none" });
  const heard: unknown[] = [];
  for await (const samples of call.audio()) heard.push(samples);
  for await (const event of call.detectSpeech()) heard.push(event);
  expect(heard).toEqual([]);
  expect((await call.play(SAMPLE)).outcome).toBe("call-ended");
  expect((await call.say("never")).outcome).toBe("call-ended");
  expect((await call.gather()).outcome).toBe("hangup");
  expect(await finished).toMatchObject({ status: "absent", endedBy: "call-ended" });
  expect(await call.sendDigits("1")).toBe("call-ended");
  expect(await call.sendDigits("1", { inBand: true })).toBe("call-ended");
  await expect(sink.write(new Int16Array(1))).rejects.toMatchObject({ code: "CALL_ENDED" });
  expect(await sink.mark()).toBe("call-ended");
  await sink.end();
  sink.clear();
  await call.hold({ music: SAMPLE });
  call.unhold();
  await phone.ended;
});
