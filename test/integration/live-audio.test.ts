import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Call, OpusRateHz, SpeechEvent } from "../../src/index.ts";
import { OpusDecoder, OpusEncoder } from "../../src/media/opus-codec.ts";
import type { PhoneCall } from "../../src/simulator/index.ts";
import { loadSpeech } from "../support/opus-stream.ts";
import { soundsIn } from "./decoded-recording.ts";
import { startTalking, type TalkingPair, talkFor } from "./talking-pair.ts";

const HZ = 500;
const AMPLITUDE = 11_000;
const MAX_ATTEMPTS = 5;
const short = { tone: { frequencyHz: HZ, durationMs: 400 } } as const;
const long = { tone: { frequencyHz: HZ, durationMs: 3_000 } } as const;

let talking: TalkingPair;
let call: Call;
let phone: PhoneCall;
beforeAll(async () => {
  talking = await startTalking();
  for (const sound of [short, long]) await talking.pair.gateway.preload(sound);
  ({ call, phone } = await talking.connect());
}, 30_000);
afterAll(async () => {
  phone.hangUp();
  // All of it in one stream, whatever began, stopped, ran dry and went on.
  const { media } = await phone.ended;
  expect(media).toMatchObject({ ssrcCount: 1, badTimestampSteps: 0, packetsLost: 0 });
  await talking[Symbol.asyncDispose]();
});

function sine(rateHz: number, ms: number): Int16Array {
  const step = (2 * Math.PI * HZ) / rateHz;
  return Int16Array.from(
    { length: Math.round((rateHz * ms) / 1_000) },
    (_, i) => AMPLITUDE * Math.sin(step * i),
  );
}

async function* endlessSine(): AsyncGenerator<Int16Array> {
  for (;;) yield sine(16_000, 20);
}

/** From one sample to the next. */
function largestStep(samples: Int16Array): number {
  let largest = 0;
  for (let i = 1; i < samples.length; i += 1) {
    largest = Math.max(largest, Math.abs((samples[i] ?? 0) - (samples[i - 1] ?? 0)));
  }
  return largest;
}

/** What the phone heard while something was done, with silence around it. */
async function heardIn(what: () => Promise<unknown>): Promise<Int16Array> {
  for (let attempt = 0; ; attempt += 1) {
    await talkFor(250);
    const fromMs = performance.now();
    const skipped = call.stats()?.slotsSkipped;
    await what();
    // The statistics are at most 200 ms old.
    await talkFor(250);
    // A busy machine that held up the media has cut a hole into the sound: that is no edge of ours.
    if (call.stats()?.slotsSkipped !== skipped && attempt < MAX_ATTEMPTS) continue;
    return phone.media.heardPcm().slice(Math.round((fromMs - (phone.media.heardStartMs ?? 0)) * 48));
  }
}

/** A tone that is cut off after a time, through the same codec. */
async function cutOff(rateHz: OpusRateHz, afterMs: number): Promise<Int16Array> {
  const [encoder, decoder] = [await OpusEncoder.create({ rateHz }), await OpusDecoder.create()];
  const samples = new Int16Array(rateHz);
  samples.set(sine(rateHz, afterMs));
  const heard: number[] = [];
  for (let at = 0; at < samples.length; at += rateHz / 50) {
    heard.push(...(decoder.decode(encoder.encode(samples.slice(at, at + rateHz / 50))) ?? []));
  }
  encoder.close();
  decoder.close();
  return Int16Array.from(heard);
}

/** A tone's own steps, and what the codec makes of its beginning and its end. */
const MAX_STEP = 2 * AMPLITUDE * ((2 * Math.PI * HZ) / 48_000);

describe("no edge of a sound clicks", { retry: 2 }, () => {
  test("as one that is cut off does", async () => {
    for (const rateHz of [16_000, 48_000] as const) {
      // Where it is loudest, at several places within a packet.
      const cuts = await Promise.all([500.5, 502.5, 506.5, 510.5, 514.5].map((ms) => cutOff(rateHz, ms)));
      expect(Math.max(...cuts.map(largestStep))).toBeGreaterThan(2 * MAX_STEP);
    }
  });

  const edges: readonly (readonly [string, number, () => Promise<unknown>])[] = [
    ["of a prompt", 400, () => call.play(short)],
    [
      "where a prompt is stopped",
      250,
      async () => {
        const playing = call.play(long);
        await talkFor(253);
        playing.stop();
        await playing;
      },
    ],
    [
      "where a key interrupts it",
      250,
      async () => {
        const playing = call.play(long, { interruptOn: "digit" });
        await talkFor(250);
        await phone.sendDigits("1");
        await playing;
      },
    ],
    [
      "where another one takes its place",
      450,
      async () => {
        const first = call.play(long);
        await talkFor(247);
        await Promise.all([first, call.play(short)]);
      },
    ],
    [
      "of a pause",
      400,
      async () => {
        const playing = call.play(long);
        await talkFor(250);
        playing.pause();
        await talkFor(90);
        playing.resume();
        await talkFor(200);
        playing.stop();
        await playing;
      },
    ],
    [
      "of samples that are stopped as they come",
      250,
      async () => {
        const playing = call.play({ pcm: endlessSine(), rateHz: 16_000 });
        await talkFor(300);
        playing.stop();
        await playing;
      },
    ],
    ...([16_000, 48_000] as const).flatMap((rateHz) => edgesOfSinks(rateHz)),
  ];

  test.each(edges)("%s", async (_, leastMs, what) => {
    const heard = await heardIn(what);
    const soundMs = soundsIn(heard).reduce((sum, [begin, end]) => sum + end - begin, 0);
    expect(soundMs).toBeGreaterThan(leastMs - 60);
    expect(largestStep(heard)).toBeLessThan(MAX_STEP);
  });
});

