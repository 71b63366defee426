import { type Command, InvalidArgumentError } from "commander";
import { checkFlowText, FLOW_LIMITS } from "../core/flow/index.ts";
import { describeCheck } from "./flow-report.ts";
import type { FlowRunFlags } from "./flow-run.ts";
import type { CliIo } from "./io.ts";

interface CheckFlags {
  readonly json?: boolean;
}

const DEFAULT_HANG_UP_AFTER_S = 600;

/** Adds `flow check` and `flow run`. */
export function addFlowCommands(program: Command, io: CliIo): void {
  const flow = program.command("flow").description("Check call flows, and try them on this machine.");
  flow
    .command("check")
    .description("Explain every mistake in a flow. Exit code 1 when there is one, 0 for warnings.")
    .argument("<file>", "file with the flow, - for standard input")
    .option("--json", "print what was found as JSON")
    .action((file: string, flags: CheckFlags) => check(file, flags, io));
  flow
    .command("run")
    .description(
      "Make one call on this machine that goes through a flow. Exit code 0 when it reached its end.",
    )
    .argument("<file>", "file with the flow")
    .option(
      "--digits <digits>",
      'keys that the caller presses when asked for some, such as "1w2#"; w waits 500 ms',
      parseKeys,
    )
    .option("--audio <voice>", "what the caller says: FILE, tone:440, silence or mute", "silence")
    .option("--hang-up-after <seconds>", "the caller hangs up then", parseSeconds, DEFAULT_HANG_UP_AFTER_S)
    .option("--heard <file>", "write what the caller heard as WAV")
    .option("--json", "print one JSON object for each step, and one for the end")
    .action(async (file: string, flags: FlowRunFlags) => {
      // The media stack takes half a second to load, which `flow check` need not wait for.
      const { runFlowFile } = await import("./flow-run.ts");
      await runFlowFile(file, flags, io);
    });
}

async function check(file: string, flags: CheckFlags, io: CliIo): Promise<void> {
  const found = checkFlowText(await io.readFile(file, FLOW_LIMITS.documentBytes));
  if (found.mistakes.length > 0) io.setExitCode(1);
  if (flags.json === true) {
    const { stepCount, mistakes, warnings } = found;
    io.out(JSON.stringify({ steps: stepCount, mistakes, warnings }, null, 2));
    return;
  }
  for (const line of describeCheck(found)) io.out(line);
}

function parseKeys(text: string): string {
  if (/^[0-9*#A-Da-dw]{1,256}$/.test(text)) return text;
  throw new InvalidArgumentError("It must be 1 to 256 of 0-9, *, #, A-D, and w for a wait of 500 ms.");
}

function parseSeconds(text: string): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= 1 && value <= 86_400) return value;
  throw new InvalidArgumentError("It must be a whole number from 1 to 86400.");
}
