// Connects callers with agents. Who types the agents' code takes one caller after the other; all others wait with music.
import { type Call, createGateway, type Gateway, type GatewayOptions, type PlaySource } from "ringback";
import { serve, settings, words } from "./program.ts";

const MUSIC: readonly PlaySource[] = [330, 440, 554, 440].map((frequencyHz) => ({
  tone: { frequencyHz, durationMs: 400 },
}));

export function forward(options: GatewayOptions, agentCode: string): Gateway {
  const greeting = words(options, "Welcome. One moment, please.", 800);
  const ready = words(options, "Stay on the line. Callers will be put through.", 1_200);
  const callers: Call[] = [];

  async function waitForAgent(caller: Call): Promise<void> {
    await caller.hold({ music: MUSIC });
    callers.push(caller);
    await caller.ended;
    const place = callers.indexOf(caller);
    if (place >= 0) callers.splice(place, 1);
  }

  async function takeCallers(agent: Call): Promise<void> {
    await agent.play(ready);
    while (agent.phase === "active") {
      const caller = callers.shift();
      if (caller === undefined) await agent.silence(200);
      else await connect(caller, agent);
    }
  }

  async function connect(caller: Call, agent: Call): Promise<void> {
    try {
      const bridge = await caller.bridge(agent);
      caller.unhold();
      await bridge.ended; // one of them hung up
      await caller.hangUp();
    } catch {
      // One of them hung up at that very moment. A caller who did not is the next again, still with music.
      if (caller.phase === "active") callers.unshift(caller);
    }
  }

  return createGateway(options).onCall(async (call) => {
    await call.answer();
    const maxDigits = agentCode.length;
    const { outcome, digits } = await call.gather({ prompt: greeting, maxDigits, timeoutMs: 2_000 });
    if (outcome === "hangup") return;
    await (digits === agentCode ? takeCallers(call) : waitForAgent(call));
  });
}

if (process.argv[1] === import.meta.filename) {
  await serve(forward(settings(), process.env["AGENT_CODE"] ?? "4711"));
}
