import { RingbackError } from "../errors.ts";
import { silentLogger } from "../logger.ts";
import { createPromptCache, type MediaHost, type MediaStatus, WorkSlices } from "../media/index.ts";
import { systemClock } from "../platform/clock.ts";
import { createRequestPolicy } from "../platform/outgoing-request.ts";
import { systemRandom } from "../platform/random.ts";
import { systemTimers } from "../platform/timers.ts";
import type { CallHandler } from "./call.ts";
import type { RegistryCounters } from "./call-registry.ts";
import type { GatewayContext } from "./gateway-context.ts";
import { GatewayCore } from "./gateway-core.ts";
import { type OpenedStore, openGatewayStore } from "./ledger.ts";
import { createLocalHost, startWorkers } from "./media-hosts.ts";
import { checkGatewayOptions, type GatewayOptions } from "./options.ts";
import type { ApiListenOptions } from "./services.ts";
import { SoundSources } from "./verbs/sound-sources.ts";
import type { PlaySource } from "./verbs/types.ts";
import { UrlSounds } from "./verbs/url-sounds.ts";

/** `idle` until `listen`; `draining` takes no new call; `closed` is for good. */
export type GatewayState = "idle" | "running" | "draining" | "closed";

export interface ListenOptions {
  /** TCP port of the webhook; 0 takes any free one. Default 3000. */
  readonly port?: number;
  /** Address to listen on. Default 127.0.0.1: a tunnel or a proxy brings HTTPS. */
  readonly host?: string;
  /** The control API and metrics (docs/api.md), on a port of their own. Default: none. */
  readonly api?: ApiListenOptions;
}

/** Where the gateway listens. */
export interface Listening {
  /** Of the webhook. */
  readonly url: string;
  /** Origin of the control API; null: there is none. */
  readonly apiUrl: string | null;
}

export interface GatewayStatus {
  readonly state: GatewayState;
  readonly calls: number;
  readonly counters: Readonly<RegistryCounters>;
  readonly media: MediaStatus;
}

/** A longer sound is encoded as it plays, so that it begins at once and is not held whole. */
const MAX_PROMPT_MS = 120_000;
/** How long work on files holds up everything else at a time. */
const SLICE_MS = 4;

/** Makes a gateway. It does nothing until `listen`. Throws `OPTION_INVALID`. */
export function createGateway(options: GatewayOptions): Gateway {
  checkGatewayOptions(options);
  return new Gateway(options);
}

/** Answers the calls of one or more business numbers: webhook in, Graph requests and media out. */
export class Gateway implements AsyncDisposable {
  /** Resolves when the gateway is closed, by whomever; never rejects. */
  readonly closed: Promise<void>;
  readonly #options: GatewayOptions;
  readonly #context: GatewayContext;
  readonly #slices: WorkSlices;
  readonly #sources: SoundSources;
  #state: GatewayState = "idle";
  #handler: CallHandler | null = null;
  #media: MediaHost | null;
  #core: GatewayCore | null = null;
  #opening: Promise<Listening> | null = null;
  #closing: Promise<void> | null = null;
  #resolveClosed!: () => void;

  constructor(options: GatewayOptions) {
    const { clock = systemClock, timers = systemTimers, random = systemRandom } = options;
    this.#options = options;
    this.#context = { clock, timers, random, logger: options.logger ?? silentLogger };
    this.#media = createLocalHost(options.media, this.#context);
    this.#slices = new WorkSlices(clock, SLICE_MS);
    this.#sources = this.#createSources();
    this.closed = new Promise((resolve) => {
      this.#resolveClosed = resolve;
    });
  }

  /** Sets the program that takes each call. One gateway has one handler, set before `listen`. */
  onCall(handler: CallHandler): this {
    if (this.#handler !== null || this.#state !== "idle") {
      throw this.#wrongState("onCall", "Register one handler, before listen().");
    }
    this.#handler = handler;
    return this;
  }

  /** Makes a sound ready now, so that the first call that plays it need not wait. Throws as `call.play`. */
  async preload(source: PlaySource): Promise<void> {
    await this.#sources.resolve(source, 1);
  }

