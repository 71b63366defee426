import type { TransportAddress } from "../core/transport/address.ts";
import type { Logger } from "../logger.ts";
import { type Binding, bindPort, bindPortOf, type PortRange } from "./transport-binding.ts";
import { transportFailed } from "./transport-error.ts";
import { type PortLease, TransportPort, type TransportPortStats } from "./transport-port.ts";

export interface TransportPortsOptions {
  readonly binding: Binding;
  /** 0: any free one. */
  readonly port: number;
  /** Null: any free ones. */
  readonly extraPorts: PortRange | null;
  readonly logger: Logger;
}

export interface TransportPortsStats extends TransportPortStats {
  /** Open now, besides the one. */
  readonly extraPorts: number;
  /** Opened so far. */
  readonly extraPortsOpened: number;
}

/**
 * An engine's local ports: one for all its legs.
 *
 * And one more for as long as it takes, when a leg's peer has the same address and port as a live leg's: WhatsApp's
 * relays have few addresses, and tell their calls apart by the address that the packets come from.
 */
export class TransportPorts {
  readonly #options: TransportPortsOptions;
  readonly #main: TransportPort;
  readonly #extras = new Set<TransportPort>();
  readonly #told = new Set<string>();
  /** The one that is being opened, for all that wait for one. */
  #opening: Promise<TransportPort> | null = null;
  #isClosed = false;
  #opened = 0;
  /** Of the extra ports that are closed. */
  #past: TransportPortStats = { received: 0, sent: 0, sendsDropped: 0, sendsFailed: 0, unknownSenders: 0 };

  private constructor(options: TransportPortsOptions, main: TransportPort) {
    this.#options = options;
    this.#main = main;
  }

  /** @throws {RingbackError} `MEDIA_ENGINE_FAILED`. */
  static async open(options: TransportPortsOptions): Promise<TransportPorts> {
    let ports: TransportPorts | null = null;
    const main = await TransportPort.open({
      bind: (callbacks) => bindPort(options.binding, options.port, callbacks),
      onError: (code) => ports?.tell(code),
      onEmpty: () => {},
    });
    ports = new TransportPorts(options, main);
    return ports;
  }

  get number(): number {
    return this.#main.number;
  }

  get ipVersions(): readonly (4 | 6)[] {
    return this.#main.ipVersions;
  }

  /**
   * A place for a leg whose peer has these addresses, on the first port where they are nobody else's.
   * @throws {RingbackError} `MEDIA_ENGINE_FAILED` when it takes a further port and none can be had.
   */
  async lease(ufrag: string, addresses: readonly TransportAddress[]): Promise<PortLease> {
    for (;;) {
      if (this.#isClosed) throw transportFailed("The media engine is closed.", "closed");
      for (const port of [this.#main, ...this.#extras]) {
        const lease = port.lease(ufrag, addresses);
        if (lease !== null) return lease;
      }
      this.#opening ??= this.#openExtra().finally(() => {
        this.#opening = null;
      });
      const opened = await this.#opening;
      // At once, so that it has a leg, and closes with it. Of several that wait, one may not get it: then once more.
      const lease = opened.lease(ufrag, addresses);
      if (lease !== null) return lease;
    }
  }

  /**
   * A place for a leg whose peer's addresses are known only now: the one that it has, if they are nobody else's there.
   * @throws {RingbackError} `MEDIA_ENGINE_FAILED`.
   */
  async extend(lease: PortLease, addresses: readonly TransportAddress[]): Promise<PortLease> {
    return lease.port.claimAll(lease, addresses) ? lease : this.lease(lease.ufrag, addresses);
  }

  stats(): TransportPortsStats {
    const total = [...this.#extras].reduce((sum, port) => add(sum, port.stats()), this.#past);
    return {
      ...add(total, this.#main.stats()),
      extraPorts: this.#extras.size,
      extraPortsOpened: this.#opened,
    };
  }

  /** Tells of each kind of failure once: it may well be one for each packet. */
  tell(code: string): void {
    if (this.#told.has(code) || this.#isClosed) return;
    this.#told.add(code);
    this.#options.logger.warn({ code }, "the system refused a datagram");
  }

  /** Idempotent. */
  async close(): Promise<void> {
    this.#isClosed = true;
    // One that is being opened closes itself then.
    const opening = this.#opening?.catch(() => {});
    await Promise.all([this.#main.close(), ...[...this.#extras].map((port) => port.close()), opening]);
  }

  async #openExtra(): Promise<TransportPort> {
    const { binding, extraPorts, logger } = this.#options;
    const port = await TransportPort.open({
      bind: (callbacks) =>
        extraPorts === null ? bindPort(binding, 0, callbacks) : bindPortOf(extraPorts, binding, callbacks),
      onError: (code) => this.tell(code),
      onEmpty: (empty) => this.#closeExtra(empty),
    });
    if (this.#isClosed) {
      await port.close();
      throw transportFailed("The media engine was closed.", "closed");
    }
    this.#extras.add(port);
    this.#opened += 1;
    if (this.#opened === 1) {
      logger.info(
        { port: port.number },
        "opened a further UDP port: two calls' peers have the same address and port, and tell them apart only by ours",
      );
    }
    return port;
  }

  #closeExtra(port: TransportPort): void {
    this.#extras.delete(port);
    this.#past = add(this.#past, port.stats());
    // A socket that is bound always closes.
    void port.close();
  }
}

function add(a: TransportPortStats, b: TransportPortStats): TransportPortStats {
  return {
    received: a.received + b.received,
    sent: a.sent + b.sent,
    sendsDropped: a.sendsDropped + b.sendsDropped,
    sendsFailed: a.sendsFailed + b.sendsFailed,
    unknownSenders: a.unknownSenders + b.unknownSenders,
  };
}
