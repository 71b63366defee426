import type { SeededRandom } from "../../src/core/seeded-random.ts";

/** What the handler does with a call. It travels in the call's deep link payload. */
export interface CallProgram {
  readonly does: "answer" | "answer-and-hang-up" | "reject" | "ring" | "fail";
  /** Before it does it. */
  readonly afterMs: number;
  /** From the answer to the hang-up. */
  readonly talkMs: number;
}

/** What one caller does, and what becomes of the webhooks about it. All of it follows from the seed. */
export interface CallPlan {
  readonly callId: string;
  readonly from: string;
  readonly program: CallProgram;
  /** From the beginning of the run, on a clock that stands still while the gateway takes long to start. */
  readonly placedAfterMs: number;
  /** WhatsApp's webhook comes so much later. */
  readonly connectDelayMs: number;
  /** And says that the call is so much older still. */
  readonly offerAgeMs: number;
  /** From the accept, or from the placing when nobody accepts. */
  readonly hangUpAfterMs: number;
  readonly giveUpAfterMs: number;
  /** `terminate` comes before `connect`. */
  readonly terminatesFirst: boolean;
  /** A status of the call comes, too, as no incoming call has it. */
  readonly hasStatus: boolean;
  /** Surrounds its events with what a later version may send. */
  readonly hasNoise: boolean;
  /** When the gateway dies under the call, the caller stays on the line until the gateway ends it. */
  readonly isPatient: boolean;
}

/** Longer than the gateway of the run lets a call ring. */
const STALE_MS = 300_000;

export function planCalls(count: number, spanMs: number, random: SeededRandom): readonly CallPlan[] {
  return Array.from({ length: count }, (_, index) => planCall(index, spanMs, random));
}

function planCall(index: number, spanMs: number, random: SeededRandom): CallPlan {
  const chance = (share: number): boolean => random.fraction() < share;
  const between = (min: number, max: number): number => Math.round(min + random.fraction() * (max - min));
  const from = String(15_550_100_000 + index);
  const terminatesFirst = chance(0.05);
  return {
    // The number in base64, as in real ones, so that a leak of the id is one of the number.
    callId: `wacid.${Buffer.from(`${from}-chaos-${String(index).padStart(6, "0")}`).toString("base64")}`,
    from,
    program: planProgram(random.fraction(), between),
    placedAfterMs: between(0, spanMs),
    connectDelayMs: terminatesFirst ? between(300, 1_500) : chance(0.2) ? between(200, 3_000) : 0,
    offerAgeMs: chance(0.03) ? STALE_MS : 0,
    hangUpAfterMs: chance(0.1) ? between(0, 200) : between(500, 4_000),
    giveUpAfterMs: between(1_000, 6_000),
    terminatesFirst,
    hasStatus: chance(0.1),
    hasNoise: chance(0.1),
    isPatient: chance(0.7),
  };
}

function planProgram(draw: number, between: (min: number, max: number) => number): CallProgram {
  const times = { afterMs: between(0, 600), talkMs: between(100, 2_500) };
  if (draw < 0.5) return { does: "answer", ...times };
  if (draw < 0.7) return { does: "answer-and-hang-up", ...times };
  if (draw < 0.82) return { does: "reject", ...times };
  if (draw < 0.95) return { does: "ring", ...times };
  return { does: "fail", ...times };
}
