import type { CallAction, CallOutput } from "../core/call/types.ts";
import { RingbackError } from "../errors.ts";
import type { GraphClient } from "../whatsapp/graph-client.ts";

export type GraphRequest = Extract<CallOutput, { type: "request" }>;

export interface CallGraphListener {
  onSent(action: CallAction): void;
  onOk(action: CallAction): void;
  onFailed(action: CallAction, error: RingbackError): void;
}

/**
 * The Graph requests of one call, one after the other: an accept and the terminate that follows it
 * must reach WhatsApp in that order.
 */
export class CallGraph {
  readonly #client: GraphClient;
  readonly #ids: { readonly phoneNumberId: string; readonly callId: string };
  readonly #listener: CallGraphListener;
  readonly #preAcceptAbort = new AbortController();
  readonly #abort = new AbortController();
  #last: Promise<void> = Promise.resolve();

  constructor(
    client: GraphClient,
    ids: { readonly phoneNumberId: string; readonly callId: string },
    listener: CallGraphListener,
  ) {
    this.#client = client;
    this.#ids = ids;
    this.#listener = listener;
  }

  /** Resolves when every request so far has its answer. Never rejects. */
  get idle(): Promise<void> {
    return this.#last;
  }

  /** Gives up what is under way and what waits; nothing is sent or reported from here on. */
  abandon(): void {
    this.#preAcceptAbort.abort();
    this.#abort.abort();
  }

  request(request: GraphRequest): void {
    // The call is over for us: an answer to pre_accept is no longer worth waiting for.
    if (request.action === "reject" || request.action === "terminate") this.#preAcceptAbort.abort();
    this.#last = this.#last.then(() => this.#send(request));
  }

  async #send(request: GraphRequest): Promise<void> {
    const { signal } = request.action === "pre_accept" ? this.#preAcceptAbort : this.#abort;
    if (signal.aborted) return;
    this.#listener.onSent(request.action);
    try {
      await this.#perform(request, signal);
    } catch (error) {
      // What we gave up ourselves is no failure.
      if (!signal.aborted) this.#listener.onFailed(request.action, asGraphError(error));
      return;
    }
    this.#listener.onOk(request.action);
  }

  async #perform(request: GraphRequest, signal: AbortSignal): Promise<void> {
    const ids = { ...this.#ids, signal };
    switch (request.action) {
      case "pre_accept":
        await this.#client.preAccept({ ...ids, sdp: request.sdp });
        return;
      case "accept":
        await this.#client.accept({ ...ids, sdp: request.sdp });
        return;
      case "reject":
        await this.#client.reject(ids);
        return;
      case "terminate":
        await this.#client.terminate(ids);
        return;
    }
  }
}

function asGraphError(error: unknown): RingbackError {
  if (error instanceof RingbackError) return error;
  return new RingbackError("GRAPH_UNREACHABLE", "The request to the Graph API failed before it was sent.", {
    details: { reason: "network", attempts: 0 },
    cause: error,
  });
}
