import { describe, expect, test } from "vitest";
import type { Call, CallHandler, GatherResult, PlayResult } from "../../src/index.ts";
import type { PhoneCall } from "../../src/simulator/index.ts";
import { SAMPLE, startPair, until } from "./fixture.ts";

const tone = (frequencyHz: number, durationMs = 300) => ({ tone: { frequencyHz, durationMs } }) as const;
const signal = (frequencyHz: number) => ({ type: "tone", frequencyHz }) as const;

/** A call whose program does `what` once it is answered; resolves with the phone and with what the program came to. */
async function talk<T>(what: (call: Call) => Promise<T>) {
  let finish: (result: T) => void = () => {};
  let fail: (error: unknown) => void = () => {};
  const result = new Promise<T>((resolve, reject) => {
    finish = resolve;
    fail = reject;
  });
  const handler: CallHandler = async (call) => {
    await call.answer();
    what(call).then(finish, fail);
  };
  const pair = await startPair(handler);
  const phone = await pair.simulator.call({ voice: { type: "silence" } });
  await phone.accepted;
  return {
    pair,
    phone,
    result,
    async [Symbol.asyncDispose]() {
      phone.hangUp();
      await phone.ended;
      await pair[Symbol.asyncDispose]();
    },
  };
}

/** Of a frequency in all of the samples, 48 kHz. */
function energyAt(samples: Int16Array, frequencyHz: number): number {
  const step = (2 * Math.PI * frequencyHz) / 48_000;
  let [real, imaginary] = [0, 0];
  for (const [i, sample] of samples.entries()) {
    real += sample * Math.cos(step * i);
    imaginary += sample * Math.sin(step * i);
  }
  return real * real + imaginary * imaginary;
}

const onset = (phone: PhoneCall, frequencyHz: number): number =>
  phone.media.spansHeard(signal(frequencyHz))[0]?.startedAtMs ?? Number.NaN;

// What is heard and when, in real time: other programs on a busy machine hold up the phone or the media now and then.
describe("play", { retry: 2 }, () => {
  test("sounds follow each other in their order, without a gap", async () => {
    await using call = await talk((it) => it.play([tone(500), { silenceMs: 200 }, tone(900)]));
    expect(await call.result).toEqual({ outcome: "completed", playedMs: 800, interruptedBy: null });
    await until(() => call.phone.media.lastToneAtMs(900) !== null);
    expect(onset(call.phone, 900) - onset(call.phone, 500)).toBeGreaterThan(480);
    expect(onset(call.phone, 900) - onset(call.phone, 500)).toBeLessThan(580);
  });

  test("a queued sound begins when the one before it is over", async () => {
    await using call = await talk((it) => {
      void it.play(tone(500));
      return it.play(tone(900), { queue: true });
    });
    expect((await call.result).outcome).toBe("completed");
    await until(() => call.phone.media.lastToneAtMs(900) !== null);
    expect(call.phone.media.lastToneAtMs(500)!).toBeLessThan(onset(call.phone, 900) + 20);
    expect(call.phone.media.lastToneAtMs(500)! - onset(call.phone, 500)).toBeGreaterThan(270);
  });

  test("a pause is silence, and the rest comes behind it", async () => {
    await using call = await talk(async (it) => {
      const playing = it.play(tone(500, 600));
      await it.silence(20, { queue: false }).catch(() => {});
      return playing;
    });
    expect((await call.result).outcome).toBe("replaced");
    await using paused = await talk(async (it) => {
      const playing = it.play(tone(700, 600));
      setTimeout(() => playing.pause(), 200);
      setTimeout(() => playing.resume(), 600);
      return playing;
    });
    expect(await paused.result).toMatchObject({ outcome: "completed", playedMs: 600 });
    const spans = paused.phone.media.spansHeard(signal(700));
    expect(spans).toHaveLength(2);
    expect(spans[1]!.startedAtMs - spans[0]!.endedAtMs).toBeGreaterThan(300);
  });

  test("samples are played as they come, and what was played of them is told", async () => {
    async function* samples(): AsyncGenerator<Int16Array> {
      for (let second = 0; second < 10; second += 1) {
        yield Int16Array.from({ length: 8_000 }, (_, i) => 9_000 * Math.sin((2 * Math.PI * 500 * i) / 8_000));
      }
    }
    await using call = await talk((it) => {
      const playing = it.play({ pcm: samples(), rateHz: 8_000 });
      setTimeout(() => playing.stop(), 1_000);
      return playing;
    });
    const { outcome, playedMs } = await call.result;
    expect(outcome).toBe("stopped");
    expect(playedMs).toBeGreaterThan(800);
    expect(playedMs).toBeLessThan(1_100);
    const [span] = call.phone.media.spansHeard(signal(500));
    expect(span!.endedAtMs - span!.startedAtMs).toBeGreaterThan(playedMs - 60);
  });

  test("a key of the caller's stops it within 60 ms of its first packet", async () => {
    const results: PlayResult[] = [];
    await using call = await talk(async (it) => {
      for (let round = 0; round < 5; round += 1) {
        results.push(await it.play(tone(500, 5_000), { interruptOn: "digit" }));
        await it.silence(300);
      }
    });
    const lateMs: number[] = [];
    for (let round = 0; round < 5; round += 1) {
      await call.phone.waitForTone(500);
      const [key] = await call.phone.sendDigits("5");
      await call.phone.hears({ type: "quiet", forMs: 100 });
      lateMs.push(call.phone.media.lastToneAtMs(500)! - key!.firstPacketAtMs);
    }
    await call.result;
    expect(results.map(({ interruptedBy }) => interruptedBy)).toEqual(Array(5).fill("digit"));
    // The median: a busy machine may hold up one of them.
    expect(lateMs.toSorted((a, b) => a - b)[2]).toBeLessThan(60);
  });

  test("a second sound, the end of the call and a gain are what they say", async () => {
    await using call = await talk(async (it) => {
      const first = it.play(SAMPLE);
      const second = it.play(tone(500, 400), { gain: 0.1 });
      return [await first, await second] as const;
    });
    const [first, second] = await call.result;
    expect([first.outcome, second.outcome]).toEqual(["replaced", "completed"]);
  });
});

