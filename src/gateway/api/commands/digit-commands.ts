import { z } from "zod";
import { snakeCase } from "../../records/event-data.ts";
import type { GatherOptions } from "../../verbs/types.ts";
import { type CommandDefinition, defineCommand } from "./command.ts";
import { soundSchema, toPlaySources } from "./sounds.ts";

const keyTimeMs = z.int().min(100).max(600_000);

export const oneKey: z.ZodType<string> = z.string().regex(/^[0-9*#A-D]$/, "must be one key: 0-9, *, #, A-D");

export const finishOnKey: z.ZodType<string | null | undefined> = oneKey
  .nullable()
  .optional()
  .describe("The key that ends it and is no part of it; null: none. Default `#`.");

const gatherFields = {
  prompt: soundSchema.optional().describe("Played first; the first key stops it."),
  max_digits: z.int().min(1).max(128).optional().describe("Default 128."),
  finish_on_key: finishOnKey,
  timeout_ms: keyTimeMs
    .optional()
    .describe("Time for the first key, from the end of the prompt. Default 5000."),
  inter_digit_timeout_ms: keyTimeMs
    .optional()
    .describe("Time for each further key. Default: that of the first."),
  retries: z.int().min(0).max(20).optional().describe("Ask again when no key came, so often. Default 0."),
};

/** Keys: those that the caller presses, and those that are pressed toward the caller. */
export const DIGIT_COMMANDS: readonly CommandDefinition[] = [
  defineCommand({
    verb: "gather",
    kind: "gather",
    summary: "Plays a prompt and waits for keys.",
    description:
      "Keys that were pressed before count, too. `outcome`: `digits`, `timeout`, `hangup` or `aborted`.",
    shape: gatherFields,
    prepare: ({ prompt, ...fields }, { context }) => {
      const sources =
        prompt === undefined ? {} : { prompt: toPlaySources(prompt, context.soundsFolder, "body.prompt") };
      return async ({ call, task }) => {
        const options = { ...gatherOptions(fields), ...sources, signal: task.signal };
        const { outcome, digits, finishedBy } = await call.gather(options);
        const result = { outcome, finished_by: finishedBy === null ? null : snakeCase(finishedBy) };
        return { result, personal: { ...result, digits } };
      };
    },
  }),
  defineCommand({
    verb: "dtmf",
    summary: "Presses keys toward the caller.",
    description:
      "`outcome`: `sent`, `call_ended`, `unsupported` (the caller's phone takes none) or `replaced`.",
    shape: {
      digits: z
        .string()
        .regex(/^[0-9*#A-Da-dw]{1,256}$/, "must be keys (0-9, *, #, A-D), and w for a pause of 500 ms"),
      in_band: z.boolean().optional().describe("As sounds in the audio. Default false: telephone events."),
      tone_ms: z.int().min(40).max(30_000).optional().describe("How long each key is held. Default 100."),
      gap_ms: z.int().min(60).max(5_000).optional().describe("From one key to the next. Default 60."),
    },
    prepare:
      ({ digits, in_band: inBand, tone_ms: toneMs, gap_ms: gapMs }) =>
      async ({ call }) => {
        const outcome = await call.sendDigits(digits, {
          ...(inBand !== undefined && { inBand }),
          ...(toneMs !== undefined && { toneMs }),
          ...(gapMs !== undefined && { gapMs }),
        });
        return { result: { outcome: snakeCase(outcome) } };
      },
  }),
];

function gatherOptions(fields: Omit<z.output<z.ZodObject<typeof gatherFields>>, "prompt">): GatherOptions {
  const {
    max_digits: maxDigits,
    finish_on_key: finishKey,
    timeout_ms: timeoutMs,
    inter_digit_timeout_ms: interDigitTimeoutMs,
    retries,
  } = fields;
  return {
    ...(maxDigits !== undefined && { maxDigits }),
    ...(finishKey !== undefined && { finishOnKey: finishKey }),
    ...(timeoutMs !== undefined && { timeoutMs }),
    ...(interDigitTimeoutMs !== undefined && { interDigitTimeoutMs }),
    ...(retries !== undefined && { retries }),
  };
}
