import { readdir, statfs } from "node:fs/promises";
import { type IntervalHistogram, monitorEventLoopDelay } from "node:perf_hooks";

/** What the process takes of the machine. */
export interface ProcessStats {
  readonly userCpuMs: number;
  readonly systemCpuMs: number;
  readonly residentBytes: number;
  readonly heapUsedBytes: number;
  readonly externalBytes: number;
  /** Since the Unix epoch, in ms. */
  readonly startedWallMs: number;
  /** Null where the system does not say. */
  readonly openFiles: number | null;
}

/** How late the event loop was since the last time that this was asked, in ms. */
export interface LoopDelay {
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

export async function readProcessStats(): Promise<ProcessStats> {
  const cpu = process.cpuUsage();
  const memory = process.memoryUsage();
  return {
    userCpuMs: cpu.user / 1_000,
    systemCpuMs: cpu.system / 1_000,
    residentBytes: memory.rss,
    heapUsedBytes: memory.heapUsed,
    externalBytes: memory.external,
    startedWallMs: performance.timeOrigin,
    openFiles: await countOpenFiles(),
  };
}

/** Bytes that this program may still write where a path is; null when the system does not say. */
export async function freeBytesAt(path: string): Promise<number | null> {
  try {
    const { bavail, bsize } = await statfs(path);
    return bavail * bsize;
  } catch {
    return null;
  }
}

async function countOpenFiles(): Promise<number | null> {
  try {
    return (await readdir("/proc/self/fd")).length;
  } catch {
    // Not Linux.
    return null;
  }
}

/** How often the loop's delay is sampled; what the sampling itself waits for is taken off again. */
const RESOLUTION_MS = 10;

/** Measures how late the event loop of this thread is. Holds no process open. */
export class LoopDelayMonitor {
  readonly #histogram: IntervalHistogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });

  constructor() {
    this.#histogram.enable();
  }

  /** Since the last time that it was taken. */
  take(): LoopDelay {
    const ms = (nanoseconds: number): number => Math.max(0, nanoseconds / 1e6 - RESOLUTION_MS);
    const histogram = this.#histogram;
    const delay =
      histogram.count === 0
        ? { p50Ms: 0, p99Ms: 0, maxMs: 0 }
        : {
            p50Ms: ms(histogram.percentile(50)),
            p99Ms: ms(histogram.percentile(99)),
            maxMs: ms(histogram.max),
          };
    this.#histogram.reset();
    return delay;
  }

  close(): void {
    this.#histogram.disable();
  }
}
