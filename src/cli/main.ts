#!/usr/bin/env node
import { Command } from "commander";
import { RingbackError } from "../errors.ts";
import { VERSION } from "../platform/version.ts";
import { addEraseCommand } from "./erase.ts";
import { addFlowCommands } from "./flow.ts";
import { addKeyCommands } from "./keys.ts";
import { processIo } from "./process-io.ts";
import { addSdpCommands } from "./sdp.ts";

const program = new Command("ringback")
  .description("Answer WhatsApp Business calls.")
  .version(VERSION)
  .showHelpAfterError("(ringback --help lists the commands)");
const LIGHT_COMMANDS = new Set(["sdp", "flow", "keys", "erase"]);
// The calling commands load the whole media stack, half a second that `sdp fix` in somebody's pipe need not wait for.
if (!LIGHT_COMMANDS.has(process.argv[2] ?? "")) {
  const [{ addConfigCommands }, { addDemoCommand }, { addServeCommand }, { addSimulateCommand }] =
    await Promise.all([
      import("./config.ts"),
      import("./demo.ts"),
      import("./serve.ts"),
      import("./simulate.ts"),
    ]);
  addConfigCommands(program, processIo);
  addDemoCommand(program, processIo);
  addServeCommand(program, processIo);
  addSimulateCommand(program, processIo);
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
