import type { Command } from "commander";
import { RingbackError } from "../errors.ts";
import { eraseInStore } from "../gateway/retention/erase-in-store.ts";
import { type Erasure, readSubject } from "../gateway/retention/erase-subject.ts";
import { askAtTerminal } from "../platform/ask.ts";
import { createJsonLogger } from "../platform/log.ts";
import { withAdminStore } from "./admin-store.ts";
import type { CliIo } from "./io.ts";

/** A number, and what an editor puts around it. */
const MAX_SUBJECT_BYTES = 1_024;

interface EraseOptions {
  readonly subject: string;
  readonly yes?: boolean;
  readonly config?: string;
}

/** @param ask Null: nobody is there to ask. */
export function addEraseCommand(
  program: Command,
  io: CliIo,
  ask: (question: string) => Promise<string | null> = askAtTerminal,
): void {
  program
    .command("erase")
    .description("take everything personal of a caller out of the store, and remove their recordings")
    .requiredOption(
      "--subject <number>",
      "digits of the number, or a user id; - reads it from standard input",
    )
    .option("--yes", "do not ask")
    .option("--config <file>", "JSON file of settings (RINGBACK_CONFIG)")
    .action((options: EraseOptions) => erase(options, io, ask));
}

async function erase(
  options: EraseOptions,
  io: CliIo,
  ask: (question: string) => Promise<string | null>,
): Promise<void> {
  const named = options.subject === "-" ? await io.readFile("-", MAX_SUBJECT_BYTES) : options.subject;
  const subject = readSubject(named);
  if (subject === null) throw invalid("--subject must be a phone number in digits, or a user id.");
  if (options.yes !== true && !(await isConfirmed(ask))) {
    io.err("Nothing was erased.");
    io.setExitCode(1);
    return;
  }
  await withAdminStore(io, options.config, async (store, settings) => {
    const erasure = await eraseInStore(subject, store, settings, createJsonLogger("error"));
    if (erasure !== "live") return report(erasure, io);
    io.err("Nothing was erased: the person is on the line, or was when the gateway stopped.");
    io.err("End the call, or start the gateway once, which ends what was left. Then erase.");
    io.setExitCode(1);
  });
}

async function isConfirmed(ask: (question: string) => Promise<string | null>): Promise<boolean> {
  const answer = await ask("This cannot be undone. Type erase to go on: ");
  if (answer === null) throw invalid("--yes is needed where nobody can be asked.");
  return answer.trim().toLowerCase() === "erase";
}

/** The number is not repeated: terminals keep what they show. */
function report({ calls, events, webhooks, recordings, recordingsLeft }: Erasure, io: CliIo): void {
  io.out(`Erased: ${calls} calls, ${events} events, ${webhooks} webhooks, ${recordings} recordings.`);
  io.out("The calls stay as anonymous records. The audit has an entry: subject.erased.");
  if (recordingsLeft === 0) return;
  io.err(
    `${recordingsLeft} recordings have a file that could not be removed: look at the folder's rights, then`,
  );
  io.err("erase once more, or let the running gateway try again.");
  io.setExitCode(1);
}

function invalid(message: string): RingbackError<"OPTION_INVALID"> {
  return new RingbackError("OPTION_INVALID", message, { details: { option: "subject" } });
}
