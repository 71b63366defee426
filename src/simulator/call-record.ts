import type { Clock } from "../platform/clock.ts";
import type { CallOutcome } from "./call-outcome.ts";
import type { PhoneMedia, PhoneMediaReport } from "./phone/phone-media.ts";
import type { GraphRequestRecord, PhoneCallReport, PhoneCallTimeline } from "./phone-call.ts";

/** The moments of a call that its report tells. */
export type CallMoment = "webhookSent" | "webhookAnswered" | "preAccept" | "accept" | "firstRtp" | "ended";

const MAX_REQUESTS = 100;

/** Notes what happens to one call, and when. */
export class CallRecord {
  readonly #clock: Clock;
  readonly #placedAtMs: number;
  readonly #moments = new Map<CallMoment, number>();
  readonly #requests: GraphRequestRecord[] = [];
  readonly placedWallMs: number;
  #acceptWallMs: number | null = null;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#placedAtMs = clock.nowMs();
    this.placedWallMs = clock.wallMs();
  }

  /** The first time counts. */
  mark(moment: CallMoment): void {
    if (this.#moments.has(moment)) return;
    this.#moments.set(moment, this.#clock.nowMs());
    if (moment === "accept") this.#acceptWallMs = this.#clock.wallMs();
  }

  markRequest(answered: Omit<GraphRequestRecord, "atMs">): GraphRequestRecord {
    const request = { ...answered, atMs: this.#clock.nowMs() };
    if (this.#requests.length < MAX_REQUESTS) this.#requests.push(request);
    return request;
  }

  /** True once the business has sent a request about the call. */
  get hasRequests(): boolean {
    return this.#requests.length > 0;
  }

  /**
   * Seconds between accept and end, null when there was no accept. Rounded and not cut off, for a timer of 20 s may
   * fire a little before 20 s are over.
   */
  get durationSeconds(): number | null {
    const acceptMs = this.#moments.get("accept");
    if (acceptMs === undefined) return null;
    return Math.round(((this.#moments.get("ended") ?? this.#clock.nowMs()) - acceptMs) / 1_000);
  }

  /** Start and end for the `terminate` webhook, which lie exactly `durationSeconds` apart. */
  wallTimes(): { readonly startWallMs: number | null; readonly endWallMs: number } {
    const startWallMs = this.#acceptWallMs;
    if (startWallMs === null) return { startWallMs, endWallMs: this.#clock.wallMs() };
    return { startWallMs, endWallMs: startWallMs + (this.durationSeconds ?? 0) * 1_000 };
  }

  toReport(
    callId: string,
    outcome: CallOutcome,
    media: PhoneMedia,
    mediaReport: PhoneMediaReport,
  ): PhoneCallReport {
    return {
      callId,
      ...outcome,
      durationSeconds: this.durationSeconds,
      timeline: this.#toTimeline(),
      graphRequests: [...this.#requests],
      media: mediaReport,
      heardPcm: () => media.heardPcm(),
      heardStartMs: media.heardStartMs,
      sentPcm: () => media.sentPcm(),
      sentStartMs: media.sentStartMs,
      sampleRateHz: 48_000,
    };
  }

  #toTimeline(): PhoneCallTimeline {
    return {
      webhookSentMs: this.#moments.get("webhookSent") ?? this.#placedAtMs,
      webhookAnsweredMs: this.#moments.get("webhookAnswered") ?? null,
      preAcceptMs: this.#moments.get("preAccept") ?? null,
      acceptMs: this.#moments.get("accept") ?? null,
      firstRtpMs: this.#moments.get("firstRtp") ?? null,
      endedMs: this.#moments.get("ended") ?? this.#clock.nowMs(),
    };
  }
}
