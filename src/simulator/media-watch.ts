import type { Clock } from "../platform/clock.ts";
import type { PhoneMedia } from "./phone/phone-media.ts";
import type { TimerOptions } from "./simulator-options.ts";
import type { TimerGroup } from "./timer-group.ts";

export interface MediaWatchOptions {
  readonly media: PhoneMedia;
  readonly clock: Clock;
  readonly limits: Required<TimerOptions>;
  /** Cleared at the end of the call, and with it the watch. */
  readonly timers: TimerGroup;
  isOver(): boolean;
  onFirstRtp(): void;
  onSilence(kind: "no-media" | "media-gap"): void;
}

/**
 * Watches an accepted call for a silent business: 20 s at the start, 30 s in the middle, where RTCP counts too
 * (Meta Calling API, "Troubleshooting", read 2026-11-22). That the second also ends in 138021 is assumed.
 */
export function watchMedia(options: MediaWatchOptions): void {
  const { media, limits, timers } = options;
  const cancelFirst = timers.after(limits.firstMediaTimeoutMs, () => options.onSilence("no-media"));
  void media.firstRtp.then((firstRtp) => {
    if (firstRtp === null || options.isOver()) return;
    cancelFirst();
    options.onFirstRtp();
    watchGap(options);
  });
}

/** Looks again when the gap would be complete, instead of at every packet. */
function watchGap(options: MediaWatchOptions): void {
  const { media, clock, limits, timers } = options;
  const nowMs = clock.nowMs();
  const silentMs = nowMs - (media.lastReceivedAtMs ?? nowMs);
  if (silentMs >= limits.mediaGapTimeoutMs) options.onSilence("media-gap");
  else timers.after(limits.mediaGapTimeoutMs - silentMs, () => watchGap(options));
}
