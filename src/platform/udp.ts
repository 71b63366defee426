import { createSocket, type Socket } from "node:dgram";
import type { TransportAddress } from "../core/transport/address.ts";

export interface UdpSocketOptions {
  /** IP literal; its version is the socket's. An IPv6 one takes IPv6 alone, so that IPv4 can have the same port. */
  readonly address: string;
  /** 0: any free one. */
  readonly port: number;
  /** A datagram came in; the bytes are the callee's. */
  readonly onDatagram: (datagram: Uint8Array, from: TransportAddress) => void;
  /** The system refused to send to `to`, or, where that is null, to receive: `ENETUNREACH`, `EPERM` … The socket lives on. */
  readonly onError: (code: string, to: TransportAddress | null) => void;
}

export interface UdpSocketStats {
  received: number;
  /** Given to the system. */
  sent: number;
  /** Not sent: too many wait for the kernel already. */
  dropped: number;
  /** Refused by the system. */
  failed: number;
}

/** What Node's errors of a socket have besides. */
interface SystemError extends Error {
  readonly code?: string;
  readonly address?: string;
  readonly port?: number;
}

/** More than any datagram that fits the paths of the internet. */
const SLOT_BYTES = 2048;

/** Datagrams that may wait for the kernel to take them. */
const MAX_QUEUED = 64;

/** For the bursts of some hundred calls; the system may give less (Linux: `net.core.rmem_max`). */
const KERNEL_BUFFER_BYTES = 4 * 1024 * 1024;

/**
 * A UDP socket that sends from memory of its own.
 *
 * Writing into `lend()` and calling `sendLent` sends without a copy. The kernel nearly always takes a datagram at once, and
 * the same memory serves for the next one; when it does not, the datagram waits in its memory and other memory is lent.
 */
export class UdpSocket {
  readonly stats: UdpSocketStats = { received: 0, sent: 0, dropped: 0, failed: 0 };
  readonly ipVersion: 4 | 6;
  readonly port: number;
  readonly #socket: Socket;
  readonly #onError: (code: string, to: TransportAddress | null) => void;
  /** A ring: those that wait are the ones before `#current`. Made as they are needed. */
  readonly #slots: Uint8Array[] = [];
  #current = 0;
  /** Of the current slot, one per length, made when the length first occurs: a datagram allocates nothing here. */
  #views: (Uint8Array | undefined)[] = [];
  #isQueueing = false;
  #isClosed = false;

  private constructor(socket: Socket, options: UdpSocketOptions) {
    this.ipVersion = options.address.includes(":") ? 6 : 4;
    this.port = socket.address().port;
    this.#socket = socket;
    this.#onError = options.onError;
    socket.on("message", (datagram, from) => {
      this.stats.received += 1;
      options.onDatagram(datagram, from);
    });
    // An unheard error would end the process.
    socket.on("error", this.#onResult);
  }

  /**
   * @throws What the system says, as Node's error with a `code`: `EADDRINUSE`, `EADDRNOTAVAIL`, `EACCES` …
   */
  static async bind(options: UdpSocketOptions): Promise<UdpSocket> {
    const isSixth = options.address.includes(":");
    const socket = createSocket({
      type: isSixth ? "udp6" : "udp4",
      ipv6Only: isSixth,
      // Addresses are literals: without this, each datagram would go through dns.lookup.
      lookup: (address, _options, callback) => callback(null, address, 0),
    });
    await new Promise<void>((resolve, reject) => {
      socket.once("error", (error) => {
        socket.close();
        reject(error);
      });
      socket.bind({ address: options.address, port: options.port, exclusive: true }, () => {
        socket.removeAllListeners("error");
        resolve();
      });
    });
    growKernelBuffers(socket);
    return new UdpSocket(socket, options);
  }

  /** Memory for one datagram of up to 2048 bytes; null when none can be sent now, which is counted. */
  lend(): Uint8Array | null {
    if (this.#isClosed) return null;
    if (this.#isQueueing) {
      const queued = this.#socket.getSendQueueCount();
      if (queued >= MAX_QUEUED) {
        this.stats.dropped += 1;
        return null;
      }
      this.#isQueueing = queued > 0;
    }
    return this.#slot();
  }

  /** Sends the first bytes of what `lend` gave last. False when it is not sent, as far as that is known at once. */
  sendLent(lengthBytes: number, to: TransportAddress): boolean {
    if (this.#isClosed) return false;
    try {
      this.#socket.send(this.#view(lengthBytes), to.port, to.address, this.#onResult);
    } catch {
      // An address that is none, such as port 0.
      this.stats.failed += 1;
      return false;
    }
    this.stats.sent += 1;
    if (this.#socket.getSendQueueCount() > 0) this.#takeNextSlot();
    return true;
  }

  /** Sends a copy, so that the bytes are free for reuse when it returns. */
  send(datagram: Uint8Array, to: TransportAddress): boolean {
    const slot = this.lend();
    if (slot === null) return false;
    if (datagram.length > slot.length) {
      this.stats.failed += 1;
      return false;
    }
    slot.set(datagram);
    return this.sendLent(datagram.length, to);
  }

  /** Idempotent. Nothing is reported after it; what waits for the kernel is lost. */
  close(): Promise<void> {
    if (this.#isClosed) return Promise.resolve();
    this.#isClosed = true;
    this.#socket.removeAllListeners("message");
    return new Promise((resolve) => this.#socket.close(resolve));
  }

  readonly #onResult = (error: Error | null): void => {
    if (error === null || this.#isClosed) return;
    this.stats.failed += 1;
    const { code, address, port }: SystemError = error;
    const isSend = address !== undefined && port !== undefined;
    this.#onError(code ?? "unknown", isSend ? { address, port } : null);
  };

  #slot(): Uint8Array {
    let slot = this.#slots[this.#current];
    if (slot === undefined) {
      slot = new Uint8Array(SLOT_BYTES);
      this.#slots[this.#current] = slot;
    }
    return slot;
  }

  #view(lengthBytes: number): Uint8Array {
    let view = this.#views[lengthBytes];
    if (view === undefined) {
      view = this.#slot().subarray(0, lengthBytes);
      this.#views[lengthBytes] = view;
    }
    return view;
  }

  /** One more slot than may wait: the current one is never among those. */
  #takeNextSlot(): void {
    this.#current = (this.#current + 1) % (MAX_QUEUED + 1);
    this.#views = [];
    this.#isQueueing = true;
  }
}

function growKernelBuffers(socket: Socket): void {
  try {
    socket.setRecvBufferSize(KERNEL_BUFFER_BYTES);
    socket.setSendBufferSize(KERNEL_BUFFER_BYTES);
  } catch {
    // Some systems refuse instead of giving what they can: their default then has to do.
  }
}
