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
   * @throws {RingbackError} `SIMULATOR_WEBHOOK_REFUSED` when no attempt was answered with 200.
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
      if (answer?.status === 200) return;
      const status = answer?.status ?? null;
      const waitMs = delivery.retryDelaysMs[attempts - 1];
      logger.warn({ status, attempts, waitMs: waitMs ?? null }, "webhook was not taken");
      if (waitMs === undefined || !(await this.#wait(waitMs))) {
        throw refusedError(
          status,
          attempts,
          status === null ? "could not be reached" : "refused the webhook",
        );
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
    if (answer?.status === 200 && answer.text === challenge) return;
    throw refusedError(answer?.status ?? null, 1, "did not answer the verification with its challenge");
  }

  /** Gives up what is under way. Idempotent. */
  async close(): Promise<void> {
    this.#closing.abort();
    await this.#agent.destroy();
  }

  /** Null: no answer in time, or no connection. */
  async #exchange(
    url: URL,
    method: "GET" | "POST",
    headers: Readonly<Record<string, string>>,
    body: Uint8Array | null,
  ): Promise<{ readonly status: number; readonly text: string } | null> {
    const timeout = AbortSignal.timeout(this.#options.delivery.timeoutMs);
    const signal = AbortSignal.any([timeout, this.#closing.signal]);
    try {
      const answer = await request(url, { method, headers, body, signal, dispatcher: this.#agent });
      return { status: answer.statusCode, text: await answer.body.text() };
    } catch (error) {
      this.#options.logger.debug(
        { reason: error instanceof Error ? error.name : "unknown" },
        "webhook failed",
      );
      return null;
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

function refusedError(
  status: number | null,
  attempts: number,
  what: string,
): RingbackError<"SIMULATOR_WEBHOOK_REFUSED"> {
  const answered = status === null ? "no answer" : `HTTP ${status}`;
  return new RingbackError(
    "SIMULATOR_WEBHOOK_REFUSED",
    `The program under test ${what} (${answered}, attempts: ${attempts}); expected HTTP 200`,
    { details: { status, attempts } },
  );
}
