import { createCommandSpeech } from "../media/speech/command-speech.ts";
import { createHttpSpeech } from "../media/speech/http-speech.ts";
import { createCachedSpeech } from "../media/speech/speech-cache.ts";
import type { TextToSpeech } from "../media/speech/text-to-speech.ts";
import type { RequestOptions } from "../platform/outgoing-request.ts";
import type { SettingsReader } from "./settings-reader.ts";

/** Null: not set. */
interface SpeechSettings {
  readonly args: readonly string[] | null;
  readonly language: string | null;
  readonly voice: string | null;
  readonly model: string | null;
  readonly apiKey: string | null;
}

const HINTS = {
  command: "A program's name or path, without its arguments.",
  args: 'A JSON array such as ["--voice", "{voice}", "--output", "{output}"]; {text} and {language} are there, too.',
  url: "The base of an API in OpenAI's form, such as https://api.openai.com/v1 or http://127.0.0.1:8880/v1.",
  apiKey: "The key as the speech server's dashboard shows it. A server of your own may need none.",
  model: "A model that the speech server has, such as gpt-4o-mini-tts or kokoro.",
  voice: "A voice that the speech server has, such as alloy or af_bella.",
  piperVoice: "With piper it is the file of the voice's model, such as /voices/en_US-lessac-medium.onnx.",
  forCommand: "It goes with SPEECH_COMMAND.",
  forEither: "It goes with SPEECH_COMMAND or SPEECH_URL.",
  forUrl: "It goes with SPEECH_URL. A program's model is part of SPEECH_ARGS, or piper's SPEECH_VOICE.",
} as const;

/**
 * Who speaks, as the settings say; null: nobody does. What was spoken is kept.
 *
 * @param requests What the gateway may request.
 */
export function readSpeech(reader: SettingsReader, requests: RequestOptions): TextToSpeech | null {
  const command = reader.optional("SPEECH_COMMAND");
  const url = reader.optional("SPEECH_URL");
  const settings = {
    args: readArguments(reader),
    language: reader.optional("SPEECH_LANGUAGE"),
    voice: reader.optional("SPEECH_VOICE"),
    model: reader.optional("SPEECH_MODEL"),
    apiKey: reader.secret("SPEECH_API_KEY", HINTS.apiKey),
  };
  if (command !== null && url !== null) {
    reader.problem("SPEECH_URL", "is set beside SPEECH_COMMAND", "Keep one of the two.");
    return null;
  }
  const { args, language, voice, model, apiKey } = settings;
  if (command === null) {
    reportUnused(reader, { SPEECH_ARGS: args, SPEECH_LANGUAGE: language }, HINTS.forCommand);
  }
  if (url === null) reportUnused(reader, { SPEECH_MODEL: model, SPEECH_API_KEY: apiKey }, HINTS.forUrl);
  if (command !== null) return cached(commandSpeech(reader, command, settings));
  if (url !== null) return cached(httpSpeech(reader, url, settings, requests));
  reportUnused(reader, { SPEECH_VOICE: voice }, HINTS.forEither);
  return null;
}

function cached(speech: TextToSpeech | null): TextToSpeech | null {
  return speech === null ? null : createCachedSpeech(speech);
}

/** What would change nothing was meant to change something. */
function reportUnused(reader: SettingsReader, values: Readonly<Record<string, unknown>>, hint: string): void {
  for (const [name, value] of Object.entries(values)) {
    if (value !== null) reader.problem(name, "is set, and nothing uses it", hint);
  }
}

function readArguments(reader: SettingsReader): readonly string[] | null {
  const text = reader.optional("SPEECH_ARGS");
  if (text === null) return null;
  const args = parseTexts(text);
  if (args === null) reader.problem("SPEECH_ARGS", "is not a JSON array of texts", HINTS.args);
  return args;
}

function parseTexts(text: string): readonly string[] | null {
  try {
    const value: unknown = JSON.parse(text);
    return Array.isArray(value) && value.every((each) => typeof each === "string") ? value : null;
  } catch {
    return null;
  }
}

function commandSpeech(
  reader: SettingsReader,
  command: string,
  { args, voice, language }: SpeechSettings,
): TextToSpeech | null {
  const known = args ?? usualArguments(command, voice);
  if (known === null) {
    if (reader.optional("SPEECH_ARGS") === null) reader.problem("SPEECH_ARGS", "is missing", HINTS.args);
    return null;
  }
  if (args === null && voice === null && known.includes("{voice}")) {
    reader.problem("SPEECH_VOICE", "is missing", HINTS.piperVoice);
    return null;
  }
  const spokenLanguage = language ?? (args === null ? USUAL_LANGUAGE : null);
  return reader.judged(
    () =>
      createCommandSpeech({
        command,
        args: known,
        ...(voice === null ? {} : { voice }),
        ...(spokenLanguage === null ? {} : { language: spokenLanguage }),
      }),
    {
      command: { name: "SPEECH_COMMAND", hint: HINTS.command },
      args: { name: "SPEECH_ARGS", hint: HINTS.args },
    },
  );
}

const USUAL_LANGUAGE = "en";

/** Those of the programs that most people have; null for any other. The text comes on standard input. */
function usualArguments(command: string, voice: string | null): readonly string[] | null {
  const program = command.split(/[\\/]/).at(-1);
  // Its voices are languages, and variants of them such as de+f3.
  if (program === "espeak-ng")
    return ["--stdout", "--stdin", "-v", voice === null ? "{language}" : "{voice}"];
  return program === "piper" ? ["--model", "{voice}", "--output_file", "{output}"] : null;
}

function httpSpeech(
  reader: SettingsReader,
  url: string,
  { apiKey, model, voice }: SpeechSettings,
  requests: RequestOptions,
): TextToSpeech | null {
  if (model === null) reader.problem("SPEECH_MODEL", "is missing", HINTS.model);
  if (voice === null) reader.problem("SPEECH_VOICE", "is missing", HINTS.voice);
  return reader.judged(
    () =>
      createHttpSpeech({
        url,
        model: model ?? "",
        voice: voice ?? "",
        ...(apiKey === null ? {} : { apiKey }),
        requests,
      }),
    {
      url: { name: "SPEECH_URL", hint: HINTS.url },
      apiKey: { name: "SPEECH_API_KEY", hint: HINTS.apiKey },
      "requests.allowHttp": { name: "REQUESTS_ALLOW_HTTP", hint: HINTS.url },
      "requests.allowedHosts": { name: "REQUESTS_ALLOW", hint: HINTS.url },
    },
  );
}
