// Records a call with both sides, the caller left and the business right, but not while a card number is given.
import { type Call, createGateway, type Gateway, type GatewayOptions } from "ringback";
import { serve, settings, words } from "./program.ts";

export function recordCall(options: GatewayOptions): Gateway {
  const announcement = words(options, "This call is recorded.", 440);
  const welcome = words(options, "Welcome to the shop. What would you like to order?", 600);
  const card = words(options, "Please type the number of your card, and hash at its end.", 800);
  const thanks = words(options, "Thank you. Your order is on its way.", 1_000);

  return createGateway(options).onCall(async (call) => {
    await call.answer();
    // Begins when the announcement was heard, to its end.
    const recording = call.startRecording({ consent: "announce", announcement, channels: "both" });
    // Queued: it would cut off the announcement otherwise, and nothing would be recorded.
    await call.play(welcome, { queue: true });
    await orderSpoken(call);

    recording.pause();
    const { digits } = await call.gather({ prompt: card, maxDigits: 19, timeoutMs: 10_000 });
    recording.resume();

    await call.play([thanks, { silenceMs: 500 }]);
    await call.hangUp();
    const { status, files, durationMs, pausedMs } = await recording.finished;
    console.log(`${digits.length} digits; recording ${status}: ${durationMs} ms, ${pausedMs} of them paused`);
    for (const { path, sha256 } of files) console.log(`${path} sha256 ${sha256}`);
  });
}

/** Resolves when the caller has said something and then nothing for a while, or has nothing to say. */
async function orderSpoken(call: Call): Promise<void> {
  const signal = AbortSignal.timeout(8_000);
  for await (const { type } of call.detectSpeech({ endSilenceMs: 1_500, signal })) if (type === "end") return;
}

if (process.argv[1] === import.meta.filename) await serve(recordCall(settings()));
