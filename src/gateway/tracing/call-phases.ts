import type { TimelineEntry, TimelineStep } from "../timeline.ts";

/** A part of a call, by the steps of the timeline that it begins and ends with. */
interface PhaseSteps {
  readonly name: string;
  readonly from: TimelineStep;
  readonly to: TimelineStep;
}

/** A part of a call that took place, in ms since the webhook. */
export interface CallPart {
  readonly name: string;
  readonly fromMs: number;
  readonly toMs: number;
  /** False: the call ended, or the request failed, before the part was done. */
  readonly isDone: boolean;
}

const PARTS: readonly PhaseSteps[] = [
  { name: "answer", from: "webhook", to: "answer-built" },
  { name: "pre_accept", from: "pre-accept-sent", to: "pre-accepted" },
  // The peer may check our candidates as soon as WhatsApp has our answer.
  { name: "ice", from: "pre-accept-sent", to: "ice-connected" },
  { name: "dtls", from: "ice-connected", to: "media-connected" },
  { name: "accept", from: "accept-sent", to: "accepted" },
  { name: "media", from: "accepted", to: "ended" },
  { name: "reject", from: "reject-sent", to: "rejected" },
  { name: "terminate", from: "terminate-sent", to: "terminated" },
];

/** The parts that a call's timeline shows, those that never began left out. */
export function callParts(timeline: readonly TimelineEntry[]): readonly CallPart[] {
  const endMs = timeline.at(-1)?.atMs ?? 0;
  return PARTS.flatMap(({ name, from, to }) => {
    const fromMs = firstAt(timeline, from);
    if (fromMs === null) return [];
    const toMs = firstAt(timeline, to);
    const failedMs = failedAt(timeline, name);
    return [{ name, fromMs, toMs: toMs ?? failedMs ?? endMs, isDone: toMs !== null }];
  });
}

function firstAt(timeline: readonly TimelineEntry[], step: TimelineStep): number | null {
  return timeline.find((entry) => entry.step === step)?.atMs ?? null;
}

/** The detail of a failed request begins with its action. */
function failedAt(timeline: readonly TimelineEntry[], action: string): number | null {
  const failed = timeline.find(({ step, detail }) => {
    return step === "graph-failed" && detail?.startsWith(`${action} `);
  });
  return failed?.atMs ?? null;
}