function edgesOfSinks(rateHz: OpusRateHz): readonly (readonly [string, number, () => Promise<unknown>])[] {
  const at = `, at ${rateHz} Hz`;
  return [
    [
      `of a sink${at}`,
      405,
      async () => {
        const sink = call.audioSink(rateHz);
        await sink.write(sine(rateHz, 405));
        await sink.end();
      },
    ],
    [
      `where a sink is cleared${at}`,
      250,
      async () => {
        const sink = call.audioSink(rateHz);
        await sink.write(sine(rateHz, 900));
        await talkFor(290);
        sink.clear();
        await sink.end();
      },
    ],
    [
      `where a sink runs dry and goes on${at}`,
      400,
      async () => {
        const sink = call.audioSink(rateHz);
        for (let round = 0; round < 4; round += 1) {
          await sink.write(sine(rateHz, 107));
          expect(await sink.mark()).toBe("played");
          await talkFor(33 * round);
        }
        await sink.end();
      },
    ],
    [
      `where another sink takes its place${at}`,
      450,
      async () => {
        const first = call.audioSink(rateHz);
        await first.write(sine(rateHz, 900));
        await talkFor(290);
        const second = call.audioSink(rateHz);
        await second.write(sine(rateHz, 205));
        await second.end();
      },
    ],
    [
      `where a prompt is played over a sink${at}`,
      850,
      async () => {
        const sink = call.audioSink(rateHz);
        await sink.write(sine(rateHz, 500));
        await talkFor(100);
        await call.play(short);
        await sink.end();
      },
    ],
  ];
}

describe("the detection of speech", { retry: 2 }, () => {
  const DEFAULT_END_SILENCE_MS = 500;

  test("tells when words begin and end, and takes no tone, silence or key for one", async () => {
    const speech = Int16Array.from(await loadSpeech(), (sample) => sample * 32_767);
    const events: SpeechEvent[] = [];
    const told: number[] = [];
    const own = await talking.connect();
    const detection = own.call.detectSpeech();
    const reading = (async () => {
      for await (const event of detection) {
        events.push(event);
        told.push(performance.now());
      }
    })();
    await own.phone.say([{ tone: { frequencyHz: 440, durationMs: 600 } }, { silenceMs: 300 }]);
    await own.phone.sendDigits("159#");
    await own.phone.say([{ tone: { frequencyHz: 1_000, durationMs: 300 } }, { silenceMs: 700 }]);
    expect(events).toEqual([]);
    const { parts } = await own.phone.say([
      { pcm: speech.slice(0, 4 * 48_000), rateHz: 48_000 },
      { silenceMs: 1_000 },
    ]);
    await talkFor(200);
    detection.stop();
    await reading;

    const { sentStartMs } = own.phone.media;
    const fromMs = parts[0]?.firstPacketAtMs ?? 0;
    const words = soundsIn(own.phone.media.sentPcm(), -50)
      .map(([begin, end]) => [begin + (sentStartMs ?? 0), end + (sentStartMs ?? 0)] as const)
      .filter(([begin]) => begin >= fromMs - 20);
    // The steps of a call count from its webhook, too.
    let webhookAtMs = Number.NaN;
    own.call.on("step", (step) => {
      webhookAtMs = performance.now() - step.atMs;
    });
    own.phone.hangUp();
    await Promise.all([own.phone.ended, own.call.ended]);
    const at = (event: SpeechEvent | undefined): number => (event?.atMs ?? Number.NaN) + webhookAtMs;
    expect(events.map(({ type }) => type)).toEqual(events.map((_, i) => (i % 2 === 0 ? "start" : "end")));
    expect(Math.abs(at(events[0]) - (words[0]?.[0] ?? 0))).toBeLessThan(100);
    expect(Math.abs(at(events.at(-1)) - (words.at(-1)?.[1] ?? 0))).toBeLessThan(300);
    // A start is told at once, an end when it is sure.
    expect((told[0] ?? 0) - at(events[0])).toBeLessThan(150);
    expect((told.at(-1) ?? 0) - at(events.at(-1)) - DEFAULT_END_SILENCE_MS).toBeLessThan(150);
  }, 30_000);
});
