import type { FlowHours } from "./types.ts";

/** Minutes of a day; `to` below `from` ends on the next day. */
interface DayRange {
  readonly from: number;
  readonly to: number;
}

interface CivilDate {
  readonly year: number;
  readonly month: number;
  readonly day: number;
}

/** As the clock on the wall in a zone shows it. */
interface LocalTime extends CivilDate {
  /** 0 is Monday. */
  readonly weekday: number;
  readonly minute: number;
}

export const WEEKDAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"] as const;
const MINUTES_OF_DAY = 24 * 60;

/**
 * Makes a question of opening hours: are they open at a time, in ms since 1970?
 *
 * Ranges are compared with what the zone's clocks show, so a day on which they are set keeps its hours. The days and ranges must have passed the
 * checker: what cannot be read is closed.
 */
export function compileHours(hours: FlowHours): (wallMs: number) => boolean {
  const ranges = rangesByWeekday(hours.open);
  const holidays = new Set(hours.holidays ?? []);
  const isHoliday = (date: CivilDate): boolean => isoDates(date).some((text) => holidays.has(text));
  const localTimeAt = zoneClock(hours.timeZone);
  return (wallMs) => {
    const now = localTimeAt(wallMs);
    const { minute, weekday } = now;
    const today = isHoliday(now) ? [] : (ranges[weekday] ?? []);
    if (today.some(({ from, to }) => minute >= from && (to <= from || minute < to))) return true;
    const yesterday = isHoliday(dayBefore(now)) ? [] : (ranges[(weekday + 6) % 7] ?? []);
    return yesterday.some(({ from, to }) => to <= from && minute < to);
  };
}

/** `mon`, `mon-fri`, `fri-mon`, `sat,sun`: the days, 0 being Monday; null when it is none of these. */
export function parseWeekdays(text: string): readonly number[] | null {
  const days: number[] = [];
  for (const part of text.split(",")) {
    const [first = "", last = first, ...rest] = part.trim().split("-").map(weekdayOf);
    if (typeof first !== "number" || typeof last !== "number" || rest.length > 0) return null;
    for (let day = first; ; day = (day + 1) % 7) {
      days.push(day);
      if (day === last) break;
    }
  }
  return days;
}

/** `09:00-17:30`, `22:00-06:00`, `00:00-24:00`: null when it is none of these, or has no length. */
export function parseDayRange(text: string): DayRange | null {
  const match = /^(\d{2}):(\d{2})-(\d{2}):(\d{2})$/.exec(text);
  if (match === null) return null;
  const [from, to] = [minuteOf(match[1], match[2]), minuteOf(match[3], match[4])];
  if (from === null || to === null || from === MINUTES_OF_DAY || from === to) return null;
  return { from, to };
}

/** `2026-12-24` or, for each year, `12-24`: whether there is such a day. */
export function isHolidayDate(text: string): boolean {
  const match = /^(?:(\d{4})-)?(\d{2})-(\d{2})$/.exec(text);
  if (match === null) return false;
  // A day of each year is there if it is in leap years.
  const year = match[1] === undefined ? 2_000 : Number(match[1]);
  const [month, day] = [Number(match[2]), Number(match[3])];
  return month >= 1 && month <= 12 && day >= 1 && day <= daysOfMonth(year, month);
}

/** Names that were found right: to ask for one is slow. */
const knownZones = new Set<string>();
const MAX_KNOWN_ZONES = 1_000;

/** By its IANA name; offsets such as `+01:00` know no summer time and are none. */
export function isTimeZone(text: string): boolean {
  if (knownZones.has(text)) return true;
  if (!/^[A-Za-z][A-Za-z0-9_+\-/]{0,63}$/.test(text)) return false;
  try {
    new Intl.DateTimeFormat("en-US", { timeZone: text });
    if (knownZones.size < MAX_KNOWN_ZONES) knownZones.add(text);
    return true;
  } catch {
    return false;
  }
}

function weekdayOf(name: string): number | "" {
  const index = (WEEKDAYS as readonly string[]).indexOf(name.trim().toLowerCase());
  return index === -1 ? "" : index;
}

function minuteOf(hours: string | undefined, minutes: string | undefined): number | null {
  const minute = Number(hours) * 60 + Number(minutes);
  return Number(minutes) < 60 && minute <= MINUTES_OF_DAY ? minute : null;
}

function rangesByWeekday(open: FlowHours["open"]): readonly (readonly DayRange[])[] {
  const ranges: DayRange[][] = WEEKDAYS.map(() => []);
  for (const [days, texts] of Object.entries(open)) {
    for (const day of parseWeekdays(days) ?? []) {
      for (const text of texts) {
        const range = parseDayRange(text);
        if (range !== null) ranges[day]?.push(range);
      }
    }
  }
  return ranges;
}

/** What the clocks of a zone show at a time. */
function zoneClock(timeZone: string): (wallMs: number) => LocalTime {
  const format = new Intl.DateTimeFormat("en-US", {
    timeZone,
    calendar: "gregory",
    numberingSystem: "latn",
    hourCycle: "h23",
    weekday: "short",
    year: "numeric",
    month: "2-digit",
    day: "2-digit",
    hour: "2-digit",
    minute: "2-digit",
  });
  return (wallMs) => {
    const parts = new Map(format.formatToParts(wallMs).map(({ type, value }) => [type, value]));
    const numberOf = (type: Intl.DateTimeFormatPartTypes): number => Number(parts.get(type));
    return {
      year: numberOf("year"),
      month: numberOf("month"),
      day: numberOf("day"),
      weekday: Number(weekdayOf(parts.get("weekday") ?? "")),
      minute: numberOf("hour") * 60 + numberOf("minute"),
    };
  };
}

function dayBefore({ year, month, day }: CivilDate): CivilDate {
  if (day > 1) return { year, month, day: day - 1 };
  if (month > 1) return { year, month: month - 1, day: daysOfMonth(year, month - 1) };
  return { year: year - 1, month: 12, day: 31 };
}

function daysOfMonth(year: number, month: number): number {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28;
  return [4, 6, 9, 11].includes(month) ? 30 : 31;
}

/** As holidays are written: of that year, and of each year. */
function isoDates({ year, month, day }: CivilDate): readonly string[] {
  const inYear = [month, day].map((part) => String(part).padStart(2, "0")).join("-");
  return [`${String(year).padStart(4, "0")}-${inYear}`, inYear];
}
