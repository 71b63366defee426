import { type ErrorDetails, RingbackError } from "../errors.ts";
import { type ChildEnd, RunningChild } from "./child-process.ts";
import type { WorkLimit } from "./work-limit.ts";

export interface CommandRequest {
  /** A program's name, looked for in `PATH`, or its path. No shell reads it. */
  readonly command: string;
  /** Given to the program as they are. */
  readonly args: readonly string[];
  /** For its standard input. Default nothing: it finds the end at once. */
  readonly input?: Uint8Array | string;
  /** For the run, without the wait in line, in ms. Default 30 000. */
  readonly timeoutMs?: number;
  /** Of standard output. Default 16 MiB. */
  readonly maxOutputBytes?: number;
  /** Beside `PATH`, the locale and the like; no other setting of this process is passed on. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Gets the last 2 048 characters of standard error, if there are any. They may hold what the program was given. */
  readonly onErrorOutput?: (tail: string) => void;
  readonly signal?: AbortSignal;
}

type Reason = ErrorDetails["COMMAND_FAILED"]["reason"];

/**
 * Runs a program to its end and gives what it wrote to standard output. At the end of the time, at an abort and at too much
 * output, the program and all that it has started are ended.
 *
 * @param limit How many may run and wait, shared by all runs of a kind. Default: no bound.
 * @throws {RingbackError} `COMMAND_FAILED`; the signal's reason when it aborts.
 */
export async function runCommand(request: CommandRequest, limit?: WorkLimit): Promise<Uint8Array> {
  request.signal?.throwIfAborted();
  if (limit === undefined) return runNow(request);
  const done = await limit.run(() => runNow(request), request.signal);
  if (done === null) {
    throw commandFailed(request, "busy", "runs so often already that no more can wait for it");
  }
  return done.result;
}

async function runNow(request: CommandRequest): Promise<Uint8Array> {
  const { signal, timeoutMs = 30_000 } = request;
  const child = start(request);
  let isOverdue = false;
  const stop = (): void => child.kill();
  const timer = setTimeout(() => {
    isOverdue = true;
    stop();
  }, timeoutMs);
  signal?.addEventListener("abort", stop, { once: true });
  let end: ChildEnd;
  try {
    end = await child.ended();
  } catch (error) {
    throw notStarted(request, error);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", stop);
  }
  signal?.throwIfAborted();
  return outputOf(request, end, isOverdue ? timeoutMs : null);
}

function start(request: CommandRequest): RunningChild {
  const { command, args, input = "", maxOutputBytes = 16 * 1024 * 1024, environment = {} } = request;
  try {
    return new RunningChild(command, {
      args,
      input: typeof input === "string" ? new TextEncoder().encode(input) : input,
      maxOutputBytes,
      environment,
    });
  } catch {
    // The system's own error quotes the arguments.
    throw commandFailed(request, "not-started", "cannot be given these arguments");
  }
}

function outputOf(request: CommandRequest, end: ChildEnd, overdueMs: number | null): Uint8Array {
  if (end.errorTail !== "") request.onErrorOutput?.(end.errorTail);
  if (end.isOverflowing) throw commandFailed(request, "too-much-output", "wrote more than it may");
  if (overdueMs !== null) throw commandFailed(request, "timeout", `did not end within ${overdueMs} ms`);
  if (end.exitCode === null) throw commandFailed(request, "killed", `was ended by ${end.signal}`);
  if (end.exitCode !== 0) {
    throw commandFailed(request, "exit-code", `ended with exit code ${end.exitCode}`, end.exitCode);
  }
  return end.output;
}

function notStarted(request: CommandRequest, cause: unknown): Error {
  const code = cause instanceof Error && "code" in cause ? cause.code : null;
  if (code === "ENOENT") {
    const hint = /\s/.test(request.command) ? "; arguments do not belong into its name" : "";
    return commandFailed(request, "not-found", `was not found: install it, or give its full path${hint}`);
  }
  if (code === "EACCES" || code === "EPERM") {
    return commandFailed(request, "not-permitted", "may not be run by this user, or is no program");
  }
  return commandFailed(request, "not-started", `could not be started (${String(code)})`);
}

function commandFailed(
  { command }: CommandRequest,
  reason: Reason,
  problem: string,
  exitCode: number | null = null,
): RingbackError<"COMMAND_FAILED"> {
  return new RingbackError("COMMAND_FAILED", `The program ${JSON.stringify(command)} ${problem}.`, {
    details: { command, reason, exitCode },
    retryable: reason === "busy" || reason === "timeout",
  });
}
