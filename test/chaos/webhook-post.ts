import { setTimeout as delay } from "node:timers/promises";
import { Agent, request } from "undici";
import type { SeededRandom } from "../../src/core/seeded-random.ts";
import { dedupKey } from "../../src/gateway/records/call-key.ts";
import { type CallWebhook, toEnvelopeBytes } from "../../src/simulator/webhook/payload.ts";
import { signWebhook } from "../../src/whatsapp/signature.ts";
import { parseWebhook } from "../../src/whatsapp/webhook.ts";
import type { Mailbox } from "./whatsapp.ts";
import { NUMBER } from "./whatsapp-call.ts";

const FLUSH_MS = 25;
const MAX_BATCH = 5;
const ANSWER_TIMEOUT_MS = 10_000;
const FIRST_RETRY_MS = 100;
const LONGEST_RETRY_MS = 1_500;
/** Of the webhooks: sent again though they were taken; of the events: sent in two webhooks. */
const REPEATED = 0.2;
const IN_TWO = 0.05;

export interface WebhookPostOptions {
  readonly appSecret: string;
  readonly random: SeededRandom;
  readonly onSent: () => void;
  readonly onTaken: () => void;
}

/** What became of the webhooks. */
export interface PostCounters {
  /** Different ones. */
  webhooks: number;
  attempts: number;
  repeats: number;
  /** Attempts that got no 200, by what they got. */
  readonly refusals: Record<string, number>;
}

/** Delivers webhooks as WhatsApp does: in batches, out of order, more than once, again until they get 200. */
export class WebhookPost implements Mailbox {
  url = "";
  readonly counters: PostCounters = { webhooks: 0, attempts: 0, repeats: 0, refusals: {} };
  /** All that got 200, to be sent once more at the end. */
  readonly taken: Uint8Array[] = [];
  /** What the journal knows their events by. */
  readonly takenKeys: Set<string> = new Set();
  readonly #options: WebhookPostOptions;
  readonly #agent = new Agent({ connections: 32 });
  readonly #flusher: NodeJS.Timeout;
  #waiting: CallWebhook[] = [];
  #underWay = 0;
  #sending = 0;
  #isClosed = false;

  constructor(options: WebhookPostOptions) {
    this.#options = options;
    this.#flusher = setInterval(() => this.#flush(), FLUSH_MS);
  }

  /** Webhooks and events that were sent or are to be sent at once, and have no 200 yet. */
  get untaken(): number {
    return this.#waiting.length + this.#sending;
  }

  /** What is not taken yet, and what is still to be sent. */
  get pending(): number {
    return this.#waiting.length + this.#underWay;
  }

  post(webhook: CallWebhook): void {
    this.#waiting.push(webhook);
    if (this.#options.random.fraction() < IN_TWO) {
      this.#later(this.#options.random.fraction() * 2_000, () => this.#waiting.push(webhook));
    }
  }

  postStatus(callId: string): void {
    const metadata = { display_phone_number: NUMBER.displayPhoneNumber, phone_number_id: NUMBER.id };
    const timestamp = String(Math.floor(Date.now() / 1_000));
    const status = { id: callId, type: "call", status: "RINGING", timestamp, recipient_id: "15550001111" };
    const value = { messaging_product: "whatsapp", metadata, statuses: [status] };
    void this.#deliver(
      Buffer.from(JSON.stringify({ entry: [{ id: "1", changes: [{ field: "calls", value }] }] })),
    );
  }

  /** Everything once more. Resolves with how many did not get 200 at once. */
  async replay(): Promise<number> {
    let refused = 0;
    for (const body of this.taken) {
      if ((await this.#attempt(body)) !== 200) refused += 1;
    }
    return refused;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    clearInterval(this.#flusher);
    await this.#agent.destroy();
  }

  #flush(): void {
    const { random } = this.#options;
    while (this.#waiting.length > 0) {
      const size = random.fraction() < 0.6 ? 1 : 2 + Math.floor(random.fraction() * (MAX_BATCH - 1));
      void this.#deliver(toEnvelopeBytes(this.#waiting.splice(0, size)));
    }
  }

  async #deliver(body: Uint8Array): Promise<void> {
    const { random } = this.#options;
    const repeatsAfterMs = random.fraction() < REPEATED ? random.fraction() * 4_000 : null;
    this.counters.webhooks += 1;
    this.#underWay += 1;
    await this.#untilTaken(body);
    this.#underWay -= 1;
    if (this.#isClosed) return;
    this.#options.onTaken();
    this.taken.push(body);
    for (const event of parseWebhook(body).events) this.takenKeys.add(dedupKey(event));
    if (repeatsAfterMs === null) return;
    this.#later(repeatsAfterMs, () => {
      this.counters.repeats += 1;
      this.#underWay += 1;
      void this.#untilTaken(body).finally(() => {
        this.#underWay -= 1;
      });
    });
  }

  async #untilTaken(body: Uint8Array): Promise<void> {
    this.#sending += 1;
    for (let retryMs = FIRST_RETRY_MS; !this.#isClosed; retryMs = Math.min(LONGEST_RETRY_MS, retryMs * 2)) {
      this.counters.attempts += 1;
      const outcome = await this.#attempt(body);
      if (outcome === 200) break;
      this.counters.refusals[outcome] = (this.counters.refusals[outcome] ?? 0) + 1;
      await delay(retryMs * (0.5 + this.#options.random.fraction() / 2));
    }
    this.#sending -= 1;
  }

  async #attempt(body: Uint8Array): Promise<number | "no answer"> {
    const headers = {
      "content-type": "application/json",
      "x-hub-signature-256": signWebhook(body, this.#options.appSecret),
    };
    try {
      this.#options.onSent();
      const signal = AbortSignal.timeout(ANSWER_TIMEOUT_MS);
      const reply = await request(this.url, {
        method: "POST",
        headers,
        body,
        signal,
        dispatcher: this.#agent,
      });
      await reply.body.dump();
      return reply.statusCode;
    } catch {
      return "no answer";
    }
  }

  /** Counts as pending meanwhile. */
  #later(delayMs: number, act: () => void): void {
    this.#underWay += 1;
    setTimeout(() => {
      this.#underWay -= 1;
      act();
    }, delayMs);
  }
}
