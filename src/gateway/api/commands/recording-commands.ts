import { z } from "zod";
import { snakeCase } from "../../records/event-data.ts";
import type { Recording, RecordingResult, RecordOptions, StartRecordingOptions } from "../../verbs/types.ts";
import { ApiProblem } from "../problems.ts";
import type { CallWork } from "./call-work.ts";
import {
  type CommandDefinition,
  type CommandOutcome,
  type CommandPlace,
  type CommandRun,
  type CommandWork,
  DONE,
  defineCommand,
} from "./command.ts";
import { CommandError } from "./command-error.ts";
import { finishOnKey, oneKey } from "./digit-commands.ts";
import { soundSchema, toPlaySources } from "./sounds.ts";

const messageFields = {
  end_on_silence_ms: z.int().min(300).max(600_000).optional().describe("Default: never. For messages."),
  beep: z.boolean().optional().describe("A tone before it. Default true. For messages."),
  finish_on_key: finishOnKey,
};

const recordFields = {
  mode: z
    .enum(["message", "call"])
    .optional()
    .describe(
      "`message`: what the caller says after a tone, until a key, silence or its longest time. `call`: the call, from now on. Default `message`.",
    ),
  consent: z
    .enum(["announce", "dtmf", "none"])
    .describe(
      "`announce`: the caller is told. `dtmf`: the caller agrees by a key. `none`: you have the right without asking.",
    ),
  announcement: soundSchema.optional().describe("Needed for `announce` and `dtmf`."),
  consent_key: oneKey.optional().describe("The key that agrees. Default `1`."),
  channels: z
    .enum(["caller", "business", "both"])
    .optional()
    .describe("Default: `caller` for a message, `both` for a call."),
  layout: z.enum(["stereo", "files"]).optional().describe("For `both`: one file or two. Default `stereo`."),
  format: z.enum(["opus", "wav"]).optional().describe("Default `opus`."),
  trim: z.boolean().optional().describe("Cut silence off at both ends. Default false."),
  max_ms: z
    .int()
    .min(1_000)
    .max(24 * 3_600_000)
    .optional()
    .describe("Default: 2 minutes for a message, 4 hours for a call."),
  ...messageFields,
};

type RecordBody = z.output<z.ZodObject<typeof recordFields>>;

/** To record, and to leave parts out. */
export const RECORDING_COMMANDS: readonly CommandDefinition[] = [
  defineCommand({
    verb: "record",
    kind: "recording",
    summary: "Records a message of the caller, or the call.",
    description:
      "Done when the recording is over. Its file is found by `GET /v1/recordings`; `recording.completed` has its id.",
    shape: recordFields,
    prepare: (body, place) => {
      requireFit(body);
      const options = recordOptions(body, place);
      return body.mode === "call" ? callRecording(options) : messageRecording(body, options);
    },
  }),
  pausing(
    "pause-recording",
    "Records silence from now on: while a card's number is said, for instance.",
    (one) => one.pause(),
  ),
  pausing("resume-recording", "Goes on with what was paused.", (one) => one.resume()),
];

function pausing(verb: string, summary: string, act: (recording: Recording) => void): CommandDefinition {
  return defineCommand({
    verb,
    summary,
    description:
      "For recordings with `mode` `call`, all of them. Fails with `not_recording` when there is none.",
    shape: {},
    prepare:
      () =>
      async ({ work }) => {
        for (const recording of requireRecordings(work)) act(recording);
        return DONE;
      },
  });
}

function requireRecordings(work: CallWork): ReadonlySet<Recording> {
  if (work.recordings.size > 0) return work.recordings;
  throw new CommandError("not_recording", "The call is not being recorded over the API.");
}

function callRecording(options: StartRecordingOptions): CommandWork {
  return async ({ call, task, work }: CommandRun) => {
    const recording = call.startRecording({ ...options, signal: task.signal });
    work.recordings.add(recording);
    try {
      return toOutcome(await recording.finished);
    } finally {
      work.recordings.delete(recording);
    }
  };
}

function messageRecording(body: RecordBody, options: StartRecordingOptions): CommandWork {
  const { end_on_silence_ms: endOnSilenceMs, beep, finish_on_key: finishKey } = body;
  const all: RecordOptions = {
    ...options,
    ...(endOnSilenceMs !== undefined && { endOnSilenceMs }),
    ...(beep !== undefined && { beep }),
    ...(finishKey !== undefined && { finishOnKey: finishKey }),
  };
  return async ({ call, task }) => toOutcome(await call.record({ ...all, signal: task.signal }));
}

/** What the schema cannot say: fields that depend on each other. */
function requireFit(body: RecordBody): void {
  const errors = Object.keys(messageFields)
    .filter((field) => body.mode === "call" && field in body)
    .map((field) => ({ path: `body.${field}`, message: "is for messages; leave it out, or the mode" }));
  if (body.consent !== "none" && body.announcement === undefined) {
    errors.push({ path: "body.announcement", message: `is needed for the consent ${body.consent}` });
  }
  if (errors.length > 0)
    throw new ApiProblem("invalid_request", "Some fields do not go together.", { errors });
}

function recordOptions(body: RecordBody, { context }: CommandPlace): StartRecordingOptions {
  const { consent, announcement, consent_key: consentKey, max_ms: maxMs } = body;
  const { channels, layout, format, trim } = body;
  return {
    consent,
    ...(announcement !== undefined && {
      announcement: toPlaySources(announcement, context.soundsFolder, "body.announcement"),
    }),
    ...(consentKey !== undefined && { consentKey }),
    ...(channels !== undefined && { channels }),
    ...(layout !== undefined && { layout }),
    ...(format !== undefined && { format }),
    ...(trim !== undefined && { trim }),
    ...(maxMs !== undefined && { maxMs }),
  };
}

function toOutcome(result: RecordingResult): CommandOutcome {
  const { status, endedBy, durationMs, pausedMs, consent, files } = result;
  return {
    result: {
      status,
      ended_by: snakeCase(endedBy),
      duration_ms: Math.round(durationMs),
      paused_ms: Math.round(pausedMs),
      consent: { mode: consent.mode, state: snakeCase(consent.state) },
      files: files.map(({ channel, bytes, sha256 }) => ({ channel, bytes, sha256 })),
    },
  };
}
