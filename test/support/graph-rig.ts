import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { inspect } from "node:util";
import { afterEach, expect } from "vitest";
import { RingbackError } from "../../src/errors.ts";
import { createGraphClient, type GraphClient } from "../../src/whatsapp/graph-client.ts";
import type { GraphAttempt, GraphClientOptions } from "../../src/whatsapp/graph-options.ts";

export const TOKEN = "EAAG-secret-token-0123456789";
export const SDP = "v=0\r\no=- 1 2 IN IP4 192.0.2.1\r\ns=-\r\na=ice-pwd:thisisthesecretpassword\r\n";
export const CALL = { phoneNumberId: "100000000000001", callId: "wacid.ABC" };
export const DIAL = { phoneNumberId: CALL.phoneNumberId, to: "15550001111", sdp: SDP };

export type Reply = (response: ServerResponse, request: IncomingMessage) => void;
interface Seen {
  readonly method: string | undefined;
  readonly url: string | undefined;
  readonly headers: IncomingMessage["headers"];
  readonly body: Record<string, unknown>;
}

export interface Rig {
  readonly client: GraphClient;
  readonly seen: Seen[];
  readonly attempts: GraphAttempt[];
  readonly delaysMs: number[];
  readonly baseUrl: string;
}

/** Run in reverse order after each test. */
export const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** A client and a server that gives the replies in order, the last one for ever. */
export async function createRig(
  replies: readonly Reply[],
  options: Partial<GraphClientOptions> = {},
): Promise<Rig> {
  const seen: Seen[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const body = JSON.parse(Buffer.concat(chunks).toString());
      seen.push({ method: request.method, url: request.url, headers: request.headers, body });
      replies.at(Math.min(seen.length, replies.length) - 1)?.(response, request);
    });
  });
  const baseUrl = await listen(server);
  return { ...createTestClient(baseUrl, options), seen, baseUrl };
}

export function createTestClient(
  baseUrl: string,
  options: Partial<GraphClientOptions> = {},
): Pick<Rig, "client" | "attempts" | "delaysMs"> {
  const attempts: GraphAttempt[] = [];
  const delaysMs: number[] = [];
  const client = createGraphClient({
    token: TOKEN,
    baseUrl,
    random: () => 0.5,
    sleep: async (delayMs) => void delaysMs.push(delayMs),
    onAttempt: (attempt) => attempts.push(attempt),
    ...options,
  });
  cleanups.push(() => client.close());
  return { client, attempts, delaysMs };
}

async function listen(server: Server): Promise<string> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  cleanups.push(() => {
    const closed = once(server, "close");
    server.close();
    server.closeAllConnections();
    return closed;
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

export const json = (status: number, body: unknown, headers: Record<string, string> = {}): Reply => {
  return (response) => {
    response.writeHead(status, { "content-type": "application/json", ...headers });
    response.end(JSON.stringify(body));
  };
};
export const text = (status: number, body: string): Reply => {
  return (response) => {
    response.writeHead(status, { "content-type": "text/html" });
    response.end(body);
  };
};
export const ok = json(200, { messaging_product: "whatsapp", success: true });
export const drop: Reply = (_, request) => request.socket.destroy();
export const never: Reply = () => {};

export function graphError(code: number, details: string, extra: object = {}): object {
  return {
    error: {
      message: `(#${code}) Invalid parameter`,
      type: "OAuthException",
      code,
      error_subcode: 2494010,
      error_data: { messaging_product: "whatsapp", details },
      is_transient: false,
      fbtrace_id: "ATrace",
      ...extra,
    },
  };
}

export async function failureOf(promise: Promise<unknown>): Promise<RingbackError> {
  const error = await promise.then(
    () => null,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(RingbackError);
  return error as RingbackError;
}

export function expectNoSecrets(error: unknown): void {
  const shown = inspect(error, { depth: 12, showHidden: true });
  expect(shown).not.toContain(TOKEN);
  expect(shown).not.toContain("thisisthesecretpassword");
  expect(String(error)).not.toContain("15550001111");
}
