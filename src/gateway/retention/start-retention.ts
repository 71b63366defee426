import type { TimerHandle, Timers } from "../../platform/timers.ts";
import type { RetentionPolicy } from "../../store/types.ts";
import { DEFAULT_RETENTION, FIRST_RUN_MS, nextRunMs } from "./retention-policy.ts";
import { type RetentionRunDeps, runRetention } from "./retention-run.ts";

export interface RetentionOptions extends RetentionRunDeps {
  readonly timers: Timers;
  /** Default: `DEFAULT_RETENTION`, for each kind that is not named. */
  readonly policy?: Partial<RetentionPolicy>;
}

export interface Retention {
  /** No run begins any more. Resolves when the one under way has ended. Idempotent. */
  stop(): Promise<void>;
}

/** Removes what is older than it may be: soon after the start, then every hour, one run at a time. */
export function startRetention(options: RetentionOptions): Retention {
  const { timers } = options;
  const policy: RetentionPolicy = { ...DEFAULT_RETENTION, ...options.policy };
  let isStopping = false;
  let running: Promise<void> = Promise.resolve();
  const run = async (): Promise<void> => {
    const outcome = await runRetention(policy, options, () => isStopping);
    if (!isStopping) timer = later(nextRunMs(outcome));
  };
  const later = (delayMs: number): TimerHandle => {
    return timers.setTimer(delayMs, () => {
      running = run();
    });
  };
  let timer = later(FIRST_RUN_MS);
  return {
    stop: async () => {
      isStopping = true;
      timers.clearTimer(timer);
      await running;
    },
  };
}
