import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readEnvironment } from "./env.ts";

/** What a program that we start is told of our own environment: no setting of ours, and with that no secret. */
const PASSED_ON: ReadonlySet<string> = new Set([
  "HOME",
  "LANG",
  "LANGUAGE",
  "LD_LIBRARY_PATH",
  "PATH",
  "PATHEXT",
  "SYSTEMROOT",
  "TEMP",
  "TMP",
  "TMPDIR",
  "TZ",
  "USERPROFILE",
]);

/** Enough for a program's last words. */
const TAIL_CHARACTERS = 2_048;

export interface ChildOptions {
  readonly args: readonly string[];
  readonly input: Uint8Array;
  readonly maxOutputBytes: number;
  readonly environment: Readonly<Record<string, string>>;
}

/** How a child process ended. */
export interface ChildEnd {
  /** Null when a signal ended it. */
  readonly exitCode: number | null;
  readonly signal: string | null;
  /** True when it was ended for writing more than it may. */
  readonly isOverflowing: boolean;
  readonly output: Uint8Array;
  readonly errorTail: string;
}

/** A program as a process group of its own, so that whatever it starts is ended with it. */
export class RunningChild {
  readonly #child: ChildProcess;
  readonly #maxOutputBytes: number;
  readonly #chunks: Uint8Array[] = [];
  #outputBytes = 0;
  #errorTail = "";

  /** @throws {TypeError} Arguments that no program can be given, such as ones with a NUL. */
  constructor(command: string, options: ChildOptions) {
    this.#maxOutputBytes = options.maxOutputBytes;
    this.#child = spawn(command, options.args, {
      // On Windows, a group of its own would be a window of its own.
      detached: process.platform !== "win32",
      windowsHide: true,
      env: { ...passedOn(), ...options.environment },
      stdio: ["pipe", "pipe", "pipe"],
    });
    const { stdin, stdout, stderr } = this.#child;
    // A program that does not read its input to the end is no fault.
    stdin?.on("error", () => {}).end(options.input);
    stdout?.on("error", () => {}).on("data", (chunk: Uint8Array) => this.#take(chunk));
    stderr?.on("error", () => {}).setEncoding("utf8");
    stderr?.on("data", (text: string) => {
      this.#errorTail = (this.#errorTail + text).slice(-TAIL_CHARACTERS);
    });
  }

  /** @throws {Error} The system's, when the program cannot be started. */
  async ended(): Promise<ChildEnd> {
    // Also rejects at "error", which comes alone when there was nothing to start.
    const [exitCode, signal] = (await once(this.#child, "close")) as [number | null, string | null];
    return {
      exitCode,
      signal,
      isOverflowing: this.#outputBytes > this.#maxOutputBytes,
      output: new Uint8Array(Buffer.concat(this.#chunks)),
      errorTail: this.#errorTail,
    };
  }

  /** Ends the whole group at once. Idempotent. */
  kill(): void {
    const { pid, stdin, stdout, stderr } = this.#child;
    try {
      if (pid !== undefined && process.platform !== "win32") process.kill(-pid, "SIGKILL");
      else this.#child.kill("SIGKILL");
    } catch {
      // The group is gone already.
    }
    // One that has left the group may still hold the other ends: nobody waits for it.
    stdin?.destroy();
    stdout?.destroy();
    stderr?.destroy();
  }

  #take(chunk: Uint8Array): void {
    this.#outputBytes += chunk.length;
    if (this.#outputBytes > this.#maxOutputBytes) this.kill();
    else this.#chunks.push(chunk);
  }
}

function passedOn(): Record<string, string> {
  const all = Object.entries(readEnvironment()).filter((entry): entry is [string, string] => {
    const [name, value] = entry;
    return value !== undefined && (PASSED_ON.has(name.toUpperCase()) || name.startsWith("LC_"));
  });
  return Object.fromEntries(all);
}
