// Says back what the caller says. The place for a program of your own that listens and speaks.
import { createGateway, type Gateway, type GatewayOptions } from "ringback";
import { serve, settings } from "./program.ts";

export function echo(options: GatewayOptions): Gateway {
  return createGateway(options).onCall(async (call) => {
    await call.answer();
    const sink = call.audioSink(16_000);
    // 20 ms of samples at a time. Ends with the call: a handler that finds its call ended is no failure.
    for await (const samples of call.audio({ rateHz: 16_000 })) await sink.write(samples);
  });
}

if (process.argv[1] === import.meta.filename) await serve(echo(settings()));
