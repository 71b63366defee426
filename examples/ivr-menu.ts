// A menu: 1 for sales, 2 for support, and a message from everyone else. menu.flow.json is the same without a program.
import { type Call, createGateway, type Gateway, type GatewayOptions } from "ringback";
import { serve, settings, words } from "./program.ts";

export function ivrMenu(options: GatewayOptions): Gateway {
  const menu = words(options, "Welcome. Press 1 for sales, or 2 for support.", 440);
  const sales = words(options, "Sales is open from nine to five.", 600);
  const support = words(options, "For support, write to help at example dot com.", 750);
  const message = words(options, "Please leave a message. It is recorded. Press hash at its end.", 880);
  const thanks = words(options, "Thank you. Good bye.", 1_300);

  async function takeMessage(call: Call): Promise<void> {
    const { status, files } = await call.record({
      consent: "announce",
      announcement: message,
      maxMs: 60_000,
      endOnSilenceMs: 5_000,
    });
    for (const { path } of files) console.log(`a message (${status}): ${path}`);
  }

  return createGateway(options).onCall(async (call) => {
    await call.answer();
    const { outcome, digits } = await call.gather({ prompt: menu, maxDigits: 1, timeoutMs: 4_000 });
    if (outcome === "hangup") return;
    if (digits === "1") await call.play(sales);
    else if (digits === "2") await call.play(support);
    else await takeMessage(call);
    await call.play([thanks, { silenceMs: 500 }]);
    await call.hangUp();
  });
}

if (process.argv[1] === import.meta.filename) await serve(ivrMenu(settings()));
