import type { WebSocket } from "ws";
import type { StreamEnd, StreamTransport } from "./stream-session.ts";
import { eventText } from "./ws-messages.ts";

/** What may wait in a socket before the next event waits for it. */
const HIGH_WATER_BYTES = 65_536;
/** Acknowledgements beyond those of events that were sent: more is no client, but a flood. */
const SPARE_ACKS = 100;

/** RFC 6455, section 7.4.1. */
const CLOSE_CODES: Readonly<Record<StreamEnd, number>> = {
  shutdown: 1001,
  key_revoked: 1008,
  key_expired: 1008,
  slow: 1008,
  store_unavailable: 1011,
};

/** A WebSocket with events, held back by its buffer and, if the client wants it, by what it has acknowledged. */
export class WsTransport implements StreamTransport {
  readonly #socket: WebSocket;
  readonly #window: number;
  /** Cursors of events that are not acknowledged, oldest first; at most `window` of them. */
  #unacknowledged: string[] = [];
  #sparesLeft = SPARE_ACKS;
  #hasPong = true;
  #room: (() => void) | null = null;

  /** @param window Null: acknowledgements are not waited for. */
  constructor(socket: WebSocket, window: number | null) {
    this.#socket = socket;
    this.#window = window ?? Number.POSITIVE_INFINITY;
    socket.on("pong", () => {
      this.#hasPong = true;
    });
  }

  async send(cursor: string, envelope: string): Promise<void> {
    if (this.#unacknowledged.length >= this.#window) await this.#acknowledged();
    if (this.#window !== Number.POSITIVE_INFINITY) this.#unacknowledged.push(cursor);
    this.#sparesLeft += 1;
    await this.#write(eventText(cursor, envelope));
  }

  /** False: this client acknowledges more than it was sent. */
  acknowledge(cursor: string): boolean {
    this.#sparesLeft -= 1;
    const index = this.#unacknowledged.indexOf(cursor);
    if (index >= 0) this.#unacknowledged.splice(0, index + 1);
    if (this.#unacknowledged.length < this.#window) this.#room?.();
    return this.#sparesLeft >= 0;
  }

  heartbeat(): void {
    if (!this.#hasPong) {
      this.#socket.terminate();
      return;
    }
    this.#hasPong = false;
    this.#socket.ping();
  }

  end(reason: StreamEnd): void {
    if (reason === "slow") this.#socket.terminate();
    else this.#socket.close(CLOSE_CODES[reason], reason);
  }

  /** Resolves at once while little waits in the socket, otherwise when this has left. */
  #write(text: string): Promise<void> | void {
    if (this.#socket.readyState !== this.#socket.OPEN) throw new Error("the client is gone");
    if (this.#socket.bufferedAmount <= HIGH_WATER_BYTES) return this.#socket.send(text, () => {});
    return new Promise((resolve, reject) => {
      this.#socket.send(text, (error) => (error ? reject(error) : resolve()));
    });
  }

  #acknowledged(): Promise<void> {
    return new Promise((resolve) => {
      this.#room = () => {
        this.#room = null;
        resolve();
      };
    });
  }
}
