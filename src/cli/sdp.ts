import { type Command, Option } from "commander";
import {
  conformSdp,
  lintSdp,
  SDP_LIMITS,
  SDP_RULES,
  type SdpChange,
  type SdpRole,
  sdpRule,
} from "../core/sdp/index.ts";
import { RingbackError } from "../errors.ts";
import type { CliIo } from "./io.ts";
import { countFindings, formatFinding, formatRule } from "./sdp-report.ts";

/** UTF-8 takes three bytes at most for what JavaScript counts as one character. */
const maxFileBytes = SDP_LIMITS.textChars * 3;

interface SdpFlags {
  readonly as?: SdpRole;
  readonly offer?: string;
  readonly json?: boolean;
}

/** What a command works on. */
interface Input {
  readonly text: string;
  readonly as: SdpRole;
  /** Why it is read as that, for the reader of the report. */
  readonly why: string;
  readonly offer?: string;
}

/** Adds `sdp check`, `sdp fix` and `sdp rules`. */
export function addSdpCommands(program: Command, io: CliIo): void {
  const sdp = program.command("sdp").description("Check and mend SDP before WhatsApp refuses it.");
  addInput(sdp.command("check"))
    .description("Say what WhatsApp would refuse. Exit code 1 when there is an error, 0 for warnings.")
    .option("--json", "print the findings as JSON")
    .action((file: string, flags: SdpFlags) => check(file, flags, io));
  addInput(sdp.command("fix"))
    .description("Print the SDP that WhatsApp takes; what was changed goes to standard error.")
    .action((file: string, flags: SdpFlags) => fix(file, flags, io));
  sdp
    .command("rules")
    .description("Print every rule with its reason and source.")
    .option("--json", "print the rules as JSON")
    .action((flags: SdpFlags) => printRules(flags, io));
}

function addInput(command: Command): Command {
  return command
    .argument("<file>", "file with the SDP of your side, - for standard input")
    .addOption(new Option("--as <role>", "what the SDP is").choices(["answer", "offer"]))
    .option("--offer <file>", "the offer that it answers: compare payload types and mid");
}

async function readInput(file: string, flags: SdpFlags, io: CliIo): Promise<Input> {
  if (file === "-" && flags.offer === "-") {
    throw new RingbackError("OPTION_INVALID", "Only one of the file and --offer can be standard input.", {
      details: { option: "offer" },
    });
  }
  const text = await io.readFile(file, maxFileBytes);
  const role = inferRole(text, flags);
  if (flags.offer === undefined) return { text, ...role };
  return { text, ...role, offer: await io.readFile(flags.offer, maxFileBytes) };
}

/** RFC 8842 §5.2: offers say actpass, and answers must not. */
function inferRole(text: string, { as, offer }: SdpFlags): Pick<Input, "as" | "why"> {
  if (as !== undefined) return { as, why: "as you said" };
  if (offer !== undefined) return { as: "answer", why: "there is an offer" };
  if (text.includes("a=setup:actpass"))
    return { as: "offer", why: "it says a=setup:actpass; --as answer overrides" };
  return { as: "answer", why: "it does not say a=setup:actpass; --as offer overrides" };
}

async function check(file: string, flags: SdpFlags, io: CliIo): Promise<void> {
  const input = await readInput(file, flags, io);
  const findings = lintSdp(input.text, input);
  const isRefused = findings.some(({ severity }) => severity === "error");
  if (isRefused) io.setExitCode(1);
  if (flags.json === true) {
    const reasoned = findings.map((finding) => ({ ...finding, why: sdpRule(finding.rule).explanation }));
    io.out(JSON.stringify({ as: input.as, accepted: !isRefused, findings: reasoned }, null, 2));
    return;
  }
  io.out(`Read as an ${input.as} (${input.why}).`);
  if (findings.length === 0) {
    io.out("Clean: WhatsApp takes this SDP.");
    return;
  }
  for (const finding of findings) io.out(formatFinding(finding, input.text));
  const verdict = isRefused ? "WhatsApp would refuse this SDP." : "WhatsApp takes this SDP.";
  io.out(`\n${countFindings(findings)}. ${verdict}`);
}

async function fix(file: string, flags: SdpFlags, io: CliIo): Promise<void> {
  const input = await readInput(file, flags, io);
  io.err(`Read as an ${input.as} (${input.why}).`);
  try {
    const { sdp, changes } = conformSdp(input.text, input);
    for (const change of changes) io.err(formatChange(change));
    if (changes.length === 0) io.err("Nothing to change.");
    for (const finding of lintSdp(sdp, input)) io.err(formatFinding(finding, sdp));
    io.write(sdp);
  } catch (error) {
    if (!(error instanceof RingbackError)) throw error;
    io.err(`Cannot be fixed: ${error.message}`);
    io.setExitCode(1);
  }
}

function formatChange({ rule, line, action, message }: SdpChange): string {
  return `${line === null ? "new line" : `line ${line}`}: ${action}: ${message} [${rule}]`;
}

function printRules(flags: SdpFlags, io: CliIo): void {
  if (flags.json === true) io.out(JSON.stringify(SDP_RULES, null, 2));
  else io.out(SDP_RULES.map(formatRule).join("\n\n"));
}
