import { z } from "zod";
import { isHolidayDate, isTimeZone, parseDayRange, parseWeekdays } from "./hours.ts";
import { FLOW_LIMITS } from "./limits.ts";
import { FLOW_VERBS, VERB_OUTCOMES } from "./outcomes.ts";
import { didYouMean, nearestOf } from "./suggest.ts";
import type {
  DialTarget,
  FlowCondition,
  FlowDocument,
  FlowSource,
  FlowStep,
  FlowTarget,
  FlowVerb,
} from "./types.ts";

const MAX_TIME_MS = 3_600_000;

// Sources.

const toneFields = {
  frequencyHz: z.union([frequency(), z.tuple([frequency(), frequency()])], {
    error: "must be a number of hertz, 50 to 7000, or two of them",
  }),
  durationMs: wholeNumber(20, 60_000),
};
const voiceFields = {
  voice: text(FLOW_LIMITS.tagChars).exactOptional(),
  language: language().exactOptional(),
};

const sourceItem = z.union(
  [
    z
      .string()
      .min(1, "must not be empty")
      .max(FLOW_LIMITS.pathChars)
      .regex(
        // Whatever has a scheme is a URL, but for a drive letter of Windows.
        /^(?:https?:\/\/[^\s]+|(?![A-Za-z][A-Za-z0-9+.-]+:)[^\0]+)$/i,
        "must be a path, or a URL that begins with https://",
      ),
    fields({ tone: fields(toneFields) }),
    fields({ silenceMs: wholeNumber(1, MAX_TIME_MS) }),
    fields({ say: text(FLOW_LIMITS.textChars), ...voiceFields }),
  ],
  { error: 'must be a path, a URL, {"tone": …}, {"silenceMs": …} or {"say": …}' },
);

const source: z.ZodType<FlowSource> = z
  .union([sourceItem, z.array(sourceItem).min(1).max(FLOW_LIMITS.sources)], {
    error: 'must be a path, a URL, {"tone": …}, {"silenceMs": …}, {"say": …}, or a list of these',
  })
  .meta({ id: "source" });

// Conditions.

const openHours = z.record(
  z.string().refine((days) => days.length <= 64 && parseWeekdays(days) !== null, {
    error: "is no day: write mon, mon-fri or sat,sun (mon tue wed thu fri sat sun)",
  }),
  z
    .array(
      z.string().refine((range) => parseDayRange(range) !== null, {
        error: "must be a range of times such as 09:00-17:30, 22:00-06:00 or 00:00-24:00",
      }),
    )
    .max(FLOW_LIMITS.ranges),
);

const condition: z.ZodType<FlowCondition> = fields({
  hours: fields({
    timeZone: z.string().refine(isTimeZone, {
      error: "must be a time zone by its IANA name, such as Europe/Berlin",
      params: { isTimeZone: true },
    }),
    open: openHours,
    holidays: z
      .array(
        z.string().refine(isHolidayDate, {
          error: "must be a date that there is, such as 2026-12-24, or 12-25 for each year",
        }),
      )
      .max(FLOW_LIMITS.holidays)
      .exactOptional(),
  }),
  not: z.boolean().exactOptional(),
}).meta({ id: "condition" });

// Steps.

const target: z.ZodType<FlowTarget> = z
  .union([z.string().min(1).max(FLOW_LIMITS.idChars), z.array(z.lazy(() => flowStepSchema))], {
    error: 'must be the id of a step, "next", "end", or a list of steps',
  })
  .meta({ id: "target" });

