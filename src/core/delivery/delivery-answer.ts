const RETRY_LATER: ReadonlySet<number> = new Set([429, 503]);
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const IMF_FIXDATE = /^[A-Z][a-z]{2}, (\d{2}) ([A-Z][a-z]{2}) (\d{4}) (\d{2}):(\d{2}):(\d{2}) GMT$/;

/** `gone`: the receiver wants no more at all. `failed`: again later. */
export type DeliveryVerdict = "delivered" | "gone" | "failed";

/** What a status means (Standard Webhooks 1.0.0, "Delivery success and failure"): redirects are failures, and are not followed. */
export function judgeStatus(status: number): DeliveryVerdict {
  if (status >= 200 && status <= 299) return "delivered";
  return status === 410 ? "gone" : "failed";
}

/**
 * How long the receiver asks to wait: `Retry-After` of 429 and 503, in seconds or as a date (RFC 9110 §10.2.3).
 *
 * @param wallMs Now.
 * @returns Not below 0; null when nothing readable is asked for.
 */
export function readRetryAfter(status: number, header: string | null, wallMs: number): number | null {
  if (header === null || !RETRY_LATER.has(status)) return null;
  const text = header.trim();
  if (/^\d{1,10}$/.test(text)) return Number(text) * 1_000;
  const dateMs = readHttpDate(text);
  return dateMs === null ? null : Math.max(0, dateMs - wallMs);
}

/** RFC 9110 §5.6.7, the one form that is written; the two obsolete ones are not read. */
function readHttpDate(text: string): number | null {
  const [, day, monthName = "", year, hours, minutes, seconds] = IMF_FIXDATE.exec(text) ?? [];
  const month = MONTHS.indexOf(monthName);
  if (month < 0) return null;
  const days = daysSinceEpoch(Number(year), month + 1, Number(day));
  return ((days * 24 + Number(hours)) * 60 + Number(minutes)) * 60_000 + Number(seconds) * 1_000;
}

/** Of the Gregorian calendar. Years begin in March here, so that the leap day is their last. */
function daysSinceEpoch(year: number, month: number, day: number): number {
  const yearFromMarch = month <= 2 ? year - 1 : year;
  const monthFromMarch = (month + 9) % 12;
  const leapDays =
    Math.floor(yearFromMarch / 4) - Math.floor(yearFromMarch / 100) + Math.floor(yearFromMarch / 400);
  const dayOfYear = Math.floor((153 * monthFromMarch + 2) / 5) + day - 1;
  // 0000-03-01 is 719 468 days before 1970-01-01.
  return yearFromMarch * 365 + leapDays + dayOfYear - 719_468;
}
