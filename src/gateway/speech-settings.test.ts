import { chmod, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { isRingbackError } from "../errors.ts";
import type { TextToSpeech } from "../media/speech/text-to-speech.ts";
import { type ReadSecret, SettingsReader } from "./settings-reader.ts";
import { readSpeech } from "./speech-settings.ts";

const SERVER = { SPEECH_URL: "https://speech.example/v1", SPEECH_MODEL: "kokoro", SPEECH_VOICE: "af_bella" };

const noFiles = (): string => {
  throw new Error("no such file");
};

function speechOf(env: Record<string, string>, readSecret: ReadSecret = noFiles): TextToSpeech | null {
  const reader = new SettingsReader(env, readSecret);
  const speech = readSpeech(reader, {});
  reader.throwProblems();
  return speech;
}

function problemsOf(env: Record<string, string>): string[] {
  try {
    speechOf(env);
    return [];
  } catch (error) {
    if (!isRingbackError(error, "CONFIG_INVALID")) throw error;
    return error.details.problems.map((problem) => problem.name);
  }
}

describe("who speaks", () => {
  test("nobody, unless it is said", () => {
    expect(speechOf({})).toBeNull();
    expect(speechOf({ SPEECH_COMMAND: "", SPEECH_URL: "" })).toBeNull();
  });

  test.each([
    [{ SPEECH_COMMAND: "espeak-ng" }, "espeak-ng"],
    [{ SPEECH_COMMAND: "/usr/bin/espeak-ng", SPEECH_LANGUAGE: "de" }, "espeak-ng"],
    [{ SPEECH_COMMAND: "piper", SPEECH_VOICE: "/voices/en.onnx" }, "piper"],
    [{ SPEECH_COMMAND: "say", SPEECH_ARGS: '["-o", "{output}"]' }, "say"],
    [SERVER, "speech.example"],
    [{ ...SERVER, SPEECH_URL: "http://127.0.0.1:8880/v1", SPEECH_API_KEY: "a-key" }, "127.0.0.1:8880"],
  ])("%j", (env, name) => {
    expect(speechOf(env)?.name).toBe(name);
  });

  test.each([
    [{ ...SERVER, SPEECH_COMMAND: "espeak-ng" }, ["SPEECH_URL"]],
    [{ SPEECH_COMMAND: "say" }, ["SPEECH_ARGS"]],
    [{ SPEECH_COMMAND: "say", SPEECH_ARGS: "-o {output}" }, ["SPEECH_ARGS"]],
    [{ SPEECH_COMMAND: "say", SPEECH_ARGS: "[1]" }, ["SPEECH_ARGS"]],
    [{ SPEECH_COMMAND: "say", SPEECH_ARGS: '["{file}"]' }, ["SPEECH_ARGS"]],
    [{ SPEECH_COMMAND: "piper" }, ["SPEECH_VOICE"]],
    [
      { SPEECH_COMMAND: "espeak-ng", SPEECH_MODEL: "x", SPEECH_API_KEY: "y" },
      ["SPEECH_MODEL", "SPEECH_API_KEY"],
    ],
    [{ SPEECH_URL: "https://speech.example" }, ["SPEECH_MODEL", "SPEECH_VOICE"]],
    [{ ...SERVER, SPEECH_ARGS: "[]", SPEECH_LANGUAGE: "de" }, ["SPEECH_ARGS", "SPEECH_LANGUAGE"]],
    [{ ...SERVER, SPEECH_URL: "speech.example" }, ["SPEECH_URL"]],
    [{ ...SERVER, SPEECH_URL: "http://speech.lan" }, ["SPEECH_URL"]],
    [{ ...SERVER, SPEECH_API_KEY: "two words" }, ["SPEECH_API_KEY"]],
    [{ ...SERVER, SPEECH_API_KEY_FILE: "/no/such" }, ["SPEECH_API_KEY_FILE"]],
  ])("%j is refused", (env, names) => {
    expect(problemsOf(env)).toEqual(names);
  });

  test("what the adapter says is said in the names of settings", () => {
    expect(() => speechOf({ ...SERVER, SPEECH_URL: "http://speech.lan" })).toThrow(
      "SPEECH_URL must be https; plain http would show the key and the texts to the network, unless REQUESTS_ALLOW_HTTP",
    );
  });

  test("the key may come from a file, and stands in no message", () => {
    const env = { ...SERVER, SPEECH_API_KEY_FILE: "/run/secrets/key" };
    expect(speechOf(env, () => "a-key\n")?.name).toBe("speech.example");
    expect(() => speechOf(env, () => "a-key two")).toThrow(
      expect.objectContaining({ message: expect.not.stringContaining("a-key") }),
    );
  });

  test.skipIf(process.platform === "win32")(
    "espeak-ng gets the text on its standard input, its language as a voice, and speaks it once",
    async () => {
      const folder = await mkdtemp(join(tmpdir(), "ringback-config-"));
      try {
        const program = join(folder, "espeak-ng");
        const script = [
          "#!/bin/sh",
          'printf "RIFF....WAVE"',
          'printf "%s|" "$@"',
          "cat",
          `echo >>"${folder}/runs"`,
        ];
        await writeFile(program, script.join("\n"));
        await chmod(program, 0o755);
        const speech = speechOf({ SPEECH_COMMAND: program });
        const said = await speech?.synthesize({ text: "Grüezi, das ist die Ansage.", language: "de-CH" });
        await speech?.synthesize({ text: "Grüezi, das ist die Ansage.", language: "de-CH" });
        expect(new TextDecoder().decode(said)).toContain(
          "--stdout|--stdin|-v|de-CH|Grüezi, das ist die Ansage.",
        );
        expect(await readFile(`${folder}/runs`, "utf8")).toBe("\n");
        const inEnglish = await speech?.synthesize({ text: "Hello, who is calling, please?" });
        expect(new TextDecoder().decode(inEnglish)).toContain("-v|en|Hello");
      } finally {
        await rm(folder, { recursive: true });
      }
    },
  );
});
