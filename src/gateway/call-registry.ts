import { explainEnd } from "../core/call/explain-end.ts";
import type { CallPhase } from "../core/call/types.ts";
import type { Logger } from "../logger.ts";
import type { CallEvent, ConnectEvent, TerminateEvent } from "../whatsapp/call-event.ts";
import type { GraphClient } from "../whatsapp/graph-client.ts";
import type { CallEnd } from "./call.ts";
import { CallSession, type SessionContext } from "./call-session.ts";
import { callTag } from "./call-tag.ts";
import type { LiveCall, LiveCalls } from "./live-calls.ts";
import type { RecordKeeper } from "./records/record-keeper.ts";

/** Ended calls that are remembered, so that the store need not be asked about repeated webhooks. */
const MAX_REMEMBERED_ENDS = 10_000;
/** Calls above the limit that may be in the course of being rejected; beyond, webhooks are dropped and counted. */
const MAX_OVERLOAD_SESSIONS = 100;

export interface RegistryOptions {
  readonly context: SessionContext;
  /** The Graph client of a business number, null when the number is not ours. */
  readonly graphFor: (phoneNumberId: string) => GraphClient | null;
  /** Calls at the same time; further ones are rejected. */
  readonly maxCalls: number;
}

/** What became of the webhook events, for `/healthz` and tests. */
export interface RegistryCounters {
  callsStarted: number;
  /** `connect` of a call that is known or over, `terminate` of a call that is over. */
  eventsRepeated: number;
  /** Events that this version has no use for. */
  eventsIgnored: number;
  /** Events of business numbers that are not configured here. */
  eventsOfOtherNumbers: number;
  callsOverLimit: number;
}

/** Finds or makes the session of each event. */
export class CallRegistry implements LiveCalls {
  readonly counters: RegistryCounters = {
    callsStarted: 0,
    eventsRepeated: 0,
    eventsIgnored: 0,
    eventsOfOtherNumbers: 0,
    callsOverLimit: 0,
  };
  readonly #options: RegistryOptions;
  readonly #logger: Logger;
  readonly #live = new Map<string, CallSession>();
  readonly #byRecord = new Map<string, CallSession>();
  readonly #over = new Set<string>();
  #admitting = true;
  #onEmpty: (() => void)[] = [];

  constructor(options: RegistryOptions) {
    this.#options = options;
    this.#logger = options.context.logger;
  }

  get size(): number {
    return this.#live.size;
  }

  /** Calls by phase. */
  phases(): Readonly<Record<CallPhase, number>> {
    const phases = { ringing: 0, connecting: 0, active: 0, ended: 0 };
    for (const { phase } of this.#live.values()) phases[phase] += 1;
    return phases;
  }

  find(recordId: string): LiveCall | null {
    const session = this.#byRecord.get(recordId);
    return session === undefined || session.phase === "ended" ? null : session;
  }

  /** Is the event of a number that is configured here? */
  isOurs(event: CallEvent): boolean {
    return this.#options.graphFor(event.phoneNumberId) !== null;
  }

  /** Is the call of the event on the line, or over, as far as is remembered? */
  knows(event: CallEvent): boolean {
    const key = keyOf(event);
    return this.#live.has(key) || this.#over.has(key);
  }

  /** Events that no call comes of: counted. */
  dispatch(event: CallEvent): void {
    if (this.isOurs(event)) {
      this.counters.eventsIgnored += 1;
      this.#logger.debug({ call: callTag(event.callId), type: event.type }, "webhook event without a use");
      return;
    }
    this.counters.eventsOfOtherNumbers += 1;
    this.#logger.warn({ phoneNumberId: event.phoneNumberId }, "webhook of a number that is not configured");
  }

  /** New calls are rejected from now on. */
  refuseNewCalls(): void {
    this.#admitting = false;
  }

  /** Resolves when no call is left. */
  empty(): Promise<void> {
    if (this.#live.size === 0) return Promise.resolve();
    return new Promise((resolve) => this.#onEmpty.push(resolve));
  }

  /** Ends every call. Resolves when WhatsApp was told of all of them. */
  async endAll(): Promise<void> {
    await Promise.all([...this.#live.values()].map((session) => session.hangUp("gateway-closed")));
  }

  /** Stops waiting for WhatsApp's word on the ends of calls. */
  abandonAll(): void {
    for (const session of this.#live.values()) session.abandon();
  }

  /** A call that is not known rings, or is turned away when there is no room. */
  connect(event: ConnectEvent, receivedAtMs: number, keeper: RecordKeeper): void {
    const { context, graphFor, maxCalls } = this.#options;
    const graph = graphFor(event.phoneNumberId);
    if (graph === null) {
      this.dispatch(event);
      return;
    }
    const key = keyOf(event);
    const hasRoom = this.#admitting && this.#live.size < maxCalls;
    if (!hasRoom) this.counters.callsOverLimit += 1;
    if (this.#live.size >= maxCalls + MAX_OVERLOAD_SESSIONS) {
      keeper.ended(turnedAway(), null);
      return;
    }
    const session = new CallSession(context, graph, { event, receivedAtMs, keeper });
    this.#live.set(key, session);
    this.#byRecord.set(keeper.recordId, session);
    if (hasRoom) this.counters.callsStarted += 1;
    context.observer.callStarted?.(keeper.recordId, event.phoneNumberId);
    session.start(hasRoom ? "admitted" : "overloaded");
    void session.settled().then(() => this.#remove(key, session));
  }

  /**
   * WhatsApp has ended a call.
   * @param entryId Of the journal: done when the end is written.
   * @returns False when the call is not on the line.
   */
  terminate(event: TerminateEvent, entryId: number | null = null): boolean {
    const key = keyOf(event);
    const session = this.#live.get(key);
    if (this.#over.has(key)) this.counters.eventsRepeated += 1;
    this.#remember(key);
    if (session === undefined || session.phase === "ended") return false;
    session.remoteTerminate(event, entryId);
    return true;
  }

  #remove(key: string, { keeper }: CallSession): void {
    // Who waited for the end of the call still notes what came of its command.
    setImmediate(() => keeper.close());
    this.#live.delete(key);
    this.#byRecord.delete(keeper.recordId);
    this.#remember(key);
    if (this.#live.size > 0) return;
    for (const resolve of this.#onEmpty.splice(0)) resolve();
  }

  #remember(key: string): void {
    this.#over.delete(key);
    this.#over.add(key);
    if (this.#over.size <= MAX_REMEMBERED_ENDS) return;
    for (const oldest of this.#over) {
      this.#over.delete(oldest);
      return;
    }
  }
}

/** The end of a call that not even a session is made for. */
function turnedAway(): CallEnd {
  const explanation = explainEnd("overloaded", { iceConnected: false, mediaDown: null });
  return { reason: "overloaded", explanation, answered: false, durationMs: 0, error: null, remoteErrors: [] };
}

function keyOf(event: CallEvent): string {
  return `${event.phoneNumberId}/${event.callId}`;
}