const baseFields = {
  id: z
    .string()
    .regex(
      new RegExp(`^[A-Za-z][A-Za-z0-9_-]{0,${FLOW_LIMITS.idChars - 1}}$`),
      `must be a letter and then letters, digits, - and _, ${FLOW_LIMITS.idChars} at most`,
    )
    .refine((id) => id !== "next" && id !== "end", { error: '"next" and "end" have a meaning of their own' })
    .exactOptional(),
  when: condition.exactOptional(),
};
const interruption = z.enum(["digit", "speech"]);
const heardFields = {
  loop: z
    .union([z.boolean(), wholeNumber(1, 1_000)], {
      error: "must be true, false, or a number of rounds, 1 to 1000",
    })
    .exactOptional(),
  gain: z.number().min(0).max(4).exactOptional(),
  interruptOn: z
    .union([interruption, z.array(interruption).max(2)], {
      error: 'must be "digit", "speech", or both in a list',
    })
    .exactOptional(),
};
const finishOnKey = z
  .union([z.string().regex(/^[0-9*#A-D]$/), z.null()], {
    error: "must be one key (0-9, *, #, A-D), or null for none",
  })
  .exactOptional();
const httpUrl = z
  .string()
  .max(FLOW_LIMITS.urlChars)
  .regex(/^https?:\/\/[^\s/?#]+[^\s]*$/i, "must be a URL that begins with https://");

const recordFields = {
  consent: z.enum(["announce", "dtmf", "none"]),
  announcement: source.exactOptional(),
  consentKey: z
    .string()
    .regex(/^[0-9*#A-D]$/, "must be one key: 0-9, *, #, A-D")
    .exactOptional(),
  channels: z.enum(["caller", "business", "both"]).exactOptional(),
  layout: z.enum(["stereo", "files"]).exactOptional(),
  format: z.enum(["opus", "wav"]).exactOptional(),
  maxMs: wholeNumber(1_000, 24 * 3_600_000).exactOptional(),
  endOnSilenceMs: wholeNumber(300, 600_000).exactOptional(),
  beep: z.boolean().exactOptional(),
  finishOnKey,
  trim: z.boolean().exactOptional(),
  postTo: httpUrl.exactOptional(),
};

const dialTarget: z.ZodType<DialTarget> = z.discriminatedUnion("type", [
  fields({ type: z.literal("agent"), queue: text(FLOW_LIMITS.idChars) }),
  fields({
    type: z.literal("sip"),
    uri: z
      .string()
      .max(FLOW_LIMITS.urlChars)
      .regex(/^sips?:[^\s]+$/i, "must be a URI that begins with sip: or sips:"),
  }),
]);

const streamFields = {
  url: z
    .string()
    .max(FLOW_LIMITS.urlChars)
    .regex(/^wss?:\/\/[^\s/?#]+[^\s]*$/i, "must be a URL that begins with wss://"),
  dialect: z.enum(["twilio"]).exactOptional(),
  params: z
    .record(z.string().min(1).max(FLOW_LIMITS.tagChars), z.string().max(FLOW_LIMITS.textChars))
    .exactOptional(),
};

const tags = z.record(
  z.string().regex(/^[A-Za-z0-9_.-]{1,64}$/, "is no name: letters, digits, - _ and ., 64 at most"),
  z.union([z.string().max(FLOW_LIMITS.tagChars), z.number(), z.boolean()], {
    error: `must be a text of ${FLOW_LIMITS.tagChars} characters at most, a number, true or false`,
  }),
);

const gatherFields = {
  prompt: source.exactOptional(),
  maxDigits: wholeNumber(1, 128).exactOptional(),
  finishOnKey,
  timeoutMs: wholeNumber(100, 600_000).exactOptional(),
  interDigitTimeoutMs: wholeNumber(100, 600_000).exactOptional(),
  retries: wholeNumber(0, 20).exactOptional(),
};

/** One step, its branches included. Knows fields and values; whether ids fit together is the checker's. */
export const flowStepSchema: z.ZodType<FlowStep> = z
  .discriminatedUnion("verb", [
    step("answer", {}),
    step("reject", {}),
    step("play", { source, ...heardFields }),
    step("say", { text: text(FLOW_LIMITS.textChars), ...voiceFields, ...heardFields }),
    fields({
      verb: z.literal("gather"),
      ...baseFields,
      ...gatherFields,
      on: gatherBranches().exactOptional(),
    }),
    step("record", recordFields),
    step("pause", { durationMs: wholeNumber(20, MAX_TIME_MS) }),
    step("tone", toneFields),
    step("dtmf", {
      digits: z
        .string()
        .regex(/^[0-9*#A-Da-dw]{1,256}$/, "must be keys (0-9, *, #, A-D), and w for a pause of 500 ms"),
      inBand: z.boolean().exactOptional(),
    }),
    step("redirect", { url: httpUrl }),
    step("dial", {
      targets: z.array(dialTarget).min(1).max(FLOW_LIMITS.dialTargets),
      timeoutMs: wholeNumber(1_000, 600_000).exactOptional(),
    }),
    step("stream", streamFields),
    step("tag", { tags }),
    step("hangup", {}),
  ])
  .meta({ id: "step" });

/** A whole document; a bare list of steps is put into one before. */
export const flowDocumentSchema: z.ZodType<FlowDocument> = fields({
  // For editors, which check and complete by it.
  $schema: z.string().max(FLOW_LIMITS.urlChars).exactOptional(),
  version: z.literal(1),
  steps: z.array(flowStepSchema),
}).transform(({ version, steps }) => ({ version, steps }));

function step<V extends Exclude<FlowVerb, "gather">, T extends z.core.$ZodLooseShape>(verb: V, shape: T) {
  return fields({ verb: z.literal(verb), ...baseFields, ...shape, on: branches(verb).exactOptional() });
}

/** Any other outcome is an unknown field of `on`. */
function branches<V extends Exclude<FlowVerb, "gather">>(verb: V) {
  type Outcome = keyof NonNullable<Extract<FlowStep, { verb: V }>["on"]>;
  const outcomes = [...VERB_OUTCOMES[verb].branches, "skipped"];
  const shape = Object.fromEntries(outcomes.map((outcome) => [outcome, target.exactOptional()]));
  return strict(shape as Record<Outcome, z.ZodExactOptional<typeof target>>, (key) =>
    unknownOutcome(verb, key, outcomes),
  );
}

function gatherBranches() {
  const names = [...VERB_OUTCOMES.gather.branches, "skipped"];
  const pattern = new RegExp(`^(?:[0-9*#A-D]{1,128}|${names.join("|")})$`);
  const key = z
    .string()
    .regex(pattern, { error: ({ input }) => unknownOutcome("gather", String(input), names) });
  return z.record(key, target);
}

function unknownOutcome(verb: FlowVerb, outcome: string, known: readonly string[]): string {
  if (outcome === "hangup")
    return "cannot be branched on: when the caller hangs up, the call is over, and with it the flow";
  const digits = verb === "gather" ? "digits (1, 42, *), " : "";
  return `${verb} has no such outcome (it has ${digits}${known.join(", ")})${didYouMean(outcome, known)}`;
}

/** An object without other fields; an unknown one is answered with the nearest known. */
function fields<T extends z.core.$ZodLooseShape>(shape: T): z.ZodObject<T, z.core.$strict> {
  const known = Object.keys(shape);
  return strict(shape, (key) => `unknown field${didYouMean(key, known)}`);
}

/** The message has a line for each unknown key, in their order. */
function strict<T extends z.core.$ZodLooseShape>(
  shape: T,
  describe: (key: string) => string,
): z.ZodObject<T, z.core.$strict> {
  return z.strictObject(shape, {
    error: (issue) => (issue.code === "unrecognized_keys" ? issue.keys.map(describe).join("\n") : undefined),
  });
}

function text(maxChars: number) {
  return z.string().min(1, "must not be empty").max(maxChars);
}

function language() {
  return z
    .string()
    .regex(/^[A-Za-z]{2,8}(?:-[A-Za-z0-9]{1,8}){0,4}$/, "must be a language such as de or pt-BR");
}

function frequency() {
  return z.number().min(50).max(7_000);
}

function wholeNumber(min: number, max: number) {
  return z.int().min(min).max(max);
}

/** What `verb` may be, for the message about one that is none. */
export function unknownVerb(input: unknown): string {
  if (typeof input !== "string") return `must be one of ${FLOW_VERBS.join(", ")}`;
  const nearest = nearestOf(input, FLOW_VERBS);
  return nearest === null
    ? `unknown verb: it must be one of ${FLOW_VERBS.join(", ")}`
    : `unknown verb; did you mean ${nearest}?`;
}
