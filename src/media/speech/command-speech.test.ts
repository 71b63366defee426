import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inspect } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parseWav, serializeWav } from "../../core/audio/wav.ts";
import { systemClock } from "../../platform/clock.ts";
import { decodeFile } from "../file-decoder.ts";
import { WorkSlices } from "../work-slices.ts";
import { type CommandSpeechOptions, createCommandSpeech } from "./command-speech.ts";
import type { SpeechRequest } from "./text-to-speech.ts";

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "ringback-speech-"));
  const samples = Int16Array.from({ length: 1_600 }, (_, i) => 8_000 * Math.sin(i / 5));
  await writeFile(join(folder, "tone.wav"), serializeWav({ sampleRateHz: 16_000, channelCount: 1, samples }));
});
afterAll(() => rm(folder, { recursive: true }));

type Options = Omit<CommandSpeechOptions, "command" | "args"> & { readonly args?: readonly string[] };

/** Speaks with a program of Node's: `script` has the arguments in `args`, and `wav`, the path of a tone. */
function speak(script: string, request: SpeechRequest, options: Options = {}): Promise<Uint8Array> {
  const { args = [], ...others } = options;
  const prelude = `const args = process.argv.slice(1), wav = ${JSON.stringify(join(folder, "tone.wav"))}, fs = require("node:fs");`;
  const all = ["-e", prelude + script, "--", ...args];
  return createCommandSpeech({ command: process.execPath, name: "node", ...others, args: all }).synthesize(
    request,
  );
}

async function failureOf(work: Promise<unknown>): Promise<Error> {
  try {
    await work;
  } catch (error) {
    if (error instanceof Error) return error;
  }
  throw new Error("It was to fail.");
}

/** Samples at 48 kHz of a file as it is played. */
async function countSamples(bytes: Uint8Array): Promise<number> {
  const path = join(folder, "decoded.wav");
  await writeFile(path, bytes);
  let samples = 0;
  for await (const piece of decodeFile(path, new WorkSlices(systemClock, 4))) samples += piece.length;
  return samples;
}

const TONE = "process.stdout.write(fs.readFileSync(wav));";

describe("a program speaks", () => {
  test("to standard output, with the text as an argument", async () => {
    const script = `if (args.join("|") !== "en|a b|pt") throw 1; ${TONE}`;
    const args = ["{voice}", "{text}", "{language}"];
    const sound = await speak(script, { text: " a\nb ", voice: "en" }, { args, voice: "de", language: "pt" });
    expect(parseWav(sound)).toMatchObject({ sampleRateHz: 16_000 });
  });

  test("with the text on standard input, as one line", async () => {
    const script = `if (fs.readFileSync(0, "utf8") !== "Grüße, a b\\n") throw 1; ${TONE}`;
    expect(parseWav(await speak(script, { text: "Grüße,\na\r\nb" }))).toMatchObject({ channelCount: 1 });
  });

  test("into a file, which is gone afterwards", async () => {
    const note = join(folder, "note");
    const script = `fs.copyFileSync(wav, args[0]); fs.writeFileSync(${JSON.stringify(note)}, args[0]); console.log("chatter");`;
    const tails: string[] = [];
    const options = { args: ["{output}"], onErrorOutput: (tail: string) => void tails.push(tail) };
    expect(parseWav(await speak(`${script} console.error("done")`, { text: "a" }, options))).toMatchObject(
      {},
    );
    const path = await readFile(note, "utf8");
    expect(path).toMatch(/speech\.wav$/);
    expect(existsSync(path)).toBe(false);
    expect(tails).toEqual(["done\n"]);
  });
});

