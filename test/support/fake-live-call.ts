import type { EventType, JsonObject } from "../../src/core/events/event-types.ts";
import { createId } from "../../src/core/events/id.ts";
import type { Call, CallEnd } from "../../src/gateway/call.ts";
import type { LiveCall, LiveCalls } from "../../src/gateway/live-calls.ts";
import { systemRandom } from "../../src/platform/random.ts";
import type { Store } from "../../src/store/types.ts";
import { addCall, type CallToAdd, NUMBER_ID } from "./api-rig.ts";

/** What a verb comes to: a value, an error to be thrown, or whatever a function makes of its arguments. */
export type Script = Readonly<Record<string, unknown>>;

/** A call on the line that does nothing but note what it is asked for. Its events go to the store, as those of a real one. */
export class FakeLiveCall implements LiveCall {
  readonly id: string;
  /** Verb and arguments, in order. */
  readonly asked: unknown[][] = [];
  readonly call: Call;
  readonly #store: Store;
  #seq = 1;
  #writing: Promise<unknown> = Promise.resolve();
  #phase: Call["phase"] = "ringing";
  #resolveEnded!: (end: CallEnd) => void;

  constructor(store: Store, id: string, phoneNumberId: string, script: Script) {
    this.#store = store;
    this.id = id;
    const ended = new Promise<CallEnd>((resolve) => {
      this.#resolveEnded = resolve;
    });
    const facts: Record<string, unknown> = { id: "wacid.fake", recordId: id, phoneNumberId, ended };
    this.call = new Proxy({} as Call, {
      get: (_target, name) => {
        if (name === "phase") return this.#phase;
        if (typeof name === "symbol" || name === "then") return undefined;
        return name in facts ? facts[name] : (...args: unknown[]) => this.#perform(name, args, script[name]);
      },
    });
  }

  record(type: EventType, data: JsonObject, personal: JsonObject | null = null): void {
    this.#seq += 1;
    const at = Date.now();
    const event = { id: createId("evt", at, systemRandom), type, at, seq: this.#seq, data, personal };
    this.#writing = this.#writing.then(() => this.#store.calls.commit({ callId: this.id, events: [event] }));
  }

  /** Resolves when its events are written. */
  async written(): Promise<void> {
    await this.#writing;
  }

  end(): void {
    this.#phase = "ended";
    this.#resolveEnded({} as CallEnd);
  }

  #perform(verb: string, args: unknown[], scripted: unknown): unknown {
    this.asked.push([verb, ...args]);
    if (verb === "hangUp" || verb === "reject") this.end();
    if (verb === "answer") this.#phase = "active";
    const made: unknown = typeof scripted === "function" ? scripted(...args) : (scripted ?? DEFAULTS[verb]);
    return made instanceof Error
      ? Promise.reject(made)
      : SYNCHRONOUS.has(verb)
        ? made
        : Promise.resolve(made);
  }
}

const SYNCHRONOUS = new Set(["startRecording", "unhold", "tag"]);
const PLAYED = { outcome: "completed", playedMs: 1_000.4, interruptedBy: null };
const DEFAULTS: Readonly<Record<string, unknown>> = {
  play: PLAYED,
  say: PLAYED,
  tone: PLAYED,
  silence: PLAYED,
  gather: { outcome: "digits", digits: "42", finishedBy: "finish-key" },
  sendDigits: "sent",
};

/** Calls on the line, of which there are none at first. */
export class FakeLiveCalls implements LiveCalls {
  readonly #calls = new Map<string, FakeLiveCall>();

  find(recordId: string): LiveCall | null {
    return this.#calls.get(recordId) ?? null;
  }

  /** Puts a call on the line, with its record. */
  async ring(store: Store, script: Script = {}, facts: CallToAdd = {}): Promise<FakeLiveCall> {
    const id = await addCall(store, { state: "ringing", ...facts });
    const live = new FakeLiveCall(store, id, facts.phoneNumberId ?? NUMBER_ID, script);
    this.#calls.set(id, live);
    return live;
  }
}

/** Resolves once it holds. */
export async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  const giveUpAt = Date.now() + 10_000;
  while (!(await holds())) {
    if (Date.now() > giveUpAt) throw new Error("it has not come to be within 10 s");
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
