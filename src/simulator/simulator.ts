import type { FastifyInstance } from "fastify";
import { systemRandom } from "../platform/random.ts";
import { placeCalls } from "./call-placing.ts";
import { CallRegistry } from "./call-registry.ts";
import { GraphFaults } from "./graph/graph-faults.ts";
import { createGraphServer } from "./graph/graph-server.ts";
import { createNumberSettings, type NumberSettings } from "./graph/number-settings.ts";
import type { PhoneCall } from "./phone-call.ts";
import type { PhoneCallOptions } from "./phone-call-options.ts";
import { optionError, stateError } from "./simulator-error.ts";
import {
  type SimulatedNumber,
  type SimulatorOptions,
  type SimulatorSettings,
  toSettings,
} from "./simulator-options.ts";
import { WebhookSender } from "./webhook/webhook-sender.ts";

/** A WhatsApp for tests: a Graph API, webhooks, and phones that call with real media. */
export interface Simulator extends AsyncDisposable {
  /** Where webhooks go; null until it is set. */
  webhookUrl: string | null;
  /** Base URL of the Graph API, for `GRAPH_API_URL`. Throws `SIMULATOR_WRONG_STATE` before `start`. */
  readonly graphUrl: string;
  readonly phoneNumbers: readonly SimulatedNumber[];
  readonly token: string;
  readonly appSecret: string;
  readonly verifyToken: string;
  /** What shall go wrong with the next requests to the Graph API. */
  readonly faults: GraphFaults;
  /** The calls whose reports are not out yet. */
  readonly calls: readonly PhoneCall[];
  /**
   * Opens the Graph API. Idempotent until `close`.
   * @throws {RingbackError} `OPTION_INVALID` when the port is taken or the host is no address of this machine.
   */
  start(): Promise<void>;
  /**
   * Asks the program's webhook for the challenge, as WhatsApp does when a webhook is entered.
   * @throws {RingbackError} `SIMULATOR_WEBHOOK_REFUSED` when it does not come back.
   */
  verifyWebhook(): Promise<void>;
  /**
   * Places a call. Resolves when the `connect` webhook was answered with 200, the phone rings meanwhile; or when the
   * webhook was given up, but the program has sent a request about the call, which then goes on.
   * @throws {RingbackError} `OPTION_INVALID`; `SIMULATOR_WEBHOOK_REFUSED` when the webhook was not taken, the call
   * is over then; `SIMULATOR_WRONG_STATE` when the simulator is not running, has no `webhookUrl`, the number's calling
   * is disabled, or it has 1 000 calls (WhatsApp sends no webhook in the last two cases).
   */
  call(options?: PhoneCallOptions): Promise<PhoneCall>;
  /** Places several calls in one webhook; the first one's `webhooks` options hold for its delivery. None: no webhook. */
  callMany(options: readonly PhoneCallOptions[]): Promise<readonly PhoneCall[]>;
  /** Ends every call without a webhook, resolves their reports, closes every socket. Idempotent. */
  close(): Promise<void>;
}

/**
 * Makes a simulated WhatsApp. Opens no socket before `start`.
 * @throws {RingbackError} `OPTION_INVALID`.
 */
export function createSimulator(options: SimulatorOptions = {}): Simulator {
  return new WhatsAppSimulator(toSettings(options), options.webhookUrl ?? null);
}

class WhatsAppSimulator implements Simulator {
  webhookUrl: string | null;
  readonly faults: GraphFaults = new GraphFaults();
  readonly #settings: SimulatorSettings;
  readonly #registry = new CallRegistry();
  readonly #numbers: ReadonlyMap<string, NumberSettings>;
  readonly #sender: WebhookSender;
  readonly #server: FastifyInstance;
  readonly #closing = new AbortController();
  /** The calls that are being placed. */
  readonly #placing = new Set<Promise<unknown>>();
  #listening: Promise<string> | null = null;
  #graphUrl: string | null = null;
  #closed: Promise<void> | null = null;

  constructor(settings: SimulatorSettings, webhookUrl: string | null) {
    this.webhookUrl = webhookUrl;
    this.#settings = settings;
    this.#numbers = new Map(settings.phoneNumbers.map(({ id }) => [id, createNumberSettings()]));
    this.#sender = new WebhookSender({ ...settings, delivery: settings.webhook });
    this.#server = createGraphServer({
      settings,
      registry: this.#registry,
      faults: this.faults,
      numbers: this.#numbers,
    });
  }

  get graphUrl(): string {
    if (this.#graphUrl !== null) return this.#graphUrl;
    throw stateError("idle", "graphUrl", "graphUrl is known once start() has resolved");
  }

  get phoneNumbers(): readonly SimulatedNumber[] {
    return this.#settings.phoneNumbers;
  }

  get token(): string {
    return this.#settings.token;
  }

  get appSecret(): string {
    return this.#settings.appSecret;
  }

  get verifyToken(): string {
    return this.#settings.verifyToken;
  }

  get calls(): readonly PhoneCall[] {
    return this.#registry.all;
  }

  async start(): Promise<void> {
    if (this.#closed !== null) throw stateError("closed", "start", "A closed simulator does not start again");
    const { host, port } = this.#settings;
    this.#listening ??= this.#server.listen({ host, port });
    try {
      this.#graphUrl = await this.#listening;
    } catch (cause) {
      const message = `The Graph API cannot listen on port ${port} of ${host}; take another one, or 0 for any that is free`;
      throw optionError("port", message, cause);
    }
  }

  async verifyWebhook(): Promise<void> {
    const challenge = String(Buffer.from(systemRandom(4)).readUInt32BE(0));
    await this.#sender.verify(this.#requireWebhookUrl(), this.#settings.verifyToken, challenge);
  }

  async call(options: PhoneCallOptions = {}): Promise<PhoneCall> {
    const [call] = await this.callMany([options]);
    if (call === undefined) throw stateError("running", "call", "No call was placed");
    return call;
  }

  async callMany(options: readonly PhoneCallOptions[]): Promise<readonly PhoneCall[]> {
    if (this.#closed !== null || this.#graphUrl === null) {
      throw stateError(
        this.#closed === null ? "idle" : "closed",
        "call",
        "Calls need a running simulator: await start()",
      );
    }
    if (options.length === 0) return [];
    const placing = placeCalls(options, {
      webhookUrl: this.#requireWebhookUrl(),
      settings: this.#settings,
      registry: this.#registry,
      numbers: this.#numbers,
      sender: this.#sender,
      closing: this.#closing.signal,
    });
    this.#placing.add(placing);
    try {
      return await placing;
    } finally {
      this.#placing.delete(placing);
    }
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #close(): Promise<void> {
    this.#closing.abort();
    const sessions = this.#registry.all;
    for (const session of sessions) session.end("simulator");
    await this.#sender.close();
    await Promise.allSettled(this.#placing);
    await Promise.all(sessions.map((session) => session.ended));
    await this.#listening?.catch(() => {
      // start() has already told its caller.
    });
    await this.#server.close();
  }

  #requireWebhookUrl(): string {
    const url = this.webhookUrl;
    if (url === null) {
      throw stateError("running", "call", "Set webhookUrl to where the program under test takes webhooks");
    }
    if (URL.canParse(url) && /^https?:/i.test(url)) return url;
    throw optionError("webhookUrl", "webhookUrl must be an http or https URL");
  }
}
