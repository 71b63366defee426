import { isSameAddress, type TransportAddress } from "../core/transport/address.ts";
import { readLocalUfrag } from "../core/transport/stun/stun-demux.ts";
import type { UdpSocket } from "../platform/udp.ts";
import type { SocketCallbacks } from "./transport-binding.ts";

/** Whom a port gives a datagram to. The bytes are the callee's. */
export interface DatagramReceiver {
  receive(datagram: Uint8Array, from: TransportAddress): void;
  /** The system has refused to send there. */
  onSendFailed(to: TransportAddress): void;
}

export interface TransportPortOptions {
  readonly bind: (callbacks: SocketCallbacks) => Promise<readonly UdpSocket[]>;
  /** The system refused to send or to receive. */
  readonly onError: (code: string) => void;
  /** The last lease was given back. */
  readonly onEmpty: (port: TransportPort) => void;
}

export interface TransportPortStats {
  readonly received: number;
  readonly sent: number;
  readonly sendsDropped: number;
  readonly sendsFailed: number;
  readonly unknownSenders: number;
}

/** A leg claims its peer's candidates and what its checks prove; NAT makes a few more. */
const MAX_ADDRESSES_PER_LEASE = 64;

/** The largest first byte of STUN (RFC 7983 §7). */
const LAST_STUN_BYTE = 3;

/**
 * One local UDP port, with a socket per IP version, and the legs that share it.
 *
 * A peer's address belongs to the leg that claims it first, until it gives it back: no call can take another's packets
 * by naming its peer's address, or by sending from it.
 */
export class TransportPort {
  readonly #options: TransportPortOptions;
  readonly #byUfrag = new Map<string, PortLease>();
  /** By port number, then by address: text is compared only where there may be a hit, and never joined. */
  readonly #byAddress = new Map<number, Map<string, PortLease>>();
  #sockets: readonly UdpSocket[] = [];
  #fourth: UdpSocket | null = null;
  #sixth: UdpSocket | null = null;
  #unknownSenders = 0;

  private constructor(options: TransportPortOptions) {
    this.#options = options;
  }

  /** @throws {RingbackError} What `bind` throws. */
  static async open(options: TransportPortOptions): Promise<TransportPort> {
    const port = new TransportPort(options);
    port.#sockets = await options.bind({ onDatagram: port.#onDatagram, onError: port.#onError });
    port.#fourth = port.#sockets.find((socket) => socket.ipVersion === 4) ?? null;
    port.#sixth = port.#sockets.find((socket) => socket.ipVersion === 6) ?? null;
    return port;
  }

  get number(): number {
    return this.#sockets[0]?.port ?? 0;
  }

  get ipVersions(): readonly (4 | 6)[] {
    return this.#sockets.map((socket) => socket.ipVersion);
  }

  /** The socket that reaches an address; null when there is none of its IP version. */
  socketTo(to: TransportAddress): UdpSocket | null {
    return to.address.includes(":") ? this.#sixth : this.#fourth;
  }

  /**
   * Takes a place for a leg whose peer has these addresses.
   * @returns null when one of them belongs to another leg here.
   */
  lease(ufrag: string, addresses: readonly TransportAddress[]): PortLease | null {
    if (addresses.some((at) => this.#find(at) !== undefined)) return null;
    const lease = new PortLease(this, ufrag);
    this.#byUfrag.set(ufrag, lease);
    this.claimAll(lease, addresses);
    return lease;
  }

  /** Claims all of them, or none when one belongs to another leg. */
  claimAll(lease: PortLease, addresses: readonly TransportAddress[]): boolean {
    const isFree = (at: TransportAddress): boolean => (this.#find(at) ?? lease) === lease;
    if (!addresses.every(isFree)) return false;
    for (const at of addresses) this.claim(lease, at);
    lease.keptAddresses = lease.addresses.length;
    return true;
  }

  /** True when what comes from the address is now given to the lease's receiver. */
  claim(lease: PortLease, at: TransportAddress): boolean {
    const owner = this.#find(at);
    if (owner !== undefined) return owner === lease;
    if (lease.addresses.length >= MAX_ADDRESSES_PER_LEASE || this.#byUfrag.get(lease.ufrag) !== lease)
      return false;
    let addresses = this.#byAddress.get(at.port);
    if (addresses === undefined) {
      addresses = new Map();
      this.#byAddress.set(at.port, addresses);
    }
    addresses.set(at.address, lease);
    lease.addresses.push(at);
    return true;
  }

  /** Gives back one address that was claimed alone. */
  forget(lease: PortLease, at: TransportAddress): void {
    const index = lease.addresses.findIndex((claimed) => isSameAddress(claimed, at));
    if (index < lease.keptAddresses) return;
    lease.addresses.splice(index, 1);
    this.#remove(at);
  }

  release(lease: PortLease): void {
    if (this.#byUfrag.get(lease.ufrag) !== lease) return;
    this.#byUfrag.delete(lease.ufrag);
    for (const at of lease.addresses.splice(0)) this.#remove(at);
    if (this.#byUfrag.size === 0) this.#options.onEmpty(this);
  }

  stats(): TransportPortStats {
    const sum = (field: "received" | "sent" | "dropped" | "failed"): number =>
      this.#sockets.reduce((total, socket) => total + socket.stats[field], 0);
    return {
      received: sum("received"),
      sent: sum("sent"),
      sendsDropped: sum("dropped"),
      sendsFailed: sum("failed"),
      unknownSenders: this.#unknownSenders,
    };
  }

  /** Idempotent. */
  async close(): Promise<void> {
    await Promise.all(this.#sockets.map((socket) => socket.close()));
  }

  #remove({ address, port }: TransportAddress): void {
    const addresses = this.#byAddress.get(port);
    addresses?.delete(address);
    if (addresses?.size === 0) this.#byAddress.delete(port);
  }

  #find(at: TransportAddress): PortLease | undefined {
    return this.#byAddress.get(at.port)?.get(at.address);
  }

  readonly #onDatagram = (datagram: Uint8Array, from: TransportAddress): void => {
    // A Binding request names its receiver, who may not have known the address before (RFC 8445 §7.3).
    const ufrag = (datagram[0] ?? 0) <= LAST_STUN_BYTE ? readLocalUfrag(datagram) : null;
    const lease = ufrag === null ? this.#find(from) : this.#byUfrag.get(ufrag);
    if (lease === undefined || lease.receiver === null) this.#unknownSenders += 1;
    else lease.receiver.receive(datagram, from);
  };

  readonly #onError = (code: string, to: TransportAddress | null): void => {
    if (to !== null) this.#find(to)?.receiver?.onSendFailed(to);
    this.#options.onError(code);
  };
}

/** One leg's place on a port. */
export class PortLease {
  readonly port: TransportPort;
  readonly ufrag: string;
  /** Kept by the port. */
  readonly addresses: TransportAddress[] = [];
  /** Of these, the first ones, which are not forgotten. Kept by the port. */
  keptAddresses = 0;
  receiver: DatagramReceiver | null = null;

  constructor(port: TransportPort, ufrag: string) {
    this.port = port;
    this.ufrag = ufrag;
  }

  claim(at: TransportAddress): boolean {
    return this.port.claim(this, at);
  }

  forget(at: TransportAddress): void {
    this.port.forget(this, at);
  }

  /** Idempotent. */
  release(): void {
    this.receiver = null;
    this.port.release(this);
  }
}
