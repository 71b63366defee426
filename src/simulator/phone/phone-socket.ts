import { createSocket, type RemoteInfo, type Socket } from "node:dgram";
import { isIPv6 } from "node:net";
import { RingbackError } from "../../errors.ts";
import type { StunAddress } from "./stun.ts";

export type OnDatagram = (datagram: Buffer, from: RemoteInfo) => void;

/** The one UDP socket of a phone. What cannot be sent is lost, as on any network. */
export class PhoneSocket {
  readonly address: string;
  readonly port: number;
  readonly #socket: Socket;
  #closed: Promise<void> | null = null;

  constructor(socket: Socket) {
    this.#socket = socket;
    const { address, port } = socket.address();
    this.address = address;
    this.port = port;
    // A send error (nobody listens there, no route) is a lost packet. A closed socket reports nothing more.
    socket.on("error", () => {});
  }

  onDatagram(listener: OnDatagram): void {
    this.#socket.on("message", listener);
  }

  send(datagram: Uint8Array, to: StunAddress): void {
    if (this.#closed === null) this.#socket.send(datagram, to.port, to.address);
  }

  close(): Promise<void> {
    this.#closed ??= new Promise((resolve) => {
      this.#socket.close(resolve);
    });
    return this.#closed;
  }
}

/**
 * Binds an ephemeral port.
 * @throws {RingbackError} `OPTION_INVALID` when `host` is no address of this machine.
 */
export function openPhoneSocket(host: string): Promise<PhoneSocket> {
  const family = isIPv6(host) ? 6 : 4;
  const socket = createSocket({
    type: family === 6 ? "udp6" : "udp4",
    // Every address here is numeric: the resolver that dgram asks for each packet has nothing to resolve.
    lookup: (address, _options, done) => {
      done(null, address, family);
    },
  });
  return new Promise((resolve, reject) => {
    const refuse = (cause: Error): void => {
      socket.close();
      const message = "host must be an IP address of this machine";
      reject(new RingbackError("OPTION_INVALID", message, { details: { option: "host" }, cause }));
    };
    socket.once("error", refuse);
    socket.bind(0, host, () => {
      socket.removeListener("error", refuse);
      resolve(new PhoneSocket(socket));
    });
  });
}
