import type { Command } from "commander";
import { checkFlowText, FLOW_LIMITS, type FlowCheck, type FlowProblem } from "../core/flow/index.ts";
import type { CliIo } from "./io.ts";

interface CheckFlags {
  readonly json?: boolean;
}

/** Adds `flow check`. */
export function addFlowCommands(program: Command, io: CliIo): void {
  const flow = program.command("flow").description("Check call flows.");
  flow
    .command("check")
    .description("Explain every mistake in a flow. Exit code 1 when there is one, 0 for warnings.")
    .argument("<file>", "file with the flow, - for standard input")
    .option("--json", "print what was found as JSON")
    .action((file: string, flags: CheckFlags) => check(file, flags, io));
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

/** What the checker found, in lines. */
export function describeCheck({ stepCount, mistakes, warnings }: FlowCheck): readonly string[] {
  if (mistakes.length > 0) {
    return [
      ...mistakes.map((mistake) => describeProblem(mistake)),
      "",
      `${plural(mistakes.length, "mistake")}.`,
    ];
  }
  return [
    ...warnings.map((warning) => describeProblem(warning, "warning: ")),
    ...(warnings.length > 0 ? [""] : []),
    `${plural(stepCount, "step")}, no mistakes${warnings.length > 0 ? `, ${plural(warnings.length, "warning")}` : ""}.`,
  ];
}

function describeProblem({ place, path, message }: FlowProblem, kind = ""): string {
  const where = place === null ? "" : `line ${place.line}, column ${place.column}: `;
  const what = path === "" ? message : `${path}: ${message}`;
  // Names come out of the file, and a terminal acts on control characters.
  return `${where}${kind}${what}`.replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, "?");
}

function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}
