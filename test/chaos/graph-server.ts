import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { SeededRandom } from "../../src/core/seeded-random.ts";
import type { Whatsapp } from "./whatsapp.ts";
import type { Action } from "./whatsapp-call.ts";
import { NUMBER } from "./whatsapp-call.ts";

const TOKEN_PREFIX = "chaos-token-of-life-";
const LONGEST_ANSWER_MS = 60;
/** Of the requests: answered with 500 before they took effect, and cut off after it. */
const SERVER_ERRORS = 0.01;
const RESETS = 0.01;

export interface GraphServerOptions {
  readonly whatsapp: Whatsapp;
  readonly random: SeededRandom;
  /** Who has the other business numbers: the simulator. */
  readonly others: { readonly graphUrl: string; readonly token: string };
  readonly onRequest: (action: Action) => void;
}

/** Each life of the gateway has a token of its own, so that a request of a dead one is known as such. */
export function tokenOf(life: number): string {
  return `${TOKEN_PREFIX}${life}`;
}

/** A Graph API that takes its time, and fails now and then. */
export class GraphServer {
  requests = 0;
  readonly #options: GraphServerOptions;
  readonly #server = createServer((request, response) => void this.#serve(request, response));

  constructor(options: GraphServerOptions) {
    this.#options = options;
  }

  async start(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  stop(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const text = await readBody(request).catch(() => null);
    // The gateway died in the middle of it.
    if (text === null) return;
    if (!(request.url ?? "").includes(`/${NUMBER.id}/`)) {
      await this.#forward(request, text, response);
      return;
    }
    this.requests += 1;
    const { random, whatsapp, onRequest } = this.#options;
    const { call_id: callId, action } = JSON.parse(text) as { call_id: string; action: Action };
    const life = Number((request.headers.authorization ?? "").split(TOKEN_PREFIX)[1]);
    const draw = random.fraction();
    const delayMs = random.fraction() * LONGEST_ANSWER_MS;
    if (draw < SERVER_ERRORS) {
      answer(response, 500, { error: { code: 1, message: "An unknown error occurred", is_transient: true } });
      return;
    }
    const failure = whatsapp.handle(life, callId, action);
    onRequest(action);
    setTimeout(() => {
      if (draw > 1 - RESETS) response.destroy();
      else if (failure === null) answer(response, 200, { messaging_product: "whatsapp", success: true });
      else answer(response, failure.status, { error: failure.error });
    }, delayMs);
  }

  async #forward(request: IncomingMessage, body: string, response: ServerResponse): Promise<void> {
    const { graphUrl, token } = this.#options.others;
    const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
    try {
      const reply = await fetch(`${graphUrl}${request.url}`, { method: "POST", headers, body });
      answer(response, reply.status, await reply.json());
    } catch {
      response.destroy();
    }
  }
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

function answer(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
}
