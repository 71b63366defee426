import { isSameAddress, type TransportAddress } from "../address.ts";

/** A peer has one or two, and one more for each time that its NAT gives it another. */
export const MAX_PEER_ADDRESSES = 16;

/** The addresses that authenticated messages have proved to be the peer's, oldest first. */
export class PeerAddresses {
  readonly #addresses: TransportAddress[] = [];

  has(address: TransportAddress): boolean {
    for (const known of this.#addresses) if (isSameAddress(known, address)) return true;
    return false;
  }

  /**
   * Adds an address that is not there. When there is no room, the oldest goes, but never `keep`.
   *
   * @returns The address that had to go, null when there was room.
   */
  add(address: TransportAddress, keep: TransportAddress | null): TransportAddress | null {
    const isFull = this.#addresses.length === MAX_PEER_ADDRESSES;
    this.#addresses.push(address);
    if (!isFull) return null;
    const oldest = this.#addresses[0];
    const isKept = keep !== null && oldest !== undefined && isSameAddress(keep, oldest);
    return this.#addresses.splice(isKept ? 1 : 0, 1)[0] ?? null;
  }
}
