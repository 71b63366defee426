import { type ErrorDetails, isRingbackError } from "../../errors.ts";
import { runCommand } from "../../platform/run-command.ts";
import { readSmallFile, withTemporaryFile } from "../../platform/temporary-file.ts";
import { WorkLimit } from "../../platform/work-limit.ts";
import { CommandArguments } from "./command-arguments.ts";
import { messageWithin, optionError, type SpeechFault, speechError } from "./speech-error.ts";
import { requireSound } from "./speech-sound.ts";
import { readSpokenText, type SpokenText } from "./spoken-text.ts";
import type { SpeechRequest, TextToSpeech } from "./text-to-speech.ts";

export interface CommandSpeechOptions {
  /** A program's name, looked for in `PATH`, or its path. No shell reads it. */
  readonly command: string;
  /**
   * With placeholders, also within an argument: `{text}`, `{voice}`, `{language}`, and `{output}` for the path of the file that
   * the program writes. Without `{text}`, the text comes on standard input, as one line; without `{output}`, the file
   * is what the program writes to standard output.
   */
  readonly args: readonly string[];
  /** Default: the program's name. */
  readonly name?: string;
  /** For requests that name none. */
  readonly voice?: string;
  /** For requests that name none. */
  readonly language?: string;
  /** For one text, in ms, 1–600 000. Default 30 000. */
  readonly timeoutMs?: number;
  /** Of the sound. Default 32 MiB. */
  readonly maxBytes?: number;
  /** Texts that are spoken at once, 1–64. Default 2. */
  readonly concurrency?: number;
  /** Beside `PATH`, the locale and the like; no setting of this process is passed on. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Gets the end of what the program writes to standard error. It may hold the text: for looking into a failure only. */
  readonly onErrorOutput?: (tail: string) => void;
}

/** Texts that may wait to be spoken. */
const MAX_WAITING = 100;

const FAULTS: Readonly<Record<ErrorDetails["COMMAND_FAILED"]["reason"], SpeechFault>> = {
  "not-found": "unavailable",
  "not-permitted": "unavailable",
  "not-started": "unavailable",
  "exit-code": "failed",
  killed: "failed",
  timeout: "timeout",
  "too-much-output": "too-large",
  busy: "busy",
};

/**
 * Speaks with a program, such as `{command: "espeak-ng", args: ["--stdout", "-v", "{voice}", "{text}"], voice: "en"}` or
 * `{command: "piper", args: ["--model", "en.onnx", "--output_file", "{output}"]}`.
 *
 * @throws {RingbackError} `OPTION_INVALID`.
 */
export function createCommandSpeech(options: CommandSpeechOptions): TextToSpeech {
  return new CommandSpeech(options);
}

class CommandSpeech implements TextToSpeech {
  readonly name: string;
  readonly #options: CommandSpeechOptions;
  readonly #arguments: CommandArguments;
  readonly #limit: WorkLimit;
  readonly #maxBytes: number;
  readonly #timeoutMs: number;

  constructor(options: CommandSpeechOptions) {
    if (options.command === "") throw optionError("command", "command must be a program's name or path");
    this.name = options.name ?? options.command.split(/[\\/]/).at(-1) ?? options.command;
    this.#options = options;
    this.#arguments = new CommandArguments(options.args);
    this.#limit = new WorkLimit(inRange("concurrency", options.concurrency ?? 2, 64), MAX_WAITING);
    this.#maxBytes = inRange("maxBytes", options.maxBytes ?? 32 * 1024 * 1024, 1024 * 1024 * 1024);
    this.#timeoutMs = inRange("timeoutMs", options.timeoutMs ?? 30_000, 600_000);
  }

  async synthesize(request: SpeechRequest): Promise<Uint8Array> {
    const spoken = this.#read(request);
    const { signal } = request;
    try {
      return requireSound(this.name, await this.#speak(spoken, signal));
    } catch (error) {
      if (!isRingbackError(error, "COMMAND_FAILED")) throw error;
      const { reason } = error.details;
      const hint = reason === "exit-code" ? "; run it by hand with the same voice to see why" : "";
      throw speechError(this.name, FAULTS[reason], `${messageWithin(error)}${hint}`, error);
    }
  }

  #read(request: SpeechRequest): SpokenText {
    const { text, voice, language } = readSpokenText(this.name, request);
    const spoken = {
      text,
      voice: voice ?? this.#options.voice ?? null,
      language: language ?? this.#options.language ?? null,
    };
    for (const what of ["voice", "language"] as const) {
      if (spoken[what] === null && this.#arguments.has(what)) {
        throw speechError(this.name, "voice-invalid", `its arguments need a ${what}, and none was given`);
      }
    }
    return spoken;
  }

  #speak(spoken: SpokenText, signal: AbortSignal | undefined): Promise<Uint8Array> {
    if (!this.#arguments.has("output")) return this.#run(spoken, "", signal);
    return withTemporaryFile("speech.wav", async (path) => {
      await this.#run(spoken, path, signal);
      return await this.#readOutput(path);
    });
  }

  #run(spoken: SpokenText, output: string, signal: AbortSignal | undefined): Promise<Uint8Array> {
    const { command, environment = {}, onErrorOutput } = this.#options;
    return runCommand(
      {
        command,
        args: this.#arguments.fill(spoken, output),
        input: this.#arguments.has("text") ? "" : `${spoken.text}\n`,
        timeoutMs: this.#timeoutMs,
        maxOutputBytes: this.#maxBytes,
        environment,
        ...(onErrorOutput === undefined ? {} : { onErrorOutput }),
        ...(signal === undefined ? {} : { signal }),
      },
      this.#limit,
    );
  }

  async #readOutput(path: string): Promise<Uint8Array> {
    let bytes: Uint8Array | null;
    try {
      bytes = await readSmallFile(path, this.#maxBytes);
    } catch {
      throw speechError(this.name, "not-audio", "the program did not write the file of {output}");
    }
    if (bytes === null)
      throw speechError(this.name, "too-large", `the file has more than ${this.#maxBytes} bytes`);
    return bytes;
  }
}

function inRange(option: string, value: number, max: number): number {
  if (Number.isInteger(value) && value >= 1 && value <= max) return value;
  throw optionError(option, `${option} must be a whole number from 1 to ${max}, got ${value}`);
}
