import type { PhoneVoice } from "./phone-media.ts";
import { requireToneHz, type SpeechPart, type SpokenPart, toSpeechParts } from "./speech.ts";
import { silentPacket } from "./speech-encoder.ts";
import { encodeUtterance, Utterance } from "./utterance.ts";

/** A whole number of periods of any tone of whole hertz, so that it goes on without a click. */
const TONE_MS = 2000;

/** Gives one Opus packet (20 ms) at a time. Never ends: after a file comes silence. */
export class Voice {
  readonly #utterance: Utterance;
  readonly #silence: Buffer | null;
  readonly #loop: boolean;
  readonly #isTone: boolean;

  constructor(
    utterance: Utterance,
    silence: Buffer | null,
    { loop = false, isTone = false }: { readonly loop?: boolean; readonly isTone?: boolean } = {},
  ) {
    this.#utterance = utterance;
    this.#silence = silence;
    this.#loop = loop;
    this.#isTone = isTone;
  }

  get spoken(): readonly SpokenPart[] {
    return this.#utterance.spoken;
  }

  /** The packet that leaves at `nowMs`. Null: say nothing, send nothing. */
  next(nowMs: number): Buffer | null {
    if (this.#loop && this.#utterance.isOver) this.#utterance.repeat();
    return this.#utterance.next(nowMs) ?? this.#silence;
  }

  /**
   * Something else was said meanwhile. A decoder needs 0.2 s to find back into the middle of an encoded tone, so that a tone
   * begins anew; with speech it is hardly heard.
   */
  resume(): void {
    if (this.#isTone) this.#utterance.repeat();
  }
}

/**
 * Prepares what a phone says from the accept on.
 * @throws {RingbackError} `MEDIA_FILE_UNUSABLE`; `OPTION_INVALID` for what `checkVoice` refuses.
 */
export async function createVoice(voice: PhoneVoice): Promise<Voice> {
  checkVoice(voice);
  if (voice.type === "mute") return new Voice(new Utterance("voice", []), null);
  const isTone = voice.type === "tone";
  const loop = isTone || ("loop" in voice && voice.loop === true);
  return new Voice(await encodeUtterance("voice", partsOf(voice)), await silentPacket(), { loop, isTone });
}

/** @throws {RingbackError} `OPTION_INVALID` for a tone outside 50 to 7000 Hz, and for parts of a script that cannot be said. */
export function checkVoice(voice: PhoneVoice): void {
  if (voice.type === "tone") requireToneHz(voice.frequencyHz, "voice.frequencyHz");
  if (voice.type === "script") toSpeechParts(voice.parts, "voice.parts");
}

function partsOf(voice: PhoneVoice): readonly SpeechPart[] {
  switch (voice.type) {
    case "mute":
    case "silence":
      return [];
    case "tone":
      return [{ tone: { frequencyHz: voice.frequencyHz, durationMs: TONE_MS } }];
    case "file":
      return [{ file: voice.path }];
    case "script":
      return voice.parts;
  }
}
