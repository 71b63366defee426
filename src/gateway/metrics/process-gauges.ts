import { Counter, Gauge, type Registry } from "prom-client";
import type { LoopDelay, ProcessStats } from "../../platform/process-stats.ts";

/** What the process takes, and how late its main thread is. */
export class ProcessGauges {
  readonly #cpu: Counter<"mode">;
  readonly #memory: Gauge<"kind">;
  readonly #started: Gauge;
  readonly #openFiles: Gauge;
  readonly #delay: Gauge<"quantile">;

  constructor(registry: Registry) {
    const registers = [registry];
    this.#cpu = new Counter({
      name: "ringback_process_cpu_seconds_total",
      help: "CPU time of the process, all threads.",
      labelNames: ["mode"],
      registers,
    });
    this.#memory = new Gauge({
      name: "ringback_process_memory_bytes",
      help: "Memory of the process: resident, JavaScript heap of the main thread in use, outside of the heap.",
      labelNames: ["kind"],
      registers,
    });
    this.#started = new Gauge({
      name: "ringback_process_start_time_seconds",
      help: "When the process began, since the Unix epoch.",
      registers,
    });
    this.#openFiles = new Gauge({
      name: "ringback_process_open_files",
      help: "Open files and sockets of the process.",
      registers,
    });
    this.#delay = new Gauge({
      name: "ringback_event_loop_delay_seconds",
      help: "How late the main thread was since the last scrape. Media runs in other threads.",
      labelNames: ["quantile"],
      registers,
    });
  }

  update(stats: ProcessStats, delay: LoopDelay): void {
    this.#cpu.reset();
    this.#cpu.inc({ mode: "user" }, stats.userCpuMs / 1_000);
    this.#cpu.inc({ mode: "system" }, stats.systemCpuMs / 1_000);
    this.#memory.set({ kind: "resident" }, stats.residentBytes);
    this.#memory.set({ kind: "heap_used" }, stats.heapUsedBytes);
    this.#memory.set({ kind: "external" }, stats.externalBytes);
    this.#started.set(stats.startedWallMs / 1_000);
    if (stats.openFiles === null) this.#openFiles.remove();
    else this.#openFiles.set(stats.openFiles);
    this.#delay.set({ quantile: "0.5" }, delay.p50Ms / 1_000);
    this.#delay.set({ quantile: "0.99" }, delay.p99Ms / 1_000);
    this.#delay.set({ quantile: "1" }, delay.maxMs / 1_000);
  }
}
