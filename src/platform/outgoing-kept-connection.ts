import { type buildConnector, Client } from "undici";
import type { RequestHop } from "../core/net/redirect.ts";
import { connectorFor } from "./outgoing-connector.ts";
import type { PostAnswer } from "./outgoing-pool.ts";

export interface KeptConnectionOptions {
  /** Judged. Nothing else is connected to. */
  readonly addresses: readonly string[];
  readonly ca: string | undefined;
  /** How long it stays open without a request, in ms. */
  readonly idleMs: number;
  readonly onClosed: () => void;
}

/** One connection for one request at a time. Once it is closed it is not opened again: the addresses are to be judged anew. */
export class KeptConnection {
  readonly #origin: string;
  readonly #client: Client;
  readonly #ending = new AbortController();
  #remoteAddress: string | null = null;
  #isOpen = false;

  constructor(origin: string, { addresses, ca, idleMs, onClosed }: KeptConnectionOptions) {
    this.#origin = origin;
    const connect = connectorFor({ addresses, ca, signal: this.#ending.signal });
    this.#client = new Client(origin, {
      connect: (options, callback) => this.#connect(connect, options, callback),
      keepAliveTimeout: idleMs,
      keepAliveMaxTimeout: idleMs,
      // The signal of each request bounds the whole of it.
      headersTimeout: 0,
      bodyTimeout: 0,
    });
    this.#client.on("disconnect", () => {
      this.#isOpen = false;
      onClosed();
    });
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  leadsTo(origin: string, addresses: readonly string[]): boolean {
    const address = this.#remoteAddress;
    return this.#origin === origin && address !== null && addresses.includes(address);
  }

  /**
   * @throws {Error} The connection's or undici's own, until the head of the answer is there. When the signal aborts, the connection is
   * closed, in whatever state it is.
   */
  async exchange(
    hop: RequestHop,
    { signal, maxBodyBytes }: { readonly signal: AbortSignal; readonly maxBodyBytes: number },
  ): Promise<PostAnswer> {
    signal.throwIfAborted();
    const abort = (): void => this.destroy();
    signal.addEventListener("abort", abort, { once: true });
    try {
      return await this.#request(hop, maxBodyBytes);
    } finally {
      signal.removeEventListener("abort", abort);
    }
  }

  /** Idempotent. */
  destroy(): void {
    this.#isOpen = false;
    this.#ending.abort();
    // Nobody is interested in how it ends.
    void this.#client.destroy().catch(() => {});
  }

  async #request(hop: RequestHop, maxBodyBytes: number): Promise<PostAnswer> {
    const { statusCode, headers, body } = await this.#client.request({
      path: hop.url.pathname + hop.url.search,
      method: hop.method,
      headers: { ...hop.headers, "accept-encoding": "identity" },
      body: hop.body,
    });
    // Read to its end, so that the connection can be used again; closed when that is too far.
    body.on("error", () => {});
    await body.dump({ limit: maxBodyBytes }).catch(() => this.destroy());
    const retryAfter = headers["retry-after"];
    return {
      status: statusCode,
      retryAfter: (Array.isArray(retryAfter) ? retryAfter[0] : retryAfter) ?? null,
    };
  }

  #connect(
    connect: buildConnector.connector,
    options: buildConnector.Options,
    callback: buildConnector.Callback,
  ): void {
    if (this.#remoteAddress !== null) {
      callback(Object.assign(new Error("The connection was closed."), { code: "UND_ERR_CLOSED" }), null);
      return;
    }
    connect(options, (...result) => {
      const [error, socket] = result;
      if (error === null) {
        this.#remoteAddress = socket.remoteAddress ?? "";
        this.#isOpen = true;
      }
      callback(...result);
    });
  }
}