describe("gather", { retry: 2 }, () => {
  const gathering = (options: Parameters<Call["gather"]>[0]) => talk((call) => call.gather(options));

  test("keys up to the most, and the prompt stops at the first", async () => {
    await using call = await gathering({ prompt: tone(500, 4_000), maxDigits: 3 });
    await call.phone.waitForTone(500);
    await call.phone.sendDigits("12#");
    expect(await call.result).toEqual({ outcome: "digits", digits: "12", finishedBy: "finish-key" });
    const [span] = call.phone.media.spansHeard(signal(500));
    expect(span!.endedAtMs - span!.startedAtMs).toBeLessThan(1_500);
  });

  test("no key in any try is a timeout, and the prompt was played in each", async () => {
    await using call = await gathering({ prompt: tone(500, 200), timeoutMs: 300, retries: 2 });
    expect(await call.result).toEqual({ outcome: "timeout", digits: "", finishedBy: null });
    expect(call.phone.media.spansHeard(signal(500))).toHaveLength(3);
  });

  test("keys that were pressed before it count, and the prompt is not played", async () => {
    await using call = await talk(async (it) => {
      await new Promise((resolve) => it.on("digit", ({ digit }) => digit === "7" && resolve(null)));
      return it.gather({ prompt: tone(500), maxDigits: 2 });
    });
    await call.phone.sendDigits("47");
    expect(await call.result).toEqual({ outcome: "digits", digits: "47", finishedBy: "max-digits" });
    expect(call.phone.media.spansHeard(signal(500))).toEqual([]);
  });

  test("a caller who hangs up is an outcome, with the keys so far", async () => {
    await using call = await gathering({ maxDigits: 4 });
    await call.phone.sendDigits("12");
    call.phone.hangUp();
    expect(await call.result).toEqual({ outcome: "hangup", digits: "12", finishedBy: null });
  });

  test("a prompt that cannot be played does not keep the caller from pressing", async () => {
    await using call = await gathering({ prompt: "no-such-file.mp3", maxDigits: 1, timeoutMs: 3_000 });
    await call.phone.sendDigits("9");
    expect(await call.result).toMatchObject({ outcome: "digits", digits: "9" });
  });

  test("a signal ends it", async () => {
    const abort = new AbortController();
    await using call = await gathering({ signal: abort.signal });
    abort.abort();
    const result: GatherResult = await call.result;
    expect(result.outcome).toBe("aborted");
  });
});

describe("audio in and out", { retry: 2 }, () => {
  test("what the caller says comes back through the program, decoded and encoded", async () => {
    await using call = await talk(async (it) => {
      const sink = it.audioSink(16_000);
      for await (const samples of it.audio({ rateHz: 16_000 })) await sink.write(samples);
    });
    await call.phone.say(tone(700, 1_000));
    await until(() => (call.phone.media.spansHeard(signal(700))[0]?.endedAtMs ?? 0) > 0);
    const [span] = call.phone.media.spansHeard(signal(700));
    expect(span!.endedAtMs - span!.startedAtMs).toBeGreaterThan(700);
    call.phone.hangUp();
    await call.result.catch((error: { code: string }) => expect(error.code).toBe("CALL_ENDED"));
  });

  test("marks come back when what is before them has left, and clear drops the rest", async () => {
    const wave = Int16Array.from(
      { length: 16_000 },
      (_, i) => 9_000 * Math.sin((2 * Math.PI * 500 * i) / 16_000),
    );
    await using call = await talk(async (it) => {
      const sink = it.audioSink(16_000);
      void sink.write(wave.subarray(0, 8_000));
      const startedAtMs = performance.now();
      const first = sink.mark().then((outcome) => [outcome, performance.now() - startedAtMs] as const);
      const rest = sink.write(wave);
      const second = sink.mark();
      const [outcome, afterMs] = await first;
      sink.clear();
      await rest;
      await sink.end();
      return [outcome, afterMs, await second] as const;
    });
    const [outcome, afterMs, second] = await call.result;
    expect([outcome, second]).toEqual(["played", "cleared"]);
    expect(afterMs).toBeGreaterThan(450);
    expect(afterMs).toBeLessThan(700);
  });
});

