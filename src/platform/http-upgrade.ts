import { type IncomingMessage, type Server, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";

/** A request to speak another protocol, with the connection that it would be spoken on. */
export interface UpgradeRequest {
  readonly request: IncomingMessage;
  readonly socket: Duplex;
  readonly head: Buffer;
}

/**
 * Sends requests for an upgrade the way of all others, so that what checks those checks these. The response goes to the connection
 * and then closes it, unless `take` was called before.
 */
export class Upgrades {
  readonly #pending = new WeakMap<IncomingMessage, UpgradeRequest & { readonly response: ServerResponse }>();

  constructor(server: Server, route: (request: IncomingMessage, response: ServerResponse) => void) {
    server.on("upgrade", (request: IncomingMessage, socket: Duplex, head: Buffer) => {
      // Else a client that is gone would end the process.
      socket.on("error", () => socket.destroy());
      const response = new ServerResponse(request);
      response.shouldKeepAlive = false;
      response.assignSocket(socket as Parameters<ServerResponse["assignSocket"]>[0]);
      response.once("finish", () => socket.end());
      this.#pending.set(request, { request, socket, head, response });
      route(request, response);
    });
  }

  isUpgrade(request: IncomingMessage): boolean {
    return this.#pending.has(request);
  }

  /** Takes the connection from the response: nothing is sent by it any more. Null when the request is none. */
  take(request: IncomingMessage): UpgradeRequest | null {
    const pending = this.#pending.get(request);
    if (pending === undefined) return null;
    this.#pending.delete(request);
    const { response, ...upgrade } = pending;
    response.detachSocket(upgrade.socket as Parameters<ServerResponse["detachSocket"]>[0]);
    return upgrade;
  }
}
