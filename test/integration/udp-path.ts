import { createSocket, type Socket } from "node:dgram";
import type { AddressInfo } from "node:net";

/** A network path on 127.0.0.1 between a leg and a peer: to each, it is the other. It can repeat and make up datagrams. */
export class UdpPath implements AsyncDisposable {
  /** Copies of what the peer sent to the leg. */
  readonly toLeg: Buffer[] = [];
  readonly #socket: Socket;
  #legPort: number | null = null;

  private constructor(socket: Socket, peerPort: number) {
    this.#socket = socket;
    socket.on("message", (datagram, { port }) => {
      if (port !== peerPort) {
        this.#legPort = port;
        this.#send(datagram, peerPort);
      } else if (this.#legPort !== null) {
        this.toLeg.push(datagram);
        this.#send(datagram, this.#legPort);
      }
    });
  }

  static async open(peerPort: number): Promise<UdpPath> {
    const socket = createSocket("udp4");
    await new Promise<void>((resolve) => socket.bind(0, "127.0.0.1", resolve));
    return new UdpPath(socket, peerPort);
  }

  get port(): number {
    return (this.#socket.address() as AddressInfo).port;
  }

  get hasLeg(): boolean {
    return this.#legPort !== null;
  }

  /** Sends the leg a datagram that seems to be the peer's. */
  forge(datagram: Uint8Array): void {
    if (this.#legPort !== null) this.#send(datagram, this.#legPort);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await new Promise<void>((resolve) => this.#socket.close(() => resolve()));
  }

  #send(datagram: Uint8Array, port: number): void {
    this.#socket.send(datagram, port, "127.0.0.1");
  }
}
