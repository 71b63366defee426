// The gateway under test: `gateway-child.mjs <ChildOptions as JSON>`. Tells its parent its URL, and lives until it is killed or told to close.
import { appendFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { type Call, createGateway, type GatewayOptions } from "../../src/index.ts";
import { systemClock } from "../../src/platform/clock.ts";
import type { CallProgram } from "./call-plan.ts";
import { createFileLogger } from "./file-logger.ts";
import { createMixedEngine } from "./light-engine.ts";

export interface ChildOptions {
  readonly gateway: GatewayOptions;
  readonly port: number;
  /** The wall clock is so far ahead: retries of deliveries that wait for hours are due. */
  readonly aheadMs: number;
  /** A line for each run of the handler: the call's id. */
  readonly runsFile: string;
  readonly logFile: string;
}

const options = JSON.parse(process.argv[2] ?? "") as ChildOptions;
// Nobody is left behind when the parent is gone.
process.on("disconnect", () => process.exit(1));
if (!process.connected) process.exit(1);

const gateway = createGateway({
  ...options.gateway,
  media: { engine: await createMixedEngine() },
  logger: createFileLogger(options.logFile),
  clock: { nowMs: () => systemClock.nowMs(), wallMs: () => systemClock.wallMs() + options.aheadMs },
}).onCall(handle);
process.on("message", () => void gateway.close().then(() => process.exit(0)));
const { url } = await gateway.listen({ port: options.port });
process.send?.({ url }, () => {});

async function handle(call: Call): Promise<void> {
  appendFileSync(options.runsFile, `${call.id}\n`);
  const program = JSON.parse(call.deeplinkPayload ?? "null") as CallProgram;
  await delay(program.afterMs);
  switch (program.does) {
    case "answer":
      void call.tone({ frequencyHz: 1_000, durationMs: 500 }, { loop: true });
      await call.answer();
      return;
    case "answer-and-hang-up":
      await call.answer();
      await delay(program.talkMs);
      await call.hangUp();
      return;
    case "reject":
      await call.reject();
      return;
    case "ring":
      return;
    case "fail":
      throw new Error("this program was written to fail");
  }
}
