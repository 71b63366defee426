import { createSocket, type RemoteInfo, type Socket } from "node:dgram";
import { isIPv6 } from "node:net";
import { RingbackError } from "../../errors.ts";
import type { StunAddress } from "./stun.ts";

export type OnDatagram = (datagram: Buffer, from: RemoteInfo) => void;

/** The UDP port of a phone, one socket for each IP version. What cannot be sent is lost, as on any network. */
export class PhoneSocket {
  readonly addresses: readonly StunAddress[];
  readonly #sockets: readonly Socket[];
  readonly #ipv4: Socket | null;
  readonly #ipv6: Socket | null;
  #closed: Promise<void> | null = null;

  constructor(sockets: readonly Socket[]) {
    this.#sockets = sockets;
    this.addresses = sockets.map((socket) => socket.address());
    const find = (family: string): Socket | null =>
      sockets.find((socket) => socket.address().family === family) ?? null;
    this.#ipv4 = find("IPv4");
    this.#ipv6 = find("IPv6");
    // A send error (nobody listens there, no route) is a lost packet. A closed socket reports nothing more.
    for (const socket of sockets) socket.on("error", () => {});
  }

  onDatagram(listener: OnDatagram): void {
    for (const socket of this.#sockets) socket.on("message", listener);
  }

  send(datagram: Uint8Array, to: StunAddress): void {
    if (this.#closed !== null) return;
    const socket = to.address.includes(":") ? this.#ipv6 : this.#ipv4;
    socket?.send(datagram, to.port, to.address);
  }

  close(): Promise<void> {
    this.#closed ??= Promise.all(this.#sockets.map(closeSocket)).then(() => {});
    return this.#closed;
  }
}

/**
 * Binds ephemeral ports: on `host`, or with null on the loopback addresses that this machine has.
 * @throws {RingbackError} `OPTION_INVALID` when `host` is no address of this machine.
 */
export async function openPhoneSocket(host: string | null): Promise<PhoneSocket> {
  if (host !== null) return new PhoneSocket([await bindSocket(host)]);
  const ipv4 = await bindSocket("127.0.0.1");
  // WhatsApp offers an address of each version; a machine without IPv6 cannot.
  const ipv6 = await bindSocket("::1").catch(() => null);
  return new PhoneSocket(ipv6 === null ? [ipv4] : [ipv4, ipv6]);
}

function bindSocket(host: string): Promise<Socket> {
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
      resolve(socket);
    });
  });
}

function closeSocket(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    socket.close(resolve);
  });
}
