import { setTimeout as delay } from "node:timers/promises";
import type { SeededRandom } from "../../src/core/seeded-random.ts";

/** What happens in the run that a kill may be tied to. */
export type Moment = "webhook" | "taken" | "pre_accept" | "accept" | "reject" | "terminate" | "delivery";

/** When a life of the gateway ends. */
export type KillPlan =
  /** So long after the process was started: it may not even listen yet. */
  | { readonly at: "start"; readonly afterMs: number }
  /** So long after it has taken so many webhooks. */
  | { readonly at: "time"; readonly webhooks: number; readonly afterMs: number }
  /** In the middle of the first of these that comes after that. */
  | { readonly at: Moment; readonly webhooks: number; readonly afterMs: number };

const MOMENTS: readonly Moment[] = ["webhook", "pre_accept", "accept", "reject", "terminate", "delivery"];
/** Something comes within this time, or the time is the moment. */
const LONGEST_WAIT_MS = 3_000;
/** When nothing comes any more. */
const LONGEST_LIFE_MS = 10_000;

/** @param share Of all webhooks that falls to one life. */
export function planKills(count: number, share: number, random: SeededRandom): readonly KillPlan[] {
  return Array.from({ length: count }, () => {
    const draw = random.fraction();
    const afterMs = Math.round(random.fraction() * 1_500);
    const moment = MOMENTS[Math.floor(random.fraction() * MOMENTS.length)] ?? "webhook";
    const webhooks = Math.round(random.fraction() * 2 * share);
    if (draw < 0.1) return { at: "start", afterMs: 200 + afterMs };
    if (draw < 0.2) return { at: "time", webhooks: 0, afterMs };
    return { at: draw < 0.55 ? "time" : moment, webhooks, afterMs: Math.round(afterMs / 2) };
  });
}

/** Tells of moments. */
export class Moments {
  readonly #counts = new Map<Moment, number>();
  #waiting: { readonly moment: Moment; resolve(): void }[] = [];

  tell(moment: Moment): void {
    this.#counts.set(moment, this.count(moment) + 1);
    const due = this.#waiting.filter((each) => each.moment === moment);
    this.#waiting = this.#waiting.filter((each) => each.moment !== moment);
    for (const each of due) each.resolve();
  }

  count(moment: Moment): number {
    return this.#counts.get(moment) ?? 0;
  }

  next(moment: Moment): Promise<void> {
    return new Promise((resolve) => this.#waiting.push({ moment, resolve }));
  }
}

/** Resolves when the process is to be killed. */
export async function untilKill(plan: KillPlan, ready: Promise<unknown>, moments: Moments): Promise<void> {
  if (plan.at === "start") return delay(plan.afterMs);
  await ready;
  const enough = moments.count("taken") + plan.webhooks;
  const deadlineMs = performance.now() + LONGEST_LIFE_MS;
  while (moments.count("taken") < enough && performance.now() < deadlineMs) await delay(10);
  await delay(plan.afterMs);
  if (plan.at !== "time") await Promise.race([moments.next(plan.at), delay(LONGEST_WAIT_MS)]);
}
