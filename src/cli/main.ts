#!/usr/bin/env node
import { Command } from "commander";
import { RingbackError } from "../errors.ts";
import { VERSION } from "../platform/version.ts";
import { addEraseCommand } from "./erase.ts";
import { addFlowCommands } from "./flow.ts";
import type { CliIo } from "./io.ts";
import { addKeyCommands } from "./keys.ts";
import { processIo } from "./process-io.ts";
import { addSdpCommands } from "./sdp.ts";

const program = new Command("ringback")
  .description("Answer WhatsApp Business calls.")
  .version(VERSION)
  .showHelpAfterError("(ringback --help lists the commands)");
/** What loads the media stack, or the simulator: half a second and more that no other command need wait for. */
const HEAVY_COMMANDS: Readonly<Record<string, () => Promise<(program: Command, io: CliIo) => void>>> = {
  config: async () => (await import("./config.ts")).addConfigCommands,
  demo: async () => (await import("./demo.ts")).addDemoCommand,
  serve: async () => (await import("./serve.ts")).addServeCommand,
  simulate: async () => (await import("./simulate.ts")).addSimulateCommand,
};
const LIGHT_COMMANDS = new Set(["sdp", "flow", "keys", "erase"]);
const [, , asked = ""] = process.argv;
const heavy = HEAVY_COMMANDS[asked];
if (heavy !== undefined) (await heavy())(program, processIo);
else if (!LIGHT_COMMANDS.has(asked)) {
  // For the help: all of them.
  for (const load of Object.values(HEAVY_COMMANDS)) (await load())(program, processIo);
}
addEraseCommand(program, processIo);
addFlowCommands(program, processIo);
addKeyCommands(program, processIo);
addSdpCommands(program, processIo);

try {
  await program.parseAsync();
} catch (error) {
  // Errors of ours are written for the reader; a stack would only hide them.
  if (!(error instanceof RingbackError)) throw error;
  processIo.err(`ringback: ${error.message}`);
  processIo.setExitCode(1);
}
