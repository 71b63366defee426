import { RingbackError } from "../../src/errors.ts";
import type { Call, CallHandler } from "../../src/gateway/call.ts";
import { CallRegistry } from "../../src/gateway/call-registry.ts";
import { SoundSources } from "../../src/gateway/verbs/sound-sources.ts";
import { UrlSounds } from "../../src/gateway/verbs/url-sounds.ts";
import type { Logger } from "../../src/logger.ts";
import {
  type EncodedPrompt,
  LocalMediaHost,
  type MediaEngine,
  type PromptCache,
  packPrompt,
  type Sound,
  WorkSlices,
} from "../../src/media/index.ts";
import { createRequestPolicy } from "../../src/platform/outgoing-request.ts";
import type { CallChange } from "../../src/store/types.ts";
import { ManualClock, ScriptedMediaEngine } from "../../src/testing/index.ts";
import type { CallerIdentity, ConnectEvent, TerminateEvent } from "../../src/whatsapp/call-event.ts";
import type { EndResult, GraphClient } from "../../src/whatsapp/graph-client.ts";
import { readSample } from "../fixtures/sdp/samples.ts";
import { keeperInto } from "./keeper.ts";

export const NUMBER_ID = "100000000000001";
const NOBODY: CallerIdentity = {
  phoneNumber: null,
  userId: "DE.1",
  parentUserId: null,
  name: null,
  username: null,
};

type Action = "pre_accept" | "accept" | "reject" | "terminate";
interface Held {
  readonly action: Action;
  resolve(): void;
  reject(error: unknown): void;
}

/** A Graph API that answers at once, but for the actions that it holds until the test lets them go. */
export class ScriptedGraph implements GraphClient {
  readonly sent: Action[] = [];
  readonly sdps: string[] = [];
  readonly holds: Set<Action> = new Set();
  readonly #held: Held[] = [];

  preAccept(request: { readonly sdp: string; readonly signal?: AbortSignal }): Promise<void> {
    this.sdps.push(request.sdp);
    return this.#take("pre_accept", request.signal);
  }
  accept(request: { readonly sdp: string; readonly signal?: AbortSignal }): Promise<void> {
    this.sdps.push(request.sdp);
    return this.#take("accept", request.signal);
  }
  async reject(request: { readonly signal?: AbortSignal }): Promise<EndResult> {
    await this.#take("reject", request.signal);
    return { alreadyEnded: false };
  }
  async terminate(request: { readonly signal?: AbortSignal }): Promise<EndResult> {
    await this.#take("terminate", request.signal);
    return { alreadyEnded: false };
  }
  connect(): Promise<never> {
    return Promise.reject(new Error("an incoming call dials nobody"));
  }
  close(): Promise<void> {
    return Promise.resolve();
  }
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Answers the oldest held request of an action. */
  release(action: Action): void {
    this.#takeHeld(action).resolve();
  }
  fail(action: Action, reason: "network" | "timeout" = "timeout"): void {
    const details = { reason, attempts: 3 };
    this.#takeHeld(action).reject(new RingbackError("GRAPH_UNREACHABLE", "no answer", { details }));
  }

  #takeHeld(action: Action): Held {
    const index = this.#held.findIndex((each) => each.action === action);
    const [held] = index < 0 ? [] : this.#held.splice(index, 1);
    if (held === undefined) throw new Error(`no ${action} is held`);
    return held;
  }

  #take(action: Action, signal: AbortSignal | undefined): Promise<void> {
    this.sent.push(action);
    if (!this.holds.has(action)) return Promise.resolve();
    return new Promise((resolve, reject) => {
      this.#held.push({ action, resolve, reject });
      signal?.addEventListener("abort", () => reject(signal.reason), { once: true });
    });
  }
}

/** What every packet of a prompt is. */
export const PROMPT_PACKET: Uint8Array = Uint8Array.of(0xf8, 1);

/** Prompts of one second by any name but `missing`; names in `slow` load when the test says so. */
class ScriptedPrompts implements PromptCache {
  readonly slow: Map<string, () => void> = new Map();

  async load(sound: Sound | string): Promise<EncodedPrompt> {
    const path = typeof sound === "string" ? sound : sound.name;
    if (path.startsWith("slow")) await new Promise<void>((resolve) => this.slow.set(path, resolve));
    if (path.includes("missing")) {
      const details = { path, reason: "missing" } as const;
      throw new RingbackError("MEDIA_FILE_UNUSABLE", "there is no such file", { details });
    }
    return packPrompt(
      Array.from({ length: 50 }, () => PROMPT_PACKET),
      1_000,
    );
  }
  stats(): { prompts: number; bytes: number; encodes: number; evictions: number } {
    return { prompts: 0, bytes: 0, encodes: 0, evictions: 0 };
  }
}

