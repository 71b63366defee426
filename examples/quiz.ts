// How many beeps was that? Three questions by tones, answers by keys, and the score at the end.
import { type Call, createGateway, type Gateway, type GatewayOptions, type PlaySource } from "ringback";
import { serve, settings } from "./program.ts";

const QUESTIONS = [2, 4, 3] as const;

const beeps = (count: number, frequencyHz: number): PlaySource[] =>
  Array.from({ length: count }, () => [
    { tone: { frequencyHz, durationMs: 150 } },
    { silenceMs: 250 },
  ]).flat();
const RIGHT: PlaySource = { tone: { frequencyHz: 1_200, durationMs: 300 } };
const WRONG: PlaySource = { tone: { frequencyHz: 300, durationMs: 300 } };

export function quiz(options: GatewayOptions): Gateway {
  return createGateway(options).onCall(async (call) => {
    await call.answer();
    let score = 0;
    for (const question of QUESTIONS) {
      const isRight = await ask(call, question);
      if (isRight) score += 1;
      await call.play([isRight ? RIGHT : WRONG, { silenceMs: 500 }]);
    }
    // To people as beeps, to programs as a key.
    if (score > 0) await call.play(beeps(score, 700));
    await call.sendDigits(String(score));
    await call.silence(500);
    await call.hangUp();
  });
}

async function ask(call: Call, count: number): Promise<boolean> {
  const { digits } = await call.gather({
    prompt: beeps(count, 500),
    maxDigits: 1,
    timeoutMs: 4_000,
    retries: 1,
  });
  return digits === String(count);
}

if (process.argv[1] === import.meta.filename) await serve(quiz(settings()));
