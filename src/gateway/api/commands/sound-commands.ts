import { z } from "zod";
import { FLOW_LIMITS } from "../../../core/flow/index.ts";
import { snakeCase } from "../../records/event-data.ts";
import type { Playing, PlayOptions } from "../../verbs/types.ts";
import {
  type CommandDefinition,
  type CommandOutcome,
  type CommandRun,
  DONE,
  defineCommand,
} from "./command.ts";
import { soundSchema, toneSchema, toPlaySources, toTone, voiceFields } from "./sounds.ts";

const interruption = z.enum(["digit", "speech"]);

const playFields = {
  loop: z
    .union([z.boolean(), z.int().min(1).max(1_000)], { error: "must be true, false, or 1 to 1000 rounds" })
    .optional()
    .describe("Again from the start: until stopped, or so many rounds."),
  gain: z.number().min(0).max(4).optional().describe("Factor of the amplitude. Default 1."),
  interrupt_on: z
    .union([interruption, z.array(interruption).max(2)], {
      error: 'must be "digit", "speech", or both in a list',
    })
    .optional()
    .describe("What the caller does that stops it. Default: nothing."),
  queue: z
    .boolean()
    .optional()
    .describe("Begin when what is playing is over, instead of taking its place. Default false."),
};

type PlayFields = z.output<z.ZodObject<typeof playFields>>;

/** To be heard. */
export const SOUND_COMMANDS: readonly CommandDefinition[] = [
  defineCommand({
    verb: "play",
    kind: "playback",
    summary: "Plays a sound, or several one after the other.",
    description:
      "Started before the call is active, it begins with the first packet. A second one replaces the first, unless it is queued.",
    shape: { source: soundSchema, ...playFields },
    prepare: ({ source, ...fields }, { context }) => {
      const sources = toPlaySources(source, context.soundsFolder);
      return (run) => played(run.call.play(sources, playOptions(fields, run)));
    },
  }),
  defineCommand({
    verb: "say",
    kind: "playback",
    summary: "Speaks a text.",
    shape: { text: z.string().min(1).max(FLOW_LIMITS.textChars), ...voiceFields, ...playFields },
    prepare:
      ({ text, voice, language, ...fields }) =>
      (run) => {
        const voices = { ...(voice !== undefined && { voice }), ...(language !== undefined && { language }) };
        return played(run.call.say(text, { ...voices, ...playOptions(fields, run) }));
      },
  }),
  defineCommand({
    verb: "tone",
    kind: "playback",
    summary: "Plays a tone.",
    shape: { tone: toneSchema, ...playFields },
    prepare:
      ({ tone, ...fields }) =>
      (run) =>
        played(run.call.tone(toTone(tone), playOptions(fields, run))),
  }),
  defineCommand({
    verb: "stop",
    isAlwaysTaken: true,
    summary: "Stops what is under way.",
    description:
      "`playback` ends what is heard, whoever has started it; the others stop what was begun over the API. Commands that are stopped have their outcome.",
    shape: {
      what: z
        .enum(["playback", "gather", "recording", "flow", "all"])
        .optional()
        .describe("Default `playback`."),
    },
    prepare:
      ({ what = "playback" }) =>
      async ({ call, work }) => {
        const stopped = work.stop(what);
        // Nothing of ours is heard: what a program plays is replaced by as good as nothing.
        if (stopped === 0 && what === "playback") await call.silence(1);
        return { result: { stopped } };
      },
  }),
  defineCommand({
    verb: "hold",
    summary: "Lets the caller hear music or silence, and the other side of a bridge nothing.",
    shape: { music: soundSchema.optional().describe("Over and over. Default: silence.") },
    prepare: ({ music }, { context }) => {
      const sources = music === undefined ? null : toPlaySources(music, context.soundsFolder, "body.music");
      return async ({ call }) => {
        await call.hold(sources === null ? {} : { music: sources });
        return DONE;
      };
    },
  }),
  defineCommand({
    verb: "unhold",
    summary: "Ends `hold`.",
    shape: {},
    prepare:
      () =>
      async ({ call }) => {
        call.unhold();
        return DONE;
      },
  }),
];

function playOptions(
  { loop, gain, interrupt_on: interruptOn, queue }: PlayFields,
  { task }: CommandRun,
): PlayOptions {
  return {
    signal: task.signal,
    ...(loop !== undefined && { loop }),
    ...(gain !== undefined && { gain }),
    ...(interruptOn !== undefined && { interruptOn }),
    ...(queue !== undefined && { queue }),
  };
}

async function played(playing: Playing): Promise<CommandOutcome> {
  const { outcome, playedMs, interruptedBy } = await playing;
  return {
    result: { outcome: snakeCase(outcome), played_ms: Math.round(playedMs), interrupted_by: interruptedBy },
  };
}