export interface LogLine {
  readonly level: "debug" | "info" | "warn" | "error";
  readonly message: string;
  readonly fields: object;
}

function recordingLogger(lines: LogLine[]): Logger {
  const at =
    (level: LogLine["level"]) =>
    (fields: object, message: string): void =>
      void lines.push({ level, message, fields });
  const logger: Logger = {
    debug: at("debug"),
    info: at("info"),
    warn: at("warn"),
    error: at("error"),
    child: () => logger,
  };
  return logger;
}

export interface CallRigOptions {
  readonly engine?: MediaEngine;
  readonly maxCalls?: number;
}

/** A registry whose clock, media and Graph API do what the test says: no socket, no waiting. */
export class CallRig {
  readonly clock: ManualClock = new ManualClock();
  readonly engine: ScriptedMediaEngine = new ScriptedMediaEngine({ autoConnect: false });
  readonly graph: ScriptedGraph = new ScriptedGraph();
  readonly prompts: ScriptedPrompts = new ScriptedPrompts();
  readonly log: LogLine[] = [];
  readonly calls: Call[] = [];
  /** What was written down of calls. */
  readonly changes: CallChange[] = [];
  #records = 0;
  readonly registry: CallRegistry;

  constructor(handler: CallHandler, options: CallRigOptions = {}) {
    const logger = recordingLogger(this.log);
    this.registry = new CallRegistry({
      context: {
        clock: this.clock,
        timers: this.clock,
        media: new LocalMediaHost({
          engine: options.engine ?? this.engine,
          clock: this.clock,
          timers: this.clock,
          random: (byteLength) => new Uint8Array(byteLength),
          logger,
        }),
        sources: new SoundSources({
          prompts: this.prompts,
          urls: new UrlSounds(createRequestPolicy(), this.clock),
          speech: null,
          slices: new WorkSlices(this.clock, 4),
        }),
        slices: new WorkSlices(this.clock, 4),
        recordingsFolder: "nowhere",
        logger,
        call: {},
        observer: {},
        handler: (call) => {
          this.calls.push(call);
          return handler(call);
        },
      },
      graphFor: (phoneNumberId) => (phoneNumberId === NUMBER_ID ? this.graph : null),
      maxCalls: options.maxCalls ?? 10,
    });
  }

  get call(): Call {
    const call = this.calls.at(-1);
    if (call === undefined) throw new Error("no call rang");
    return call;
  }

  /** The steps of the last call. */
  get steps(): string[] {
    return this.call.timeline.map((entry) => entry.step);
  }

  /** Lets everything run that waits for no time. */
  settle(): Promise<void> {
    return this.clock.advanceAsync(0);
  }

  async connect(event: Partial<ConnectEvent> = {}): Promise<void> {
    const connect = connectEvent(event);
    const isNew = connect.sdpType === "offer" && !this.registry.knows(connect);
    if (isNew) this.#ring(connect);
    else this.registry.dispatch(connect);
    await this.settle();
  }

  async terminate(event: Partial<TerminateEvent> = {}): Promise<void> {
    this.registry.terminate(terminateEvent(event));
    await this.settle();
  }

  #ring(event: ConnectEvent): void {
    const { clock } = this;
    const keeper = keeperInto(this.changes, { clock, phoneNumberId: NUMBER_ID, number: this.#records });
    this.#records += 1;
    this.registry.connect(event, clock.nowMs(), keeper);
  }

  async mediaUp(): Promise<void> {
    this.engine.lastLeg.reportConnected();
    await this.settle();
  }
}

export function connectEvent(event: Partial<ConnectEvent> = {}): ConnectEvent {
  return {
    type: "connect",
    phoneNumberId: NUMBER_ID,
    callId: "wacid.one",
    timestampMs: null,
    direction: "user-initiated",
    caller: NOBODY,
    callbackData: null,
    raw: {},
    sdpType: "offer",
    sdp: readSample("live-uic-offer-by-meta-20251017"),
    deeplinkPayload: null,
    ctaPayload: null,
    ...event,
  };
}

export function terminateEvent(event: Partial<TerminateEvent> = {}): TerminateEvent {
  return {
    type: "terminate",
    phoneNumberId: NUMBER_ID,
    callId: "wacid.one",
    timestampMs: null,
    direction: "user-initiated",
    caller: NOBODY,
    callbackData: null,
    raw: {},
    status: "completed",
    startTimeMs: null,
    endTimeMs: null,
    durationSeconds: null,
    errors: [],
    ...event,
  };
}
