// Greets, records a message after a beep, and posts it to a server of yours as multipart/form-data: the part "event" is JSON, the
// part "file" the audio. Also when the caller just hangs up, as most do. docs/flows.md has the form of the event.
import { createGateway, flow, type Gateway, type GatewayOptions, runFlow, silentLogger } from "ringback";
import { serve, settings, words } from "./program.ts";

/** @param postTo Plain http, and addresses that are not public, have to be allowed by `requests` in the options. */
export function voicemail(options: GatewayOptions, postTo: string): Gateway {
  const { requests = {}, logger = silentLogger } = options;
  const mailbox = flow()
    .record({
      consent: "announce",
      announcement: words(options, "Nobody is here. Please leave a message. It is recorded.", 440),
      maxMs: 120_000,
      endOnSilenceMs: 5_000,
      postTo,
    })
    .play(words(options, "Thank you. Good bye.", 800));

  return createGateway(options).onCall(async (call) => {
    const { reason, steps } = await runFlow(call, mailbox, { requests, logger });
    console.log(`voicemail: ${reason} after ${steps} steps`);
  });
}

if (process.argv[1] === import.meta.filename) {
  await serve(voicemail(settings(), process.env["VOICEMAIL_POST_TO"] ?? "http://127.0.0.1:8080/voicemail"));
}
