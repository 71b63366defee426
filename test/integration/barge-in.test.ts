import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Call, PlayResult } from "../../src/index.ts";
import type { PhoneCall } from "../../src/simulator/index.ts";
import { loadSpeech } from "../support/opus-stream.ts";
import { soundsIn } from "./decoded-recording.ts";
import { startTalking, type TalkingPair } from "./talking-pair.ts";

const PROMPT_HZ = 500;
const prompt = { tone: { frequencyHz: PROMPT_HZ, durationMs: 5_000 } } as const;
const ROUNDS = 9;
/** From the first packet of a key, or of speech, to the last of the prompt that is heard. */
const MAX_MEDIAN_MS = 60;

let talking: TalkingPair;
/** Half a second from the first word on, 48 kHz: the file begins with silence. */
let speech: Int16Array;
beforeAll(async () => {
  talking = await startTalking();
  await talking.pair.gateway.preload(prompt);
  const samples = Int16Array.from(await loadSpeech(), (sample) => sample * 32_767);
  const firstMs = soundsIn(samples, -30)[0]?.[0] ?? 0;
  speech = samples.slice(firstMs * 48, (firstMs + 500) * 48);
}, 30_000);
afterAll(() => talking[Symbol.asyncDispose]());

interface Round {
  readonly result: PlayResult;
  readonly reactionMs: number;
}

/** What plays is interrupted by the caller, over and over. */
async function rounds(
  play: (call: Call) => Promise<PlayResult>,
  /** Resolves with the time of the first packet. */
  interrupt: (phone: PhoneCall) => Promise<number>,
): Promise<Round[]> {
  const { call, phone } = await talking.connect();
  const all: Round[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const playing = play(call);
    const fromMs = await phone.waitForTone(PROMPT_HZ);
    if (fromMs === null) throw new Error("the prompt was not heard");
    const firstPacketAtMs = await interrupt(phone);
    const result = await playing;
    await phone.hears({ type: "quiet", forMs: 100 });
    const lastAtMs = phone.media.lastToneAtMs(PROMPT_HZ, fromMs) ?? Number.NaN;
    all.push({ result, reactionMs: lastAtMs - firstPacketAtMs });
  }
  phone.hangUp();
  const { media } = await phone.ended;
  expect(media).toMatchObject({ ssrcCount: 1, badTimestampSteps: 0, packetsLost: 0 });
  return all;
}

/** The median: a busy machine may hold up some of them. */
function expectQuick(all: readonly Round[], interruptedBy: "digit" | "speech"): void {
  expect(all.map(({ result }) => result.interruptedBy)).toEqual(new Array(ROUNDS).fill(interruptedBy));
  const reactions = all.map(({ reactionMs }) => reactionMs).sort((a, b) => a - b);
  expect(reactions[Math.floor(ROUNDS / 2)]).toBeLessThan(MAX_MEDIAN_MS);
}

const key = async (phone: PhoneCall): Promise<number> =>
  (await phone.sendDigits("5"))[0]?.firstPacketAtMs ?? Number.NaN;
const word = async (phone: PhoneCall): Promise<number> =>
  (await phone.say({ pcm: speech, rateHz: 48_000 })).firstPacketAtMs ?? Number.NaN;

async function* toneSamples(): AsyncGenerator<Int16Array> {
  const step = (2 * Math.PI * PROMPT_HZ) / 16_000;
  for (let at = 0; ; at += 320) {
    yield Int16Array.from({ length: 320 }, (_, i) => 9_000 * Math.sin(step * (at + i)));
  }
}

// A machine that is busy with something else for all of it says nothing about ours.
describe("what plays is silent within 60 ms", { retry: 2, timeout: 40_000 }, () => {
  test("of a key's first packet", async () => {
    expectQuick(await rounds((call) => call.play(prompt, { interruptOn: "digit" }), key), "digit");
  });

  test("of a key's first packet, when it is encoded as it plays", async () => {
    const pcm = (call: Call) =>
      call.play({ pcm: toneSamples(), rateHz: 16_000 }, { interruptOn: ["speech", "digit"] });
    expectQuick(await rounds(pcm, key), "digit");
  });

  test("of the first packet of speech", async () => {
    expectQuick(await rounds((call) => call.play(prompt, { interruptOn: "speech" }), word), "speech");
  });
});
