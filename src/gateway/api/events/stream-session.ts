import { toEnvelope } from "../../../core/events/envelope.ts";
import type { Cursors } from "../../../core/security/cursor.ts";
import type { Logger } from "../../../logger.ts";
import type { Clock } from "../../../platform/clock.ts";
import type { TimerHandle, Timers } from "../../../platform/timers.ts";
import type { ApiKeyRecord, ApiKeys, EventFilter, StoredEvent } from "../../../store/types.ts";
import { EventPump } from "./event-pump.ts";
import type { EventReader } from "./event-reader.ts";

/** Why a stream is ended by us. `slow`: nothing was read for too long. */
export type StreamEnd = "shutdown" | "key_revoked" | "key_expired" | "slow" | "store_unavailable";

/** A subscriber's connection. */
export interface StreamTransport {
  /** @param envelope JSON. Resolves when there is room for the next one; rejects when the connection is gone. */
  send(cursor: string, envelope: string): Promise<void> | void;
  /** Tells the client that all is well; also how far it has come. */
  heartbeat(cursor: string): void;
  /** Ends the connection; politely, but for `slow`, where nobody reads any more. */
  end(reason: StreamEnd): void;
}

/** What all streams share. */
export interface StreamDeps {
  readonly reader: EventReader;
  readonly apiKeys: ApiKeys;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly logger: Logger;
  readonly times: StreamTimes;
}

export interface StreamTimes {
  /** Between signs of life. Default 15 000. */
  readonly heartbeatMs: number;
  /** After which a subscriber that takes nothing is cut off. Default 30 000. */
  readonly stallMs: number;
  /** Within which a WebSocket's client has to say what it wants. Default 10 000. */
  readonly subscribeMs: number;
}

export const DEFAULT_STREAM_TIMES: StreamTimes = {
  heartbeatMs: 15_000,
  stallMs: 30_000,
  subscribeMs: 10_000,
};

export interface SessionOptions {
  readonly deps: StreamDeps;
  readonly key: ApiKeyRecord;
  readonly cursors: Cursors;
  readonly filter: EventFilter;
  readonly after: number;
  readonly transport: StreamTransport;
}

/** One subscriber: its pump, its signs of life, and the checks that it may still be there. */
export class StreamSession {
  readonly #options: SessionOptions;
  readonly #pump: EventPump;
  #heartbeat: TimerHandle | null = null;
  #stall: TimerHandle | null = null;
  #pause: TimerHandle | null = null;
  #isStopped = false;

  constructor(options: SessionOptions) {
    this.#options = options;
    const { deps, filter, after } = options;
    this.#pump = new EventPump({
      reader: deps.reader,
      filter,
      after,
      sink: { send: (event) => this.#send(event) },
      logger: deps.logger,
      onFailed: () => this.end("store_unavailable"),
      pause: (ms) => this.#wait(ms),
    });
  }

  start(): void {
    this.#pump.start();
    this.#beatLater();
  }

  /** The connection is gone, or its end is being told. Idempotent. */
  stop(): void {
    if (this.#isStopped) return;
    this.#isStopped = true;
    this.#pump.stop();
    const { timers } = this.#options.deps;
    if (this.#heartbeat !== null) timers.clearTimer(this.#heartbeat);
    if (this.#pause !== null) timers.clearTimer(this.#pause);
    this.#calm();
  }

  end(reason: StreamEnd): void {
    if (this.#isStopped) return;
    this.stop();
    this.#options.transport.end(reason);
  }

  async #send(event: StoredEvent): Promise<void> {
    const { cursors, transport, deps } = this.#options;
    const cursor = cursors.write("events", event.position);
    const sent = transport.send(cursor, JSON.stringify(toEnvelope(event, 1)));
    if (sent === undefined) return;
    this.#stall = deps.timers.setTimer(deps.times.stallMs, () => this.end("slow"));
    await sent;
    this.#calm();
  }

  #wait(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.#pause = this.#options.deps.timers.setTimer(ms, resolve);
    });
  }

  #calm(): void {
    if (this.#stall !== null) this.#options.deps.timers.clearTimer(this.#stall);
    this.#stall = null;
  }

  #beatLater(): void {
    const { timers, times } = this.#options.deps;
    this.#heartbeat = timers.setTimer(times.heartbeatMs, () => void this.#beat());
  }

  async #beat(): Promise<void> {
    const { transport, cursors } = this.#options;
    const refusal = await this.#refusal();
    if (this.#isStopped) return;
    if (refusal !== null) return this.end(refusal);
    transport.heartbeat(cursors.write("events", this.#pump.position));
    this.#beatLater();
  }

  /** A key that is no good any more ends its streams, too. When the store cannot say, the stream goes on. */
  async #refusal(): Promise<StreamEnd | null> {
    const { deps, key } = this.#options;
    try {
      const now = await deps.apiKeys.get(key.id);
      if (now === null || now.revokedAt !== null) return "key_revoked";
      return now.expiresAt !== null && now.expiresAt <= deps.clock.wallMs() ? "key_expired" : null;
    } catch {
      return null;
    }
  }
}
