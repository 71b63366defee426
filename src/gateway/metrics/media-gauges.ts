import { Counter, Gauge, type Registry } from "prom-client";
import type { MediaStatus, MediaWorkerStatus } from "../../media/index.ts";

type CountOf = Exclude<keyof MediaWorkerStatus, "isUp" | "port" | "addresses" | "calls" | "worstLateMs">;

const COUNTERS: Readonly<Record<CountOf, { readonly name: string; readonly help: string }>> = {
  lateTicks: {
    name: "ringback_media_late_ticks_total",
    help: "Ticks of the 20 ms media clock that came more than 5 ms late.",
  },
  skippedSlots: {
    name: "ringback_media_skipped_slots_total",
    help: "Slots of 20 ms that no tick was made for: every call of the worker had a gap.",
  },
  datagramsDropped: {
    name: "ringback_media_datagrams_dropped_total",
    help: "Datagrams that were malformed, not authentic, replayed or nobody's.",
  },
  framesDropped: {
    name: "ringback_media_frames_dropped_total",
    help: "Received packets that the program did not fetch in time (call.onFrame).",
  },
  restarts: {
    name: "ringback_media_worker_restarts_total",
    help: "How often a media worker broke down and was started again.",
  },
};

/** How the threads that carry media are doing, each by its number. */
export class MediaGauges {
  readonly #up: Gauge<"worker">;
  readonly #calls: Gauge<"worker">;
  readonly #worstLate: Gauge<"worker">;
  readonly #counters: ReadonlyMap<CountOf, Counter<"worker">>;

  constructor(registry: Registry) {
    const registers = [registry];
    const labelNames = ["worker"] as const;
    this.#up = new Gauge({
      name: "ringback_media_worker_up",
      help: "1: the media worker runs. 0: it broke down and is being started again.",
      labelNames,
      registers,
    });
    this.#calls = new Gauge({
      name: "ringback_media_worker_calls",
      help: "Calls that the media worker carries.",
      labelNames,
      registers,
    });
    this.#worstLate = new Gauge({
      name: "ringback_media_worst_late_seconds",
      help: "How late the latest tick of the media clock was, since the worker's start.",
      labelNames,
      registers,
    });
    const counters = Object.entries(COUNTERS).map(([key, names]) => {
      return [key as CountOf, new Counter({ ...names, labelNames, registers })] as const;
    });
    this.#counters = new Map(counters);
  }

  update({ workers }: MediaStatus): void {
    workers.forEach((status, index) => {
      const labels = { worker: `${index + 1}` };
      this.#up.set(labels, status.isUp ? 1 : 0);
      this.#calls.set(labels, status.calls);
      this.#worstLate.set(labels, status.worstLateMs / 1_000);
      for (const [key, counter] of this.#counters) {
        // The worker counts itself: what it says replaces what was known.
        counter.remove(labels);
        counter.inc(labels, status[key]);
      }
    });
  }
}
