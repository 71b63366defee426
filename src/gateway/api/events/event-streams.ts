import type { ApiKeyRecord, EventFilter, Store } from "../../../store/types.ts";
import type { ApiContext } from "../context.ts";
import type { InstanceKeys } from "../cursors/instance-keys.ts";
import { requireCursor } from "../cursors/read-cursor.ts";
import { ApiProblem } from "../problems.ts";
import { EventReader } from "./event-reader.ts";
import {
  DEFAULT_STREAM_TIMES,
  type StreamDeps,
  StreamSession,
  type StreamTimes,
  type StreamTransport,
} from "./stream-session.ts";
import { DEFAULT_STREAM_LIMITS, type StreamLimits, StreamSlots } from "./stream-slots.ts";

export interface StreamOptions {
  readonly times?: Partial<StreamTimes>;
  readonly limits?: Partial<StreamLimits>;
}

/** All that listen to events now, by whatever protocol. */
export class EventStreams {
  readonly deps: StreamDeps;
  readonly keys: InstanceKeys;
  readonly #slots: StreamSlots;
  readonly #log: Store["events"];
  readonly #sessions = new Set<StreamSession>();
  /** Of connections that are open, with or without a session. */
  readonly #onShutdown = new Set<() => void>();
  #isClosed = false;

  constructor(context: ApiContext, keys: InstanceKeys, options: StreamOptions = {}) {
    const { store, clock, timers, logger } = context;
    this.keys = keys;
    this.#log = store.events;
    this.#slots = new StreamSlots({ ...DEFAULT_STREAM_LIMITS, ...options.limits });
    this.deps = {
      reader: new EventReader(store.events, timers),
      apiKeys: store.apiKeys,
      clock,
      timers,
      logger,
      times: { ...DEFAULT_STREAM_TIMES, ...options.times },
    };
  }

  /** Takes a subscriber's place. Returns how to give it back. @throws {ApiProblem} `too_many_streams`, `overloaded`. */
  takeSlot(key: ApiKeyRecord): () => void {
    if (this.#isClosed)
      throw new ApiProblem("overloaded", "The gateway is about to stop.", { retryAfterS: 5 });
    return this.#slots.take(key.id);
  }

  /**
   * The position behind which a subscriber begins.
   * @param fallback For who says nothing.
   * @throws {ApiProblem} `invalid_cursor`, `cursor_expired`.
   */
  async positionOf(after: string | undefined, fallback: "oldest" | "now"): Promise<number> {
    const from = after ?? fallback;
    if (from === "now") return this.#log.head();
    if (from === "oldest") return 0;
    const cursors = await this.keys.cursors();
    const position = requireCursor(cursors.readNumber("events", from));
    if (position >= (await this.#log.tail())) return position;
    const detail = "Events behind this cursor are no longer kept. Begin with after=oldest, and expect a gap.";
    throw new ApiProblem("cursor_expired", detail);
  }

  async open(
    key: ApiKeyRecord,
    filter: EventFilter,
    after: number,
    transport: StreamTransport,
  ): Promise<StreamSession> {
    const cursors = await this.keys.cursors();
    const session = new StreamSession({ deps: this.deps, key, cursors, filter, after, transport });
    this.#sessions.add(session);
    if (this.#isClosed) session.end("shutdown");
    return session;
  }

  /** The connection of a session is gone. */
  forget(session: StreamSession): void {
    session.stop();
    this.#sessions.delete(session);
  }

  /** For a connection that has no session yet. Returns how to take it back. */
  onShutdown(listener: () => void): () => void {
    this.#onShutdown.add(listener);
    return () => this.#onShutdown.delete(listener);
  }

  /** Ends all of them: clients come back with their cursors, here or to another node. */
  close(): void {
    this.#isClosed = true;
    for (const session of this.#sessions) session.end("shutdown");
    for (const listener of this.#onShutdown) listener();
  }
}
