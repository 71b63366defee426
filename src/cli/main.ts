#!/usr/bin/env node
import { Command } from "commander";
import { RingbackError } from "../errors.ts";
import { addDemoCommand } from "./demo.ts";
import { processIo } from "./process-io.ts";
import { addSdpCommands } from "./sdp.ts";
import { addServeCommand } from "./serve.ts";
import { addSimulateCommand } from "./simulate.ts";
import { VERSION } from "./version.ts";

const program = new Command("ringback")
  .description("Answer WhatsApp Business calls.")
  .version(VERSION)
  .showHelpAfterError("(ringback --help lists the commands)");
addDemoCommand(program, processIo);
addServeCommand(program, processIo);
addSimulateCommand(program, processIo);
addSdpCommands(program, processIo);

try {
  await program.parseAsync();
} catch (error) {
  // Errors of ours are written for the reader; a stack would only hide them.
  if (!(error instanceof RingbackError)) throw error;
  processIo.err(`ringback: ${error.message}`);
  processIo.setExitCode(1);
}
