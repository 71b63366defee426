import type { CallAction } from "../core/call/types.ts";

/** The steps of a call that explain where time went, or where it stopped. */
export type TimelineStep =
  | "webhook"
  | "answer-built"
  | "pre-accept-sent"
  | "pre-accepted"
  | "ice-connected"
  | "media-connected"
  | "media-down"
  | "answer-requested"
  | "accept-sent"
  | "accepted"
  | "first-rtp-out"
  | "first-rtp-in"
  | "reject-sent"
  | "rejected"
  | "terminate-sent"
  | "terminated"
  | "graph-failed"
  | "remote-terminate"
  | "ended";

export interface TimelineEntry {
  readonly step: TimelineStep;
  /** Milliseconds since the webhook came in. */
  readonly atMs: number;
  /** What the step alone does not say: an end reason, an error code. Never an SDP, a number or an address. */
  readonly detail: string | null;
}

/** The step that begins a request to the Graph API. */
export const STEP_SENT: Readonly<Record<CallAction, TimelineStep>> = {
  pre_accept: "pre-accept-sent",
  accept: "accept-sent",
  reject: "reject-sent",
  terminate: "terminate-sent",
};

/** The step that its success is. */
export const STEP_DONE: Readonly<Record<CallAction, TimelineStep>> = {
  pre_accept: "pre-accepted",
  accept: "accepted",
  reject: "rejected",
  terminate: "terminated",
};

/** A call has some twenty steps; a hostile sequence of webhooks adds none. */
const MAX_ENTRIES = 64;

/** What happened in a call and when, in order. */
export class Timeline {
  readonly #originMs: number;
  readonly #entries: TimelineEntry[] = [];

  /** @param originMs Monotonic time of the webhook. */
  constructor(originMs: number) {
    this.#originMs = originMs;
  }

  get entries(): readonly TimelineEntry[] {
    return this.#entries;
  }

  /** Adds a step; null when the timeline is full. */
  add(step: TimelineStep, nowMs: number, detail: string | null = null): TimelineEntry | null {
    if (this.#entries.length >= MAX_ENTRIES) return null;
    const entry = { step, atMs: Math.round((nowMs - this.#originMs) * 10) / 10, detail };
    this.#entries.push(entry);
    return entry;
  }

  /** When a step happened first, in ms since the webhook; null: not yet. */
  at(step: TimelineStep): number | null {
    return this.#entries.find((entry) => entry.step === step)?.atMs ?? null;
  }
}
