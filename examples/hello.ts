// Answers, plays ten seconds of speech, and hangs up.
import { createGateway, type Gateway, type GatewayOptions } from "ringback";
import { serve, settings } from "./program.ts";

/** A path would do as well: "greeting.mp3". */
export const GREETING = new URL("../assets/sample.mp3", import.meta.url);

export function hello(options: GatewayOptions): Gateway {
  return createGateway(options).onCall(async (call) => {
    // Asked for before the answer, it begins with the first packet. The end is silence, because WhatsApp and the phone hold some
    // audio back: hanging up at once would cut the last word.
    const greeting = call.play([GREETING, { silenceMs: 500 }]);
    await call.answer();
    await greeting;
    await call.hangUp();
  });
}

if (process.argv[1] === import.meta.filename) await serve(hello(settings()));