describe("a program that does not speak", () => {
  test.each<[string, string, Options, string]>([
    ["fails", "console.error(args[0]); process.exit(2)", { args: ["{text}"] }, "failed"],
    ["ends itself", "process.kill(process.pid, 'SIGKILL')", {}, "failed"],
    ["takes too long", "setInterval(() => {}, 1000)", { timeoutMs: 200 }, "timeout"],
    ["gives nothing", "", {}, "not-audio"],
    ["gives something else", "console.log('RIFF is what I am not')", {}, "not-audio"],
    ["gives a header alone", "process.stdout.write(fs.readFileSync(wav).subarray(0, 44))", {}, "not-audio"],
    ["gives too much", TONE, { maxBytes: 1_000 }, "too-large"],
    ["writes no file", TONE, { args: ["{output}"] }, "not-audio"],
    [
      "writes too large a file",
      "fs.copyFileSync(wav, args[0])",
      { args: ["{output}"], maxBytes: 1_000 },
      "too-large",
    ],
    ["is told no voice", TONE, { args: ["{voice}"] }, "voice-invalid"],
  ])("because it %s is told, without the text", async (_, script, options, reason) => {
    const error = await failureOf(speak(script, { text: "confidential" }, options));
    expect(error).toMatchObject({ code: "SPEECH_FAILED", details: { speech: "node", reason } });
    expect(inspect(error)).not.toContain("confidential");
  });

  test("because it is not installed is told with its name", async () => {
    const speech = createCommandSpeech({ command: "ringback-no-such-program", args: ["{text}"] });
    const error = await failureOf(speech.synthesize({ text: "a" }));
    expect(error).toMatchObject({
      code: "SPEECH_FAILED",
      details: { speech: "ringback-no-such-program", reason: "unavailable" },
      message:
        "The text was not spoken by ringback-no-such-program: " +
        'the program "ringback-no-such-program" was not found: install it, or give its full path.',
      retryable: false,
    });
  });

  test("because the call is over ends with the signal's reason", async () => {
    const ending = new AbortController();
    const work = speak("setInterval(() => {}, 1000)", { text: "a", signal: ending.signal });
    ending.abort(new Error("hung up"));
    await expect(work).rejects.toThrow("hung up");
  });

  test("because its options are wrong is not made", () => {
    for (const options of [
      { concurrency: 0 },
      { maxBytes: 0 },
      { timeoutMs: 0.5 },
      { command: "" },
      { args: ["{x}"] },
    ]) {
      expect(() => createCommandSpeech({ command: "a", args: [], ...options })).toThrow(
        expect.objectContaining({ code: "OPTION_INVALID" }),
      );
    }
  });
});

const isInstalled = spawnSync("espeak-ng", ["--version"]).status === 0;

describe.skipIf(!isInstalled)("espeak-ng (Debian package espeak-ng)", () => {
  const espeak = { command: "espeak-ng", voice: "en" };

  test.each([
    ["as an argument", ["--stdout", "-v", "{voice}", "{text}"]],
    ["on standard input", ["--stdout", "-v", "{voice}", "--stdin"]],
    ["into a file", ["-w", "{output}", "-v", "{voice}", "{text}"]],
  ])("speaks a text %s, and it is played in full", async (_, args) => {
    const sound = await createCommandSpeech({ ...espeak, args }).synthesize({
      text: "Hello, this is a test.",
    });
    const seconds = (await countSamples(sound)) / 48_000;
    expect(seconds).toBeGreaterThan(1);
    expect(seconds).toBeLessThan(3);
    // What it writes to a pipe claims 2 GiB.
    expect(Math.abs(seconds - (sound.length - 44) / 44_100)).toBeLessThan(0.01);
  });

  test("speaks a text that looks like an option, and writes no file of it", async () => {
    const speech = createCommandSpeech({ ...espeak, args: ["--stdout", "{text}"] });
    const path = join(folder, "written");
    expect(await countSamples(await speech.synthesize({ text: `-w${path} hello` }))).toBeGreaterThan(0);
    expect(existsSync(path)).toBe(false);
  });

  test("says that a voice is none", async () => {
    const tails: string[] = [];
    const onErrorOutput = (tail: string): void => void tails.push(tail);
    const speech = createCommandSpeech({
      ...espeak,
      args: ["--stdout", "-v", "{voice}", "{text}"],
      onErrorOutput,
    });
    const error = await failureOf(speech.synthesize({ text: "a", voice: "nobody" }));
    expect(error).toMatchObject({
      code: "SPEECH_FAILED",
      details: { speech: "espeak-ng", reason: "failed" },
    });
    expect(tails.join()).toContain("voice does not exist");
  });
});
