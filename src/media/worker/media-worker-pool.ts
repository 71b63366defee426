import type { AudioDescription } from "../../core/sdp/model.ts";
import { type Logger, silentLogger } from "../../logger.ts";
import { type Clock, systemClock } from "../../platform/clock.ts";
import { systemRandom } from "../../platform/random.ts";
import { systemTimers, type Timers } from "../../platform/timers.ts";
import { startWorkerThread } from "../../platform/worker-thread.ts";
import type { HostedSession, MediaHost, MediaStatus } from "../media-host.ts";
import type { MediaSessionListener } from "../media-session.ts";
import type { PortRange } from "../transport-binding.ts";
import { CertificateSource } from "../transport-certificate.ts";
import { transportFailed } from "../transport-error.ts";
import type { TransportEngineOptions } from "../transport-options.ts";
import { MediaWorker, type StartMediaThread } from "./media-worker.ts";
import { PromptShelf } from "./prompt-shelf.ts";

export interface MediaWorkerPoolOptions {
  /** Threads, each with a UDP port of its own. Default 1. */
  readonly workers?: number;
  /** UDP port of the first worker; the others take the ports that follow. Default: any free ones. */
  readonly port?: number;
  /** Shared out among the workers: see `TransportEngineOptions`. Default: any free ones. */
  readonly extraPorts?: PortRange;
  readonly bindAddress?: string;
  readonly publicAddress?: string;
  readonly logger?: Logger;
  /** Effort of live encoding, 0-10. Default 5. */
  readonly encoderComplexity?: number;
  readonly clock?: Clock;
  readonly timers?: Timers;
  /** Default: a thread of this process. */
  readonly startThread?: StartMediaThread;
}

/**
 * Starts the workers. Resolves when all of them are up.
 *
 * @throws {RingbackError} `OPTION_INVALID`; `MEDIA_ENGINE_FAILED` when a port cannot be bound.
 */
export async function createMediaWorkerPool(options: MediaWorkerPoolOptions = {}): Promise<MediaHost> {
  const prompts = new PromptShelf();
  const clock = options.clock ?? systemClock;
  const certificates = new CertificateSource(null, clock, systemRandom);
  const workers = Array.from(
    { length: options.workers ?? 1 },
    (_, index) =>
      new MediaWorker({
        number: index + 1,
        engine: engineOptions(options, index),
        startThread: options.startThread ?? startMediaThread,
        prompts,
        certificates,
        clock,
        timers: options.timers ?? systemTimers,
        logger: options.logger ?? silentLogger,
        encoderComplexity: options.encoderComplexity ?? 5,
      }),
  );
  const pool = new MediaWorkerPool(workers);
  try {
    await Promise.all(workers.map((worker) => worker.start()));
  } catch (error) {
    await pool.close();
    throw error;
  }
  return pool;
}

/** Calls in worker threads, each new one in the worker that has the fewest. */
class MediaWorkerPool implements MediaHost {
  readonly #workers: readonly MediaWorker[];

  constructor(workers: readonly MediaWorker[]) {
    this.#workers = workers;
  }

  async openSession(
    offer: AudioDescription,
    listener: MediaSessionListener,
    logger?: Logger,
  ): Promise<HostedSession> {
    let best: MediaWorker | null = null;
    for (const worker of this.#workers) {
      if (worker.isUp && (best === null || worker.load < best.load)) best = worker;
    }
    if (best === null) throw transportFailed("No media worker is up.", "no worker");
    return best.openSession(offer, listener, logger);
  }

  status(): MediaStatus {
    return { workers: this.#workers.map((worker) => worker.status()) };
  }

  async close(): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.close()));
  }
}

/** What one worker's engine is made with. */
function engineOptions(
  { workers = 1, port = 0, extraPorts, bindAddress, publicAddress }: MediaWorkerPoolOptions,
  index: number,
): TransportEngineOptions {
  const extra = extraPorts === undefined ? null : shareOf(extraPorts, index, workers);
  return {
    port: port === 0 ? 0 : port + index,
    ...(extra === null ? {} : { extraPorts: extra }),
    ...(bindAddress === undefined ? {} : { bindAddress }),
    ...(publicAddress === undefined ? {} : { publicAddress }),
  };
}

/** An even share of a range, without overlap; null when there are not enough for everyone. */
function shareOf({ begin, end }: PortRange, index: number, shares: number): PortRange | null {
  const count = end - begin + 1;
  const first = begin + Math.floor((count * index) / shares);
  const last = begin + Math.floor((count * (index + 1)) / shares) - 1;
  return last < first ? null : { begin: first, end: last };
}

/** The entry lies beside this module, and has its extension: the sources run as they are, too. */
const ENTRY = new URL(`./entry${import.meta.url.endsWith(".ts") ? ".ts" : ".js"}`, import.meta.url);

const startMediaThread: StartMediaThread = (start, listener) => startWorkerThread(ENTRY, start, listener);
