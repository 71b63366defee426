import { join } from "node:path";
import { z } from "zod";
import {
  compileFlow,
  FLOW_LIMITS,
  type FlowDocument,
  type FlowSource,
  type FlowStep,
} from "../../../core/flow/index.ts";
import type { PlaySource } from "../../verbs/types.ts";
import { ApiProblem, type FieldError } from "../problems.ts";

const MAX_SILENCE_MS = 3_600_000;

const frequency = z.number().min(50).max(7_000);

export const toneSchema: z.ZodType<ToneBody> = z
  .strictObject({
    frequency_hz: z
      .union([frequency, z.tuple([frequency, frequency])], {
        error: "must be 50 to 7000 Hz, or two such frequencies in a list",
      })
      .describe("One frequency, or two that sound at once."),
    duration_ms: z.int().min(20).max(60_000),
  })
  .meta({ id: "Tone" });

export interface ToneBody {
  readonly frequency_hz: number | readonly [number, number];
  readonly duration_ms: number;
}

/** Who speaks a text. */
export const voiceFields: {
  readonly voice: z.ZodType<string | undefined>;
  readonly language: z.ZodType<string | undefined>;
} = {
  voice: z
    .string()
    .min(1)
    .max(FLOW_LIMITS.tagChars)
    .optional()
    .describe("What it may be is the voice's own."),
  language: z
    .string()
    .regex(/^[A-Za-z]{2,8}(?:-[A-Za-z0-9]{1,8}){0,4}$/, "must be a language such as de or pt-BR")
    .optional(),
};

const SOUND_FORM =
  'must be a URL with https://, the name of a file in the folder of sounds (no absolute path, no ".."), {"tone": …}, {"silence_ms": …} or {"say": …}';

type SoundItem =
  | string
  | { readonly tone: ToneBody }
  | { readonly silence_ms: number }
  | { readonly say: string; readonly voice?: string | undefined; readonly language?: string | undefined };

const item: z.ZodType<SoundItem> = z.union(
  [
    z
      .string()
      .max(FLOW_LIMITS.urlChars)
      .refine((text) => isUrl(text) || isSoundName(text), SOUND_FORM)
      .describe(
        "An https URL, or the name of a file in the gateway's folder of sounds: `welcome.mp3`, `de/welcome.mp3`.",
      ),
    z.strictObject({ tone: toneSchema }),
    z.strictObject({ silence_ms: z.int().min(1).max(MAX_SILENCE_MS) }),
    z.strictObject({ say: z.string().min(1).max(FLOW_LIMITS.textChars), ...voiceFields }),
  ],
  { error: SOUND_FORM },
);

/** What can be played over the API. Never a path of the gateway's machine. */
export type SoundBody = SoundItem | readonly SoundItem[];

export const soundSchema: z.ZodType<SoundBody> = z
  .union([item, z.array(item).min(1).max(FLOW_LIMITS.sources)], {
    error: "must be something to be played, or a list of 1 to 32",
  })
  .meta({ id: "Sound" });

/**
 * What a call plays for it.
 * @param field Where it stands in the request.
 * @throws {ApiProblem} `invalid_request` for a file, when there is no folder of sounds.
 */
export function toPlaySources(
  sound: SoundBody,
  folder: string | null,
  field = "body.source",
): readonly PlaySource[] {
  const items: readonly SoundItem[] = Array.isArray(sound) ? sound : [sound as SoundItem];
  return items.map((one) => toPlaySource(one, folder, field));
}

function toPlaySource(sound: SoundItem, folder: string | null, field: string): PlaySource {
  if (typeof sound === "string") return isUrl(sound) ? sound : locate(sound, folder, field);
  if ("silence_ms" in sound) return { silenceMs: sound.silence_ms };
  if ("tone" in sound) return { tone: toTone(sound.tone) };
  const { say, voice, language } = sound;
  return { say, ...(voice !== undefined && { voice }), ...(language !== undefined && { language }) };
}

export function toTone({ frequency_hz, duration_ms }: ToneBody): {
  readonly frequencyHz: number | readonly [number, number];
  readonly durationMs: number;
} {
  return { frequencyHz: frequency_hz, durationMs: duration_ms };
}

function locate(name: string, folder: string | null, field: string): string {
  if (folder !== null) return join(folder, name);
  throw new ApiProblem("invalid_request", "No file can be played.", {
    errors: [{ path: field, message: "names a file, but the gateway has no folder of sounds" }],
  });
}

/**
 * Files that a flow from outside names, and may not: its sounds are in the folder of sounds, as those of any command are.
 */
export function soundFaults(document: FlowDocument, folder: string | null): readonly FieldError[] {
  const faults: FieldError[] = [];
  for (const { step, path } of compileFlow(document).nodes) {
    const [field, source] = heardIn(step);
    for (const name of fileNames(source)) {
      const problem =
        folder === null
          ? "names a file, but the gateway has no folder of sounds"
          : isSoundName(name)
            ? null
            : 'must be the name of a file in the folder of sounds: no absolute path, no ".."';
      if (problem !== null) faults.push({ path: `body.flow.${path}.${field}`, message: problem });
    }
  }
  return faults;
}

function heardIn(step: FlowStep): readonly [string, FlowSource | undefined] {
  if (step.verb === "play") return ["source", step.source];
  if (step.verb === "gather") return ["prompt", step.prompt];
  return ["announcement", step.verb === "record" ? step.announcement : undefined];
}

function fileNames(source: FlowSource | undefined): readonly string[] {
  const items = source === undefined ? [] : Array.isArray(source) ? source : [source];
  return items.filter((one): one is string => typeof one === "string" && !isUrl(one));
}

function isUrl(text: string): boolean {
  return /^https?:\/\/[^\s]+$/i.test(text);
}

/** Below the folder, and no hidden file: no `..`, no absolute path, no drive, no scheme. */
export function isSoundName(text: string): boolean {
  if (text.length > FLOW_LIMITS.pathChars || /[\\:\p{Cc}]/u.test(text)) return false;
  return text.split("/").every((part) => part !== "" && !part.startsWith("."));
}
