import type { RequestHop } from "../core/net/redirect.ts";
import { RingbackError } from "../errors.ts";
import { codeOf, failureOf } from "./outgoing-failure.ts";
import { judgedAddresses } from "./outgoing-judge.ts";
import { KeptConnection } from "./outgoing-kept-connection.ts";
import { firstHop } from "./outgoing-request-head.ts";
import type { RequestPolicy } from "./outgoing-request-policy.ts";

export interface PostRequest {
  /** Absolute. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** Less than the policy's. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

/** Whatever the status is: errors and redirects, too, which are not followed. */
export interface PostAnswer {
  readonly status: number;
  /** As it was sent; null when it was not. */
  readonly retryAfter: string | null;
}

export interface RequestPoolOptions {
  readonly policy: RequestPolicy;
  /** Connections that are kept while nothing is sent. Default 16. */
  readonly maxIdle?: number;
  /** How long they are kept, in ms; less when the server says so. Default 10 000. */
  readonly idleMs?: number;
  /** Of an answer's body; the connection is closed when there is more. Default 64 KiB. */
  readonly maxBodyBytes?: number;
}

interface Exchange {
  readonly hop: RequestHop;
  readonly signal: AbortSignal;
}

/** What a connection breaks off with when the server closed it just before the request came. */
const CLOSED_BEFORE: ReadonlySet<string> = new Set([
  "UND_ERR_SOCKET",
  "UND_ERR_INFO",
  "UND_ERR_CLOSED",
  "UND_ERR_DESTROYED",
  "ECONNRESET",
  "EPIPE",
]);

/**
 * Posts to URLs that somebody else has named, as `guardedRequest` does, and keeps the connections. For each request the host is
 * resolved and judged anew: a connection is used again only when it leads to one of the addresses that were judged now.
 */
export class RequestPool {
  readonly #policy: RequestPolicy;
  readonly #maxIdle: number;
  readonly #idleMs: number;
  readonly #maxBodyBytes: number;
  /** The one that was used last is the last. */
  readonly #idle: KeptConnection[] = [];
  readonly #busy = new Set<KeptConnection>();

  constructor({ policy, maxIdle = 16, idleMs = 10_000, maxBodyBytes = 65_536 }: RequestPoolOptions) {
    this.#policy = policy;
    this.#maxIdle = maxIdle;
    this.#idleMs = idleMs;
    this.#maxBodyBytes = maxBodyBytes;
  }

  /** Connections that are open, or being opened. */
  get connections(): number {
    return this.#idle.length + this.#busy.size;
  }

  /**
   * The status decides: a body that breaks off, never ends or is too large does not matter.
   *
   * @throws {RingbackError} `REQUEST_REFUSED`, `REQUEST_FAILED`, `OPTION_INVALID` for headers; the signal's reason when it aborts.
   */
  async post(request: PostRequest): Promise<PostAnswer> {
    const { signal } = request;
    signal?.throwIfAborted();
    const hop = firstHop(request, this.#policy);
    const timeoutMs = Math.min(request.timeoutMs ?? this.#policy.timeoutMs, this.#policy.timeoutMs);
    const ending = new AbortController();
    const end = (): void => ending.abort();
    const timer = setTimeout(end, timeoutMs);
    signal?.addEventListener("abort", end, { once: true });
    try {
      return await this.#exchange({ hop, signal: ending.signal });
    } catch (error) {
      signal?.throwIfAborted();
      if (error instanceof RingbackError) throw error;
      throw failureOf(error, hop.url, { signal: ending.signal, timeoutMs });
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener("abort", end);
    }
  }

  /** Closes what is kept. What is under way goes on, and is not kept afterwards. */
  closeIdle(): void {
    for (const connection of this.#idle.splice(0)) connection.destroy();
  }

  async #exchange({ hop, signal }: Exchange): Promise<PostAnswer> {
    const addresses = await judgedAddresses(hop.url, { policy: this.#policy, signal });
    const kept = this.#take(hop.url.origin, addresses);
    if (kept !== null) {
      try {
        return await this.#send(kept, { hop, signal });
      } catch (error) {
        // It was closed while the request was on its way. The receiver has most likely seen nothing of it.
        if (signal.aborted || !CLOSED_BEFORE.has(codeOf(error))) throw error;
      }
    }
    return this.#send(this.#open(hop.url.origin, addresses), { hop, signal });
  }

  #open(origin: string, addresses: readonly string[]): KeptConnection {
    const connection = new KeptConnection(origin, {
      addresses,
      ca: this.#policy.ca,
      idleMs: this.#idleMs,
      onClosed: () => this.#forget(connection),
    });
    return connection;
  }

  async #send(connection: KeptConnection, { hop, signal }: Exchange): Promise<PostAnswer> {
    this.#busy.add(connection);
    try {
      const answer = await connection.exchange(hop, { signal, maxBodyBytes: this.#maxBodyBytes });
      if (connection.isOpen && this.#idle.length < this.#maxIdle) this.#idle.push(connection);
      else connection.destroy();
      return answer;
    } catch (error) {
      connection.destroy();
      throw error;
    } finally {
      this.#busy.delete(connection);
    }
  }

  /** The idle one that was used last. Those that lead elsewhere are of no more use: the URL has changed, or the name's addresses have. */
  #take(origin: string, addresses: readonly string[]): KeptConnection | null {
    for (let connection = this.#idle.pop(); connection !== undefined; connection = this.#idle.pop()) {
      if (connection.isOpen && connection.leadsTo(origin, addresses)) return connection;
      connection.destroy();
    }
    return null;
  }

  #forget(connection: KeptConnection): void {
    const index = this.#idle.indexOf(connection);
    if (index >= 0) this.#idle.splice(index, 1);
    connection.destroy();
  }
}
