import type { Command } from "commander";
import { formatReport, reportSettings } from "../gateway/config-report.ts";
import type { CliIo } from "./io.ts";
import { isProblems, judgeSettings, readSettings } from "./read-config.ts";

interface PrintOptions {
  readonly config?: string;
  readonly json?: boolean;
}

export function addConfigCommands(program: Command, io: CliIo): void {
  const config = program.command("config").description("look at the settings");
  config
    .command("print")
    .description("each setting, its value and where it is from; exit 1 when something is wrong")
    .option("--config <file>", "JSON file of settings (RINGBACK_CONFIG)")
    .option("--json", "as JSON, for programs")
    .action((options: PrintOptions) => print(options, io));
}

/** Nothing secret is printed: it may go into a bug report as it is. */
async function print(options: PrintOptions, io: CliIo): Promise<void> {
  const read = await readSettings(io, options.config);
  const judged = judgeSettings(read);
  const problems = isProblems(judged) ? judged : [];
  const settings = reportSettings(read.env, read.file);
  if (options.json) io.out(JSON.stringify({ settings, problems }, null, 2));
  else for (const line of formatReport(settings, problems)) io.out(line);
  if (problems.length > 0) io.setExitCode(1);
}
