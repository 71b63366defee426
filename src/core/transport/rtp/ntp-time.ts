import type { SenderInfo } from "./rtcp.ts";

/** RFC 3550 §4: NTP counts from 1900, 70 years (17 of them leap) before the Unix epoch. */
const NTP_EPOCH_S = 2_208_988_800;

/** Writes wall time, in ms since the Unix epoch, as a 64-bit NTP timestamp. The seconds wrap in 2036, as they are meant to. */
export function setNtpTime(info: SenderInfo, wallMs: number): void {
  const seconds = Math.floor(wallMs / 1000);
  info.ntpSeconds = (seconds + NTP_EPOCH_S) >>> 0;
  info.ntpFraction = Math.floor((wallMs / 1000 - seconds) * 2 ** 32) >>> 0;
}

/** RFC 3550 §6.4.1, LSR: the middle 32 bits. */
export function middleNtpBits(info: SenderInfo): number {
  return ((info.ntpSeconds << 16) | (info.ntpFraction >>> 16)) >>> 0;
}
