import { checkFlowText, FLOW_LIMITS, type FlowDocument } from "../core/flow/index.ts";
import { describeCheck } from "./flow-report.ts";
import type { CliIo } from "./io.ts";

/** The flow in a file; null when it has mistakes, which are told, with the exit code 1. */
export async function readFlowFile(file: string, io: CliIo): Promise<FlowDocument | null> {
  const found = checkFlowText(await io.readFile(file, FLOW_LIMITS.documentBytes));
  if (found.document !== null) return found.document;
  io.err(`The flow in ${file} has mistakes.\n`);
  for (const line of describeCheck(found)) io.err(line);
  io.setExitCode(1);
  return null;
}
