import type { Logger } from "../logger.ts";
import type { CallEvent, ConnectEvent, TerminateEvent } from "../whatsapp/call-event.ts";
import type { GraphClient } from "../whatsapp/graph-client.ts";
import { CallSession, type SessionContext } from "./call-session.ts";
import { callTag } from "./call-tag.ts";

/** Ended calls that are remembered, so that a late or repeated webhook does not ring again. */
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
export class CallRegistry {
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

  dispatch(event: CallEvent, receivedAtMs: number): void {
    const graph = this.#options.graphFor(event.phoneNumberId);
    if (graph === null) {
      this.counters.eventsOfOtherNumbers += 1;
      this.#logger.warn({ phoneNumberId: event.phoneNumberId }, "webhook of a number that is not configured");
      return;
    }
    if (event.type === "connect" && event.sdpType === "offer") this.#connect(event, graph, receivedAtMs);
    else if (event.type === "terminate") this.#terminate(event);
    else this.#ignore(event);
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

  #connect(event: ConnectEvent, graph: GraphClient, receivedAtMs: number): void {
    const key = keyOf(event);
    if (this.#live.has(key) || this.#over.has(key)) {
      this.counters.eventsRepeated += 1;
      return;
    }
    const hasRoom = this.#admitting && this.#live.size < this.#options.maxCalls;
    if (!hasRoom) this.counters.callsOverLimit += 1;
    if (this.#live.size >= this.#options.maxCalls + MAX_OVERLOAD_SESSIONS) return;
    const session = new CallSession(this.#options.context, graph, event, receivedAtMs);
    this.#live.set(key, session);
    if (hasRoom) this.counters.callsStarted += 1;
    session.start(hasRoom ? "admitted" : "overloaded");
    void session.settled().then(() => this.#remove(key));
  }

  #terminate(event: TerminateEvent): void {
    const key = keyOf(event);
    const session = this.#live.get(key);
    if (this.#over.has(key)) this.counters.eventsRepeated += 1;
    this.#remember(key);
    session?.remoteTerminate(event);
  }

  #ignore(event: CallEvent): void {
    this.counters.eventsIgnored += 1;
    this.#logger.debug({ call: callTag(event.callId), type: event.type }, "webhook event without a use");
  }

  #remove(key: string): void {
    this.#live.delete(key);
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

function keyOf(event: CallEvent): string {
  return `${event.phoneNumberId}/${event.callId}`;
}