describe("a bridge", { retry: 2 }, () => {
  test("lets two callers hear each other, and its end lets go of both", async () => {
    const calls: Call[] = [];
    await using pair = await startPair(async (call) => {
      calls.push(call);
      await call.answer();
    });
    const left = await pair.simulator.call({
      from: "15550001001",
      voice: { type: "tone", frequencyHz: 500 },
    });
    const right = await pair.simulator.call({
      from: "15550001002",
      voice: { type: "tone", frequencyHz: 900 },
    });
    await Promise.all([left.accepted, right.accepted]);
    const bridge = await calls[0]!.bridge(calls[1]!);
    expect(await left.waitForTone(900)).not.toBeNull();
    expect(await right.waitForTone(500)).not.toBeNull();
    await left.sendDigits("7");
    await until(() => right.media.report().digits === "7");
    await calls[0]!.hold({ music: tone(1_500, 1_000) });
    expect(await left.waitForTone(1_500)).not.toBeNull();
    calls[0]!.unhold();
    expect(await left.waitForTone(900)).not.toBeNull();
    bridge.unbridge();
    expect((await bridge.ended).outcome).toBe("unbridged");
    expect(await left.hears({ type: "quiet", forMs: 200 })).not.toBeNull();
    for (const phone of [left, right]) {
      phone.hangUp();
      const { media } = await phone.ended;
      expect(media).toMatchObject({ ssrcCount: 1, badTimestampSteps: 0, packetsLost: 0 });
    }
  });

  test("with a caller on hold begins when the caller is taken off it", async () => {
    const calls: Call[] = [];
    await using pair = await startPair(async (call) => {
      calls.push(call);
      await call.answer();
    });
    const left = await pair.simulator.call({
      from: "15550001001",
      voice: { type: "tone", frequencyHz: 500 },
    });
    await left.accepted;
    await calls[0]!.hold({ music: tone(1_500, 1_000) });
    const right = await pair.simulator.call({
      from: "15550001002",
      voice: { type: "tone", frequencyHz: 900 },
    });
    await right.accepted;
    const bridge = await calls[0]!.bridge(calls[1]!);
    expect(await left.waitForTone(1_500)).not.toBeNull();
    expect(await right.waitForTone(500, { timeoutMs: 600 })).toBeNull();
    calls[0]!.unhold();
    expect(await right.waitForTone(500)).not.toBeNull();
    expect(await left.waitForTone(900)).not.toBeNull();
    // Held once more: nothing of the first time goes on.
    await calls[1]!.hold();
    expect(await left.hears({ type: "quiet", forMs: 300 })).not.toBeNull();
    calls[1]!.unhold();
    expect(await left.waitForTone(900)).not.toBeNull();
    bridge.unbridge();
    for (const phone of [left, right]) {
      phone.hangUp();
      await phone.ended;
    }
  });

  test("ends with either call", async () => {
    const calls: Call[] = [];
    await using pair = await startPair(async (call) => {
      calls.push(call);
      await call.answer();
    });
    const left = await pair.simulator.call({ from: "15550001001" });
    const right = await pair.simulator.call({ from: "15550001002" });
    await Promise.all([left.accepted, right.accepted]);
    const bridge = await calls[0]!.bridge(calls[1]!);
    right.hangUp();
    expect((await bridge.ended).outcome).toBe("hangup");
    expect(calls[0]!.phase).toBe("active");
    left.hangUp();
    await Promise.all([left.ended, right.ended]);
  });
});

test("keys in-band are tones in the audio", async () => {
  await using call = await talk((it) => it.sendDigits("1w", { inBand: true }));
  expect(await call.result).toBe("sent");
  expect(await call.phone.hears({ type: "quiet", forMs: 200 })).not.toBeNull();
  const heard = call.phone.media.heardPcm();
  const [low, high, other] = [697, 1_209, 852].map((frequencyHz) => energyAt(heard, frequencyHz));
  expect(low).toBeGreaterThan(100 * other!);
  expect(high).toBeGreaterThan(100 * other!);
  expect(call.phone.media.report().digits).toBe("");
});
