import { describe, expect, test } from "vitest";
import { compileHours, isHolidayDate, isTimeZone, parseDayRange, parseWeekdays } from "./hours.ts";

const OFFICE = {
  timeZone: "Europe/Berlin",
  open: { "mon-fri": ["09:00-12:00", "13:00-17:30"], sat: ["10:00-14:00"] },
  holidays: ["2026-12-24", "12-25"],
};

/** @param time As in `2026-11-25T09:00+01:00`. */
function isOpen(hours: Parameters<typeof compileHours>[0], time: string): boolean {
  return compileHours(hours)(Date.parse(time));
}

describe("opening hours", () => {
  test.each([
    ["a Wednesday's first minute", "2026-11-25T09:00:00+01:00", true],
    ["the minute before", "2026-11-25T08:59:59+01:00", false],
    ["the lunch break", "2026-11-25T12:00:00+01:00", false],
    ["the afternoon's last minute", "2026-11-25T17:29:59+01:00", true],
    ["the minute after", "2026-11-25T17:30:00+01:00", false],
    ["a Saturday", "2026-11-28T13:00:00+01:00", true],
    ["a Sunday", "2026-11-29T13:00:00+01:00", false],
    ["a holiday of one year", "2026-12-24T10:00:00+01:00", false],
    ["the same day a year earlier", "2025-12-24T10:00:00+01:00", true],
    ["a holiday of each year", "2028-12-25T10:00:00+01:00", false],
    ["summer time, an hour earlier in UTC", "2026-07-01T07:00:00Z", true],
    ["winter time at the same time of UTC", "2026-11-25T07:30:00Z", false],
  ])("%s", (_, time, expected) => {
    expect(isOpen(OFFICE, time)).toBe(expected);
  });

  test("the day is the zone's, not UTC's", () => {
    const hours = { timeZone: "Pacific/Auckland", open: { mon: ["00:00-24:00"] } };
    // Sunday evening in UTC.
    expect(isOpen(hours, "2026-11-22T12:00:00Z")).toBe(true);
    expect(isOpen(hours, "2026-11-23T12:00:00Z")).toBe(false);
  });

  test("on the day that clocks go forward, hours follow the clocks", () => {
    const hours = { timeZone: "Europe/Berlin", open: { sun: ["01:00-04:00"] } };
    // 02:00 becomes 03:00: three hours by the clock are two.
    expect(isOpen(hours, "2026-03-29T00:00:00Z")).toBe(true);
    expect(isOpen(hours, "2026-03-29T01:59:59Z")).toBe(true);
    expect(isOpen(hours, "2026-03-29T02:00:00Z")).toBe(false);
  });

  test("on the day that clocks go back, the hour that comes twice is open twice", () => {
    const hours = { timeZone: "Europe/Berlin", open: { sun: ["02:00-03:00"] } };
    expect(isOpen(hours, "2026-10-25T00:30:00Z")).toBe(true);
    expect(isOpen(hours, "2026-10-25T01:30:00Z")).toBe(true);
    expect(isOpen(hours, "2026-10-25T02:00:00Z")).toBe(false);
  });

  describe("a range that spans midnight belongs to the day that it begins on", () => {
    const night = { timeZone: "Europe/Berlin", open: { fri: ["22:00-06:00"] }, holidays: ["2026-11-06"] };

    test.each([
      ["Friday evening", "2026-11-27T22:00:00+01:00", true],
      ["Saturday before six", "2026-11-28T05:59:00+01:00", true],
      ["Saturday at six", "2026-11-28T06:00:00+01:00", false],
      ["Friday before six", "2026-11-27T05:00:00+01:00", false],
      ["the morning after a holiday", "2026-11-07T05:00:00+01:00", false],
    ])("%s", (_, time, expected) => {
      expect(isOpen(night, time)).toBe(expected);
    });

    test("it goes on into a holiday, over the ends of months and years", () => {
      const each = {
        timeZone: "UTC",
        open: { "mon-sun": ["20:00-04:00"] },
        holidays: ["01-01", "2024-03-01"],
      };
      expect(isOpen(each, "2027-01-01T03:00:00Z")).toBe(true);
      expect(isOpen(each, "2027-01-01T20:00:00Z")).toBe(false);
      expect(isOpen(each, "2027-01-02T03:00:00Z")).toBe(false);
      expect(isOpen(each, "2024-03-01T03:00:00Z")).toBe(true);
      expect(isOpen(each, "2024-03-02T03:00:00Z")).toBe(false);
    });
  });

  test("a range that ends at midnight ends with its day", () => {
    for (const range of ["18:00-24:00", "18:00-00:00"]) {
      const hours = { timeZone: "UTC", open: { wed: [range] } };
      expect(isOpen(hours, "2026-11-25T23:59:00Z")).toBe(true);
      expect(isOpen(hours, "2026-11-26T00:00:00Z")).toBe(false);
    }
  });
});

test.each([
  ["mon", [0]],
  ["mon-fri", [0, 1, 2, 3, 4]],
  ["fri-mon", [4, 5, 6, 0]],
  ["Sat, Sun", [5, 6]],
  ["mon-mon", [0]],
  ["mon-fri-sun", null],
  ["monday", null],
  ["", null],
  ["mon-", null],
])("days %j", (text, days) => {
  expect(parseWeekdays(text)).toEqual(days);
});

test.each(["9:00-17:00", "09:00-25:00", "09:60-10:00", "24:00-08:00", "09:00-09:00", "09:00", "24:00-24:00"])(
  "%j is no range",
  (text) => {
    expect(parseDayRange(text)).toBeNull();
  },
);

test("dates are days that there are", () => {
  expect(["2028-02-29", "02-29", "12-31"].map(isHolidayDate)).toEqual([true, true, true]);
  expect(["2026-02-29", "02-30", "13-01", "2026-1-1", "00-10", "04-31"].map(isHolidayDate)).toEqual(
    Array(6).fill(false),
  );
});

test("zones are IANA names", () => {
  expect(["Europe/Berlin", "UTC", "America/Argentina/Buenos_Aires", "Etc/GMT+3"].map(isTimeZone)).toEqual(
    Array(4).fill(true),
  );
  expect(["Europe/Berln", "+01:00", "", "GMT+99", "../etc"].map(isTimeZone)).toEqual(Array(5).fill(false));
});
