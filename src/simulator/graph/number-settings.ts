import { z } from "zod";

/** Calling settings of one number. Meta Calling API, "Call settings" (read 2026-11-22); voicemail is stored alone. */
export interface NumberSettings {
  readonly isCallingEnabled: boolean;
  /**
   * Takes the body of `POST /{id}/settings`.
   * @returns What is wrong with it, null when it was stored.
   */
  update(body: unknown, wallMs: number): string | null;
  /** The body of `GET /{id}/settings`. */
  toBody(): object;
}

type CallingSettings = z.infer<typeof callingSchema>;

const MAX_HOURS_PER_DAY = 2;
const onOff = z.enum(["ENABLED", "DISABLED"]);
const time = z.string().regex(/^([01]\d|2[0-3])[0-5]\d$/, "must be HHMM");

const dailyHours = z
  .looseObject({
    day_of_week: z.enum(["MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY"]),
    open_time: time,
    close_time: time,
  })
  .refine((hours) => hours.open_time < hours.close_time, "open_time must be before close_time");

const holiday = z.looseObject({
  date: z.iso.date(),
  start_time: time,
  end_time: time,
});

const callHours = z
  .looseObject({
    status: onOff,
    timezone_id: z.string().refine(isTimeZone, "must be a time zone of the IANA database"),
    weekly_operating_hours: z.array(dailyHours).min(1),
    holiday_schedule: z.array(holiday).max(20).optional(),
  })
  .superRefine((hours, context) => {
    const problem = weekProblem(hours.weekly_operating_hours);
    if (problem !== null) context.addIssue({ code: "custom", message: problem });
  });

/** Fields that this list does not have are dropped, so that a number's settings stay small. */
const callingSchema = z.object({
  status: onOff.optional(),
  call_icon_visibility: z.enum(["DEFAULT", "DISABLE_ALL"]).optional(),
  call_icons: z
    .looseObject({ restrict_to_user_countries: z.array(z.string().regex(/^[A-Z]{2}$/, "must be ISO 3166")) })
    .optional(),
  callback_permission_status: onOff.optional(),
  // SDES is a real choice at Meta, but this phone speaks DTLS-SRTP alone.
  srtp_key_exchange_protocol: z.literal("DTLS", "SDES calls are not simulated").optional(),
  // With SIP a real number refuses requests about calls (131055) and sends no webhooks.
  sip: z.looseObject({ status: z.literal("DISABLED", "SIP calls are not simulated").optional() }).optional(),
  call_hours: callHours.optional(),
  voicemail: z.looseObject({ status: onOff.optional() }).optional(),
  audio: z.looseObject({ additional_codecs: z.array(z.enum(["PCMA", "PCMU"])) }).optional(),
});

const bodySchema = z.looseObject({ calling: callingSchema });

/** A number whose calling is enabled and of which nothing else was ever set. */
export function createNumberSettings(): NumberSettings {
  // Each area that is sent replaces the stored one: call_hours without holidays erases the holidays.
  let stored: CallingSettings = { status: "ENABLED" };
  return {
    get isCallingEnabled() {
      return stored.status === "ENABLED";
    },
    update(body, wallMs) {
      const parsed = bodySchema.safeParse(body);
      if (!parsed.success) return firstProblem(parsed.error);
      const { calling } = parsed.data;
      const problem = pastHolidayProblem(calling, wallMs);
      if (problem === null) stored = { ...stored, ...calling };
      return problem;
    },
    toBody() {
      // A real number of which nothing was set returned these three as NOT_SET, and no other field.
      const unset = {
        status: "NOT_SET",
        call_icon_visibility: "NOT_SET",
        callback_permission_status: "NOT_SET",
      };
      return { calling: { ...unset, ...stored } };
    },
  };
}

function firstProblem(error: z.ZodError): string {
  const issue = error.issues[0];
  return issue === undefined ? "calling is required" : `${issue.path.join(".")}: ${issue.message}`;
}

function weekProblem(week: readonly z.infer<typeof dailyHours>[]): string | null {
  for (const { day_of_week: day } of week) {
    const hours = week.filter((entry) => entry.day_of_week === day);
    hours.sort((left, right) => left.open_time.localeCompare(right.open_time));
    if (hours.length > MAX_HOURS_PER_DAY) return `${day} has more than ${MAX_HOURS_PER_DAY} entries`;
    const [first, second] = hours;
    if (first !== undefined && second !== undefined && second.open_time < first.close_time) {
      return `${day} has entries that overlap`;
    }
  }
  return null;
}

function pastHolidayProblem(calling: CallingSettings, wallMs: number): string | null {
  // A holiday may be today anywhere on Earth: the last time zone is 12 hours behind UTC.
  const today = new Date(wallMs - 12 * 3_600_000).toISOString().slice(0, 10);
  const isPast = calling.call_hours?.holiday_schedule?.some((entry) => entry.date < today) ?? false;
  return isPast ? "calling.call_hours.holiday_schedule: a date lies in the past" : null;
}

function isTimeZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat("en", { timeZone: name }).resolvedOptions().timeZone !== "";
  } catch {
    // RangeError is how Intl says that it does not know the zone.
    return false;
  }
}
