import type { AudioDescription } from "../core/sdp/model.ts";
import { type Logger, silentLogger } from "../logger.ts";
import type { Clock } from "../platform/clock.ts";
import type { Random } from "../platform/random.ts";
import type { Timers } from "../platform/timers.ts";
import type { MediaEngine } from "./engine.ts";
import { prepareListening } from "./listening/prepare.ts";
import { MediaClock, type MediaClockStats, type Ticker } from "./media-clock.ts";
import type { HostedSession, MediaHost, MediaStatus } from "./media-host.ts";
import { MediaSession, type MediaSessionListener } from "./media-session.ts";

export interface LocalMediaHostOptions {
  /** Closed with the host. */
  readonly engine: MediaEngine;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  readonly logger?: Logger;
  /** Effort of live encoding, 0-10. Default 5. */
  readonly encoderComplexity?: number;
}

interface OpenSession {
  readonly session: HostedSession;
  readonly logger: Logger;
}

/** Media in this thread: one engine, one clock, and the sessions on them. */
export class LocalMediaHost implements MediaHost {
  readonly #options: LocalMediaHostOptions;
  readonly #logger: Logger;
  readonly #clock: MediaClock;
  readonly #sessions = new Map<Ticker, OpenSession>();

  constructor(options: LocalMediaHostOptions) {
    this.#options = options;
    this.#logger = options.logger ?? silentLogger;
    // So that the first call need not wait for it. What fails fails again, and is told, where it is used.
    prepareListening().catch(() => {});
    this.#clock = new MediaClock({
      clock: options.clock,
      timers: options.timers,
      onError: (error, ticker) => {
        const logger = this.#sessions.get(ticker)?.logger ?? this.#logger;
        logger.error({ err: error }, "media of a call failed");
      },
    });
  }

  async openSession(
    offer: AudioDescription,
    listener: MediaSessionListener,
    logger: Logger = this.#logger,
  ): Promise<HostedSession> {
    const session: MediaSession = await MediaSession.open({
      engine: this.#options.engine,
      offer,
      clock: this.#clock,
      now: this.#options.clock,
      random: this.#options.random,
      listener,
      logger,
      ...(this.#options.encoderComplexity !== undefined && {
        encoderComplexity: this.#options.encoderComplexity,
      }),
      onClosed: () => this.#sessions.delete(session),
    });
    this.#sessions.set(session, { session, logger });
    return session;
  }

  /** Of the clock that all its calls share. */
  clockStats(): MediaClockStats {
    return this.#clock.stats();
  }

  status(): MediaStatus {
    const { lateTicks, skippedSlots, worstLateMs } = this.#clock.stats();
    const worker = {
      isUp: true,
      port: null,
      addresses: [],
      calls: this.#sessions.size,
      lateTicks,
      skippedSlots,
      worstLateMs,
      datagramsDropped: 0,
      framesDropped: 0,
      restarts: 0,
    };
    return { workers: [worker] };
  }

  close(): Promise<void> {
    for (const { session } of this.#sessions.values()) session.close();
    return this.#options.engine.close();
  }
}
