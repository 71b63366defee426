import { once } from "node:events";
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer as createTlsServer, type ServerOptions } from "node:https";
import type { AddressInfo } from "node:net";
import { afterEach } from "vitest";

/** What the server got. */
export interface SeenRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export type Handler = (request: SeenRequest, response: ServerResponse, incoming: IncomingMessage) => void;

export interface HttpRig {
  readonly port: number;
  /** `127.0.0.1:port`. */
  readonly host: string;
  /** Without a slash at its end. */
  readonly url: string;
  readonly seen: SeenRequest[];
}

const cleanups: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup();
});

/** A server on 127.0.0.1 until the test's end. With `tls` it speaks https. */
export async function startHttpRig(handler: Handler, tls: ServerOptions | null = null): Promise<HttpRig> {
  const seen: SeenRequest[] = [];
  const onRequest = (incoming: IncomingMessage, response: ServerResponse): void => {
    const chunks: Buffer[] = [];
    incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
    incoming.on("end", () => {
      const { method = "", url = "", headers } = incoming;
      const request = { method, url, headers, body: Buffer.concat(chunks).toString() };
      seen.push(request);
      handler(request, response, incoming);
    });
  };
  const server = tls === null ? createServer(onRequest) : createTlsServer(tls, onRequest);
  server.on("tlsClientError", () => {});
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  cleanups.push(async () => {
    const closed = once(server, "close");
    server.close();
    server.closeAllConnections();
    await closed;
  });
  const { port } = server.address() as AddressInfo;
  const host = `127.0.0.1:${port}`;
  return { port, host, url: `${tls === null ? "http" : "https"}://${host}`, seen };
}
