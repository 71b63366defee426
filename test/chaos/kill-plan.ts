import { setTimeout as delay } from "node:timers/promises";
import type { SeededRandom } from "../../src/core/seeded-random.ts";

/** What happens in the run that a kill may be tied to. */
export type Moment = "webhook" | "pre_accept" | "accept" | "reject" | "terminate" | "delivery";

/** When a life of the gateway ends. */
export type KillPlan =
  /** So long after the process was started: it may not even listen yet. */
  | { readonly at: "start"; readonly afterMs: number }
  /** So long after it listens. */
  | { readonly at: "time"; readonly afterMs: number }
  /** In the middle of the first of these that comes so long after it listens. */
  | { readonly at: Moment; readonly afterMs: number };

const MOMENTS: readonly Moment[] = ["webhook", "pre_accept", "accept", "reject", "terminate", "delivery"];
/** Something comes within this time, or the time is the moment. */
const LONGEST_WAIT_MS = 3_000;

export function planKills(count: number, random: SeededRandom): readonly KillPlan[] {
  return Array.from({ length: count }, () => {
    const draw = random.fraction();
    const share = random.fraction();
    if (draw < 0.1) return { at: "start", afterMs: 200 + Math.round(share * 1_500) };
    if (draw < 0.55) return { at: "time", afterMs: 200 + Math.round(share * 2_500) };
    const at = MOMENTS[Math.floor(random.fraction() * MOMENTS.length)] ?? "webhook";
    return { at, afterMs: 200 + Math.round(share * 1_500) };
  });
}

/** Tells of moments. */
export class Moments {
  #waiting: { readonly moment: Moment; resolve(): void }[] = [];

  tell(moment: Moment): void {
    const due = this.#waiting.filter((each) => each.moment === moment);
    this.#waiting = this.#waiting.filter((each) => each.moment !== moment);
    for (const { resolve } of due) resolve();
  }

  next(moment: Moment): Promise<void> {
    return new Promise((resolve) => this.#waiting.push({ moment, resolve }));
  }
}

/** Resolves when the process is to be killed. */
export async function untilKill(plan: KillPlan, ready: Promise<unknown>, moments: Moments): Promise<void> {
  if (plan.at === "start") return delay(plan.afterMs);
  await ready;
  await delay(plan.afterMs);
  if (plan.at !== "time") await Promise.race([moments.next(plan.at), delay(LONGEST_WAIT_MS)]);
}