  get status(): GatewayStatus {
    return {
      state: this.#state,
      calls: this.#core?.registry.size ?? 0,
      counters: { ...(this.#core?.registry.counters ?? NO_COUNTERS) },
      media: this.#media?.status() ?? { workers: [] },
    };
  }

  /**
   * Opens the store, starts the media workers, finishes what a process before this one has left, and opens the webhook. Resolves with
   * its URL.
   * @throws {RingbackError} `GATEWAY_WRONG_STATE` without a handler, when called twice, or closed meanwhile;
   * `OPTION_INVALID` when a port or an address cannot be had; `MEDIA_ENGINE_FAILED`; `STORE_UNUSABLE`, `STORE_UNAVAILABLE`.
   */
  async listen(options: ListenOptions = {}): Promise<Listening> {
    const handler = this.#handler;
    if (handler === null)
      throw this.#wrongState("listen", "Say with onCall() what is to happen with a call.");
    if (this.#state !== "idle") throw this.#wrongState("listen", "A gateway listens once; make another one.");
    this.#state = "running";
    this.#opening = this.#open(handler, options);
    try {
      const opened = await this.#opening;
      if (this.#closing === null) return opened;
    } catch (error) {
      await this.close();
      throw error;
    }
    throw this.#wrongState("listen", "The gateway was closed meanwhile.");
  }

  /**
   * Takes no new call and resolves when the last one has ended, or when `signal` aborts. The webhook stays open:
   * the ends of the running calls come in through it.
   */
  async drain(options: { readonly signal?: AbortSignal } = {}): Promise<void> {
    if (this.#state === "running") this.#state = "draining";
    if (this.#state !== "draining" || options.signal?.aborted) return;
    this.#core?.registry.refuseNewCalls();
    const empty = this.#core?.registry.empty() ?? Promise.resolve();
    await (options.signal === undefined ? empty : unlessAborted(empty, options.signal));
  }

  /** Ends every call, tells WhatsApp, and releases every socket. Idempotent; a second call waits for the first. */
  close(): Promise<void> {
    this.#closing ??= this.#close().finally(this.#resolveClosed);
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #open(handler: CallHandler, options: ListenOptions): Promise<Listening> {
    const [opened, media] = await this.#openStoreAndMedia();
    this.#media = media;
    const core = new GatewayCore(this.#options, this.#context, {
      opened,
      media,
      sources: this.#sources,
      slices: this.#slices,
      handler,
      hasApi: options.api !== undefined,
      status: () => this.status,
      drain: () => void this.drain(),
    });
    this.#core = core;
    // drain() or close() came while the workers were starting.
    if (this.#state !== "running") core.registry.refuseNewCalls();
    return core.open(options.host ?? "127.0.0.1", options.port ?? 3000, options.api ?? null);
  }

  /** Side by side; when one of them fails, the other is closed. */
  async #openStoreAndMedia(): Promise<readonly [OpenedStore, MediaHost]> {
    const context = this.#context;
    const starting = this.#media ?? startWorkers(this.#options.media, context);
    const [opened, media] = await Promise.allSettled([
      openGatewayStore(this.#options.store, context),
      starting,
    ]);
    if (opened.status === "fulfilled" && media.status === "fulfilled") return [opened.value, media.value];
    if (opened.status === "fulfilled") await opened.value.store.close();
    if (media.status === "fulfilled") await media.value.close();
    throw opened.status === "rejected" ? opened.reason : media.status === "rejected" && media.reason;
  }

  #createSources(): SoundSources {
    return new SoundSources({
      prompts: createPromptCache({ maxDurationMs: MAX_PROMPT_MS, clock: this.#context.clock }),
      urls: new UrlSounds(createRequestPolicy(this.#options.requests), this.#context.clock),
      speech: this.#options.speech ?? null,
      slices: this.#slices,
    });
  }

  async #close(): Promise<void> {
    this.#state = "closed";
    this.#core?.registry.refuseNewCalls();
    // What listen() is about to open is closed with the rest; its failure is told to its caller.
    await this.#opening?.catch(() => {});
    await this.#core?.endCalls();
    await this.#core?.close();
    await this.#media?.close();
  }

  #wrongState(operation: string, advice: string): RingbackError {
    return new RingbackError("GATEWAY_WRONG_STATE", `${operation}() is not possible now. ${advice}`, {
      details: { state: this.#state, operation },
    });
  }
}

/** Resolves with the promise, or when the signal aborts; leaves nothing at the signal. */
async function unlessAborted(promise: Promise<void>, signal: AbortSignal): Promise<void> {
  let stop = (): void => {};
  const aborted = new Promise<void>((resolve) => {
    stop = () => resolve();
    signal.addEventListener("abort", stop, { once: true });
  });
  await Promise.race([promise, aborted]);
  signal.removeEventListener("abort", stop);
}

const NO_COUNTERS: RegistryCounters = {
  callsStarted: 0,
  eventsRepeated: 0,
  eventsIgnored: 0,
  eventsOfOtherNumbers: 0,
  callsOverLimit: 0,
};
