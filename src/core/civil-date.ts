export interface CivilDate {
  readonly year: number;
  /** 1 to 12. */
  readonly month: number;
  readonly day: number;
}

/** The Gregorian date of a day since 1970-01-01. Years begin in March here, so that the leap day is their last. */
export function civilDate(daysSinceEpoch: number): CivilDate {
  const days = daysSinceEpoch + 719_468; // Since 0000-03-01.
  const era = Math.floor(days / 146_097); // 400 years.
  const dayOfEra = days % 146_097;
  const leapDays =
    Math.floor(dayOfEra / 1460) - Math.floor(dayOfEra / 36_524) + Math.floor(dayOfEra / 146_096);
  const yearOfEra = Math.floor((dayOfEra - leapDays) / 365);
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const monthFromMarch = Math.floor((5 * dayOfYear + 2) / 153);
  const day = dayOfYear - Math.floor((153 * monthFromMarch + 2) / 5) + 1;
  const month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9;
  return { year: era * 400 + yearOfEra + (month <= 2 ? 1 : 0), month, day };
}

/** ISO 8601 in UTC with milliseconds, as `Date.toISOString` writes it. @param wallMs Since the Unix epoch, not before 1970. */
export function isoTime(wallMs: number): string {
  const { year, month, day } = civilDate(Math.floor(wallMs / 86_400_000));
  const ms = Math.floor(wallMs) % 86_400_000;
  const date = `${pad(year, 4)}-${pad(month, 2)}-${pad(day, 2)}`;
  const time = `${pad(ms / 3_600_000, 2)}:${pad((ms / 60_000) % 60, 2)}:${pad((ms / 1_000) % 60, 2)}`;
  return `${date}T${time}.${pad(ms % 1_000, 3)}Z`;
}

function pad(value: number, digits: number): string {
  return String(Math.floor(value)).padStart(digits, "0");
}
