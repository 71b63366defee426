import { createSocket, type Socket } from "node:dgram";
import type { AddressInfo } from "node:net";
import { readLocalUfrag } from "../../src/core/transport/stun/stun-demux.ts";

/**
 * A relay on 127.0.0.1 as WhatsApp has it: many calls on one address and port. It learns from a call's first check whom
 * it is for, and from then on tells the calls apart by the address that packets come from.
 */
export class SharedRelay implements AsyncDisposable {
  readonly #socket: Socket;
  readonly #peerPorts: ReadonlyMap<string, number>;
  /** By the port of the leg. */
  readonly #upstreams = new Map<number, { readonly socket: Socket; readonly peerPort: number }>();

  private constructor(socket: Socket, peerPorts: ReadonlyMap<string, number>) {
    this.#socket = socket;
    this.#peerPorts = peerPorts;
    socket.on("message", (datagram, { port }) => this.#toPeer(datagram, port));
  }

  /** @param peerPorts The peers behind it, by their ufrag. */
  static async open(peerPorts: ReadonlyMap<string, number>): Promise<SharedRelay> {
    const socket = createSocket("udp4");
    await new Promise<void>((resolve) => socket.bind(0, "127.0.0.1", resolve));
    return new SharedRelay(socket, peerPorts);
  }

  get port(): number {
    return (this.#socket.address() as AddressInfo).port;
  }

  /** Addresses that packets have come from. */
  get legs(): number {
    return this.#upstreams.size;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const sockets = [this.#socket, ...[...this.#upstreams.values()].map(({ socket }) => socket)];
    await Promise.all(sockets.map((socket) => new Promise<void>((resolve) => socket.close(() => resolve()))));
  }

  #toPeer(datagram: Buffer, legPort: number): void {
    const known = this.#upstreams.get(legPort);
    if (known !== undefined) {
      known.socket.send(datagram, known.peerPort, "127.0.0.1");
      return;
    }
    const peerPort = this.#peerPorts.get(readLocalUfrag(datagram) ?? "");
    if (peerPort === undefined) return;
    const socket = createSocket("udp4");
    this.#upstreams.set(legPort, { socket, peerPort });
    socket.on("message", (answer) => this.#socket.send(answer, legPort, "127.0.0.1"));
    socket.bind(0, "127.0.0.1", () => socket.send(datagram, peerPort, "127.0.0.1"));
  }
}
