import { ipVersion } from "../core/sdp/ip-version.ts";
import type { TransportAddress } from "../core/transport/address.ts";
import { reachableAddresses } from "../platform/network-interfaces.ts";
import { UdpSocket } from "../platform/udp.ts";
import { transportFailed } from "./transport-error.ts";

/** Both ends included. */
export interface PortRange {
  readonly begin: number;
  readonly end: number;
}

/** Where an engine's sockets are, whatever their port. */
export interface Binding {
  /** One per IP version, at most two. */
  readonly socketAddresses: readonly string[];
  /** By which others may reach them, the preferred first. */
  readonly hostAddresses: readonly string[];
}

export interface SocketCallbacks {
  readonly onDatagram: (datagram: Uint8Array, from: TransportAddress) => void;
  readonly onError: (code: string, to: TransportAddress | null) => void;
}

/** Where IPv4 and IPv6 shall share a port number that the system chooses, IPv6's may be taken. */
const MAX_ATTEMPTS = 10;

/** @param bindAddress Default: all interfaces, both IP versions as far as the machine has them. `0.0.0.0`: IPv4 alone. */
export function findBinding(bindAddress: string | undefined): Binding {
  if (bindAddress !== undefined && bindAddress !== "::" && bindAddress !== "0.0.0.0") {
    return { socketAddresses: [bindAddress], hostAddresses: [bindAddress] };
  }
  const versions = bindAddress === "0.0.0.0" ? [4] : [6, 4];
  // RFC 8421 §4: IPv6 before IPv4, so that it is preferred where both work.
  const hostAddresses = versions.flatMap((version) =>
    reachableAddresses().filter((address) => ipVersion(address) === version),
  );
  const hasVersion = (version: 4 | 6): boolean => hostAddresses.some((one) => ipVersion(one) === version);
  const socketAddresses = [...(hasVersion(4) ? ["0.0.0.0"] : []), ...(hasVersion(6) ? ["::"] : [])];
  // A machine without any network: the sockets work as soon as there is one.
  return { socketAddresses: socketAddresses.length === 0 ? ["0.0.0.0"] : socketAddresses, hostAddresses };
}

/**
 * Binds a socket per address, all with the same port number. 0: any free one.
 *
 * @throws {RingbackError} `MEDIA_ENGINE_FAILED`.
 */
export async function bindPort(
  binding: Binding,
  port: number,
  callbacks: SocketCallbacks,
): Promise<readonly UdpSocket[]> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await bindAll(binding.socketAddresses, port, callbacks);
    } catch (error) {
      const mayRetry = port === 0 && systemCode(error) === "EADDRINUSE" && attempt < MAX_ATTEMPTS;
      if (!mayRetry) throw cannotBind(binding, port, error);
    }
  }
}

/**
 * The same with the first free port of a range.
 *
 * @throws {RingbackError} `MEDIA_ENGINE_FAILED`.
 */
export async function bindPortOf(
  range: PortRange,
  binding: Binding,
  callbacks: SocketCallbacks,
): Promise<readonly UdpSocket[]> {
  for (let port = range.begin; port <= range.end; port += 1) {
    try {
      return await bindAll(binding.socketAddresses, port, callbacks);
    } catch (error) {
      if (systemCode(error) !== "EADDRINUSE") throw cannotBind(binding, port, error);
    }
  }
  throw transportFailed(
    `extraPorts ${range.begin}-${range.end} has no free port. A call needs one when its peer has the same address as another call's; widen the range.`,
    "no free port",
  );
}

async function bindAll(
  addresses: readonly string[],
  port: number,
  callbacks: SocketCallbacks,
): Promise<readonly UdpSocket[]> {
  const sockets: UdpSocket[] = [];
  try {
    for (const address of addresses) {
      sockets.push(await UdpSocket.bind({ address, port: sockets[0]?.port ?? port, ...callbacks }));
    }
    return sockets;
  } catch (error) {
    await Promise.all(sockets.map((socket) => socket.close()));
    throw error;
  }
}

function cannotBind(binding: Binding, port: number, error: unknown): Error {
  const code = systemCode(error);
  const name = port === 0 ? "a UDP port" : `UDP port ${port}`;
  const where = binding.socketAddresses.join(" and ");
  return transportFailed(`Could not bind ${name} on ${where}: ${code}. ${nextStep(code)}`, code, error);
}

function nextStep(code: string): string {
  switch (code) {
    case "EADDRINUSE":
      return "Another program, or another engine, has it: end that one or choose another port.";
    case "EADDRNOTAVAIL":
      return "bindAddress must be an address of this machine; for the address that a NAT shows, there is publicAddress.";
    case "EACCES":
      return "Ports below 1024 need a privilege: choose a higher one.";
    default:
      return "Check bindAddress and port.";
  }
}

function systemCode(error: unknown): string {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "unknown";
}
