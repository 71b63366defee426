import { isSameAddress, type TransportAddress } from "../address.ts";
import type { IceEndReason, IceSink, IceStats } from "./ice-agent.ts";
import { PeerAddresses } from "./peer-addresses.ts";

/** Without a pair for this long, it ends. The last wait for the first check's answer is over after 39.5 s. */
export const GIVE_UP_MS = 40_000;

/**
 * What is known of the way to the peer, and the only door to the sink.
 * A sink may close the agent in the middle of anything: after that, nothing goes through.
 */
export class PeerLink {
  readonly stats: IceStats = { checksSent: 0, checksReceived: 0, responsesReceived: 0, dropped: 0 };
  readonly #sink: IceSink;
  readonly #addresses = new PeerAddresses();
  #selected: TransportAddress | null = null;
  #isClosed = false;

  constructor(sink: IceSink) {
    this.#sink = sink;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  get selected(): TransportAddress | null {
    return this.#selected;
  }

  isPeer(from: TransportAddress): boolean {
    const selected = this.#selected;
    if (selected !== null && selected.port === from.port && selected.address === from.address) return true;
    return this.#addresses.has(from);
  }

  sendStun(message: Uint8Array, to: TransportAddress): void {
    if (!this.#isClosed) this.#sink.sendStun(message, to);
  }

  /** An authenticated message came from there. */
  prove(at: TransportAddress): void {
    if (this.#isClosed || this.isPeer(at)) return;
    const address = { address: at.address, port: at.port };
    const forgotten = this.#addresses.add(address, this.#selected);
    if (forgotten !== null) this.#sink.onPeerAddressForgotten?.(forgotten);
    this.#sink.onPeerAddress(address);
  }

  /** Media goes there, to an address that is proved. */
  select(to: TransportAddress): void {
    if (this.#isClosed || (this.#selected !== null && isSameAddress(this.#selected, to))) return;
    this.#selected = { address: to.address, port: to.port };
    this.#sink.onSelected(this.#selected);
  }

  end(reason: IceEndReason): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#sink.onEnd(reason);
  }

  close(): void {
    this.#isClosed = true;
  }
}
