import type { FastifyReply } from "fastify";
import type { StreamEnd, StreamTransport } from "./stream-session.ts";

type RawResponse = FastifyReply["raw"];

/** How soon a client connects anew after its connection was cut, in ms. */
const RETRY_MS = 2_000;

/**
 * Server-sent events (WHATWG HTML, "Server-sent events"): `id` is the cursor, `data` the envelope. Without an `event` field, so that one
 * listener gets all of them; the type is in the envelope.
 */
export class SseTransport implements StreamTransport {
  readonly #response: RawResponse;

  constructor(response: RawResponse) {
    this.#response = response;
  }

  /** An id without data is no event for the client, but it is what the client comes back with. */
  open(headers: Readonly<Record<string, string>>, cursor: string): void {
    this.#response.writeHead(200, headers);
    this.#response.write(`retry: ${RETRY_MS}\nid: ${cursor}\n\n`);
  }

  send(cursor: string, envelope: string): Promise<void> | undefined {
    if (this.#response.write(`id: ${cursor}\ndata: ${envelope}\n\n`)) return undefined;
    return roomIn(this.#response);
  }

  heartbeat(cursor: string): void {
    // One that does not read gets no more of them: they would pile up.
    if (!this.#response.writableNeedDrain) this.#response.write(`: still here\nid: ${cursor}\n\n`);
  }

  end(reason: StreamEnd): void {
    if (reason === "slow" || this.#response.writableNeedDrain) this.#response.destroy();
    else this.#response.end(`: ${reason}\n\n`);
  }
}

/** Resolves when what was written has left; rejects when the connection is gone. */
function roomIn(response: RawResponse): Promise<void> {
  return new Promise((resolve, reject) => {
    const onDrain = (): void => {
      response.off("close", onClose);
      resolve();
    };
    const onClose = (): void => {
      response.off("drain", onDrain);
      reject(new Error("the client is gone"));
    };
    if (response.destroyed) return onClose();
    response.once("drain", onDrain);
    response.once("close", onClose);
  });
}
