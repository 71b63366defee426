import { setTimeout as delay } from "node:timers/promises";
import { Agent, request } from "undici";
import { RingbackError } from "../../errors.ts";
import type { Logger } from "../../logger.ts";
import { signWebhook } from "../../whatsapp/signature.ts";
import type { WebhookOptions } from "../simulator-options.ts";

export interface WebhookSenderOptions {
  readonly appSecret: string;
  readonly delivery: Required<WebhookOptions>;
  readonly logger: Logger;
}

const USER_AGENT = "facebookexternalua";
const MAX_CONNECTIONS = 64;
/** What is read of an answer's body; a longer one is cut off. */
const MAX_ANSWER_BYTES = 65_536;

type Answer =
  | { readonly status: number; readonly text: string }
  /** No answer in time, or no connection. */
  | { readonly status: null; readonly cause: unknown };

/** Posts webhooks as WhatsApp does: signed raw bytes, at least once, again after anything but 200. */
export class WebhookSender {
  readonly #options: WebhookSenderOptions;
  readonly #agent: Agent;
  readonly #closing = new AbortController();

  constructor(options: WebhookSenderOptions) {
    this.#options = options;
    this.#agent = new Agent({ connections: MAX_CONNECTIONS, keepAliveTimeout: 10_000 });
  }

  /**
   * Delivers a body, at most once more than there are retry delays.
   * @throws {RingbackError} `SIMULATOR_WEBHOOK_REFUSED` when no attempt was answered with 200; its cause is a
   * `TimeoutError` when the last one was not answered in time.
   */
  async send(url: string, body: Uint8Array): Promise<void> {
    const { delivery, logger, appSecret } = this.#options;
    const target = new URL(url);
    const headers = {
      "content-type": "application/json",
      "user-agent": USER_AGENT,
      "x-hub-signature-256": signWebhook(body, appSecret),
    };
    for (let attempts = 1; ; attempts += 1) {
      const answer = await this.#exchange(target, "POST", headers, body);
      if (answer.status === 200) return;
      const waitMs = delivery.retryDelaysMs[attempts - 1];
      const fields = { status: answer.status, reason: reasonOf(answer), attempts, waitMs: waitMs ?? null };
      logger.warn(fields, "webhook was not taken");
      if (waitMs === undefined || !(await this.#wait(waitMs))) {
        throw refusedError("did not take the webhook", answer, attempts);
      }
    }
  }

  /**
   * Asks the endpoint to prove that it knows the verify token.
   * Meta Webhooks, "Create a webhook endpoint" (read 2026-11-22): 200 and the challenge as the plain body.
   * @throws {RingbackError} `SIMULATOR_WEBHOOK_REFUSED`.
   */
  async verify(url: string, verifyToken: string, challenge: string): Promise<void> {
    const target = new URL(url);
    target.searchParams.set("hub.mode", "subscribe");
    target.searchParams.set("hub.challenge", challenge);
    target.searchParams.set("hub.verify_token", verifyToken);
    const answer = await this.#exchange(target, "GET", {}, null);
    if (answer.status === 200 && answer.text === challenge) return;
    throw refusedError("did not answer the verification with its challenge", answer, 1);
  }

  /** Gives up what is under way. Idempotent. */
  async close(): Promise<void> {
    this.#closing.abort();
    await this.#agent.destroy();
  }

  async #exchange(
    url: URL,
    method: "GET" | "POST",
    headers: Readonly<Record<string, string>>,
    body: Uint8Array | null,
  ): Promise<Answer> {
    const timeout = AbortSignal.timeout(this.#options.delivery.timeoutMs);
    const signal = AbortSignal.any([timeout, this.#closing.signal]);
    try {
      const answer = await request(url, { method, headers, body, signal, dispatcher: this.#agent });
      return { status: answer.statusCode, text: await readText(answer.body) };
    } catch (cause) {
      return { status: null, cause };
    }
  }

  /** False when the sender was closed meanwhile. */
  async #wait(waitMs: number): Promise<boolean> {
    if (this.#closing.signal.aborted) return false;
    try {
      await delay(waitMs, undefined, { signal: this.#closing.signal });
      return true;
    } catch {
      // Aborted by close(): the only way that this timer rejects.
      return false;
    }
  }
}

async function readText(body: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  let sizeBytes = 0;
  for await (const chunk of body) {
    sizeBytes += chunk.length;
    if (sizeBytes > MAX_ANSWER_BYTES) break;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

/** A word for people: what came in place of the 200. */
function reasonOf(answer: Answer): string {
  if (answer.status !== null) return `HTTP ${answer.status}`;
  return isTimeout(answer.cause) ? "no answer in time" : "no connection";
}

function isTimeout(cause: unknown): boolean {
  return cause instanceof Error && cause.name === "TimeoutError";
}

function refusedError(
  what: string,
  answer: Answer,
  attempts: number,
): RingbackError<"SIMULATOR_WEBHOOK_REFUSED"> {
  return new RingbackError(
    "SIMULATOR_WEBHOOK_REFUSED",
    `The program under test ${what} (${reasonOf(answer)}, attempts: ${attempts}); expected HTTP 200`,
    {
      details: { status: answer.status, attempts },
      cause: answer.status === null ? answer.cause : undefined,
    },
  );
}
