/** Steps in which the memory of a slot grows, so that VBR settles on one size. */
const SIZE_STEP_BYTES = 128;

/** A payload in memory that is used again and again. */
export interface RingPacket {
  /** The first `lengthBytes` of it are the payload; the rest is of others. */
  readonly bytes: Uint8Array;
  readonly lengthBytes: number;
  /** Without its wraps: it goes on beyond 32 bits. */
  readonly rtpTimestamp: number;
}

class Slot implements RingPacket {
  bytes: Uint8Array = new Uint8Array(SIZE_STEP_BYTES);
  lengthBytes = 0;
  rtpTimestamp = 0;

  fill(packet: Uint8Array, offset: number, lengthBytes: number): void {
    if (lengthBytes > this.bytes.length) {
      this.bytes = new Uint8Array(Math.ceil(lengthBytes / SIZE_STEP_BYTES) * SIZE_STEP_BYTES);
    }
    // `set` would need a view of the payload, an object per packet.
    for (let i = 0; i < lengthBytes; i += 1) this.bytes[i] = packet[offset + i] ?? 0;
    this.lengthBytes = lengthBytes;
  }
}

/**
 * Copies of packets by extended sequence number. It has memory for as many as were in it at a time, and allocates nothing
 * beyond that. Its user keeps the numbers within one capacity.
 */
export class PacketRing {
  readonly #slots: (Slot | null)[];
  readonly #free: Slot[] = [];
  #lent: Slot | null = null;
  #size = 0;

  constructor(capacity: number) {
    this.#slots = new Array<Slot | null>(capacity).fill(null);
  }

  get capacity(): number {
    return this.#slots.length;
  }

  get size(): number {
    return this.#size;
  }

  at(sequence: number): RingPacket | null {
    return this.#slots[sequence % this.#slots.length] ?? null;
  }

  /** Keeps a copy. The place must be empty. */
  put(sequence: number, packet: Uint8Array, offset: number, lengthBytes: number, rtpTimestamp: number): void {
    const slot = this.#free.pop() ?? new Slot();
    slot.fill(packet, offset, lengthBytes);
    slot.rtpTimestamp = rtpTimestamp;
    this.#slots[sequence % this.#slots.length] = slot;
    this.#size += 1;
  }

  /** Takes a packet out. It stays readable until the next one is taken out. */
  take(sequence: number): RingPacket | null {
    const index = sequence % this.#slots.length;
    const slot = this.#slots[index] ?? null;
    if (slot === null) return null;
    if (this.#lent !== null) this.#free.push(this.#lent);
    this.#lent = slot;
    this.#slots[index] = null;
    this.#size -= 1;
    return slot;
  }

  clear(): void {
    for (let index = 0; index < this.#slots.length; index += 1) this.take(index);
  }
}
