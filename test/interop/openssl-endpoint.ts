import { randomBytes } from "node:crypto";
import { createSocket, type Socket } from "node:dgram";
import { EventEmitter, once } from "node:events";
import {
  DtlsAssociation,
  type DtlsEndReason,
  type DtlsOptions,
  type DtlsResult,
} from "../../src/core/transport/dtls/dtls-association.ts";

/** Short, as loopback loses nothing. */
const INITIAL_TIMEOUT_MS = 100;

/** A peer that says nothing more fails the test before vitest gives up on it. */
const PATIENCE_MS = 10_000;

interface EndpointEvents {
  connected: [DtlsResult];
  ended: [DtlsEndReason];
  data: [string];
}

/** A DTLS association of ours on a socket of 127.0.0.1, in real time. */
export class UdpEndpoint extends EventEmitter<EndpointEvents> {
  readonly association: DtlsAssociation;
  /** All datagrams, in order. */
  readonly received: Uint8Array[] = [];
  readonly sent: Uint8Array[] = [];
  readonly #socket: Socket;
  #peerPort: number;
  #timer: NodeJS.Timeout | undefined;

  private constructor(socket: Socket, peerPort: number, options: Omit<DtlsOptions, "random">) {
    super();
    this.#socket = socket;
    this.#peerPort = peerPort;
    this.association = new DtlsAssociation(
      { random: randomBytes, ...options },
      {
        sendDtls: (datagram) => this.#send(Uint8Array.from(datagram)),
        onDtlsConnected: (result) => this.emit("connected", result),
        onDtlsEnd: (reason) => this.emit("ended", reason),
        onDtlsData: (data) => this.emit("data", Buffer.from(data).toString()),
      },
    );
    socket.on("message", (bytes, { port }) => {
      this.#peerPort = port;
      this.received.push(Uint8Array.from(bytes));
      this.association.receive(bytes, performance.now());
      this.#arm();
    });
  }

  /** Binds a socket. A server learns its peer's port of the first datagram: give 0. */
  static async open(peerPort: number, options: Omit<DtlsOptions, "random">): Promise<UdpEndpoint> {
    const socket = createSocket("udp4").bind(0, "127.0.0.1");
    await once(socket, "listening");
    return new UdpEndpoint(socket, peerPort, options);
  }

  get port(): number {
    return this.#socket.address().port;
  }

  start(): void {
    this.association.start(performance.now(), INITIAL_TIMEOUT_MS);
    this.#arm();
  }

  /** The next event's value. */
  async next<Name extends keyof EndpointEvents>(name: Name): Promise<EndpointEvents[Name][0]> {
    const [value] = await once(this, name, { signal: AbortSignal.timeout(PATIENCE_MS) });
    return value;
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    this.association.close();
    this.#socket.close();
  }

  #send(datagram: Uint8Array): void {
    this.sent.push(datagram);
    this.#socket.send(datagram, this.#peerPort, "127.0.0.1");
  }

  #arm(): void {
    clearTimeout(this.#timer);
    const { deadlineMs } = this.association;
    if (deadlineMs === Number.POSITIVE_INFINITY) return;
    this.#timer = setTimeout(
      () => {
        this.association.handleTimeout(performance.now());
        this.#arm();
      },
      Math.max(0, deadlineMs - performance.now()),
    );
  }
}
