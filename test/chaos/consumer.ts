import { createHmac, timingSafeEqual } from "node:crypto";
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { EventEnvelope } from "../../src/core/events/event-types.ts";
import type { SeededRandom } from "../../src/core/seeded-random.ts";

const FAILURES = 1 / 3;
/** Of the failures, no answer at all: rare, as each holds a place for as long as the gateway waits. */
const SILENCES = 0.02;
const TOLERANCE_SECONDS = 300;

export interface Receipt {
  readonly event: EventEnvelope;
  readonly outcome: "taken" | "500" | "reset" | "silence";
}

/** A program that receives events, and fails a third of the time. */
export class Consumer {
  readonly secret: string = `whsec_${Buffer.from("a secret of thirty-two bytes ...").toString("base64")}`;
  readonly receipts: Receipt[] = [];
  /** Requests whose signature was wrong, missing or too old. */
  badSignatures = 0;
  /** The gateway's wall clock is so far ahead. */
  aheadMs = 0;
  /** Takes everything from now on. */
  isReliable = false;
  readonly #random: SeededRandom;
  readonly #onReceipt: () => void;
  readonly #server = createServer((request, response) => void this.#serve(request, response));

  constructor(random: SeededRandom, onReceipt: () => void) {
    this.#random = random;
    this.#onReceipt = onReceipt;
  }

  async start(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/events`;
  }

  stop(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await readBody(request).catch(() => null);
    // The gateway died in the middle of it.
    if (body === null) return;
    if (!this.#isSigned(request.headers, body)) this.badSignatures += 1;
    const outcome = this.#decide();
    this.receipts.push({ event: JSON.parse(body) as EventEnvelope, outcome });
    this.#onReceipt();
    if (outcome === "taken") response.writeHead(204).end();
    else if (outcome === "500") response.writeHead(500).end("not now");
    else if (outcome === "reset") request.socket.resetAndDestroy();
  }

  #decide(): Receipt["outcome"] {
    if (this.isReliable || this.#random.fraction() >= FAILURES) return "taken";
    const draw = this.#random.fraction();
    if (draw < SILENCES) return "silence";
    return draw < 0.5 ? "500" : "reset";
  }

  /** Standard Webhooks: HMAC-SHA256 over id, timestamp and body, in base64. */
  #isSigned(headers: IncomingHttpHeaders, body: string): boolean {
    const id = String(headers["webhook-id"]);
    const timestamp = String(headers["webhook-timestamp"]);
    const key = Buffer.from(this.secret.slice("whsec_".length), "base64");
    const wanted = createHmac("sha256", key).update(`${id}.${timestamp}.${body}`).digest();
    const ageSeconds = Math.abs((Date.now() + this.aheadMs) / 1_000 - Number(timestamp));
    return (
      ageSeconds < TOLERANCE_SECONDS &&
      String(headers["webhook-signature"])
        .split(" ")
        .filter((part) => part.startsWith("v1,"))
        .map((part) => Buffer.from(part.slice(3), "base64"))
        .some((given) => given.length === wanted.length && timingSafeEqual(given, wanted))
    );
  }
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}
