/** RFC 6716 §3.4: no frame of an Opus packet is longer. */
const MAX_PACKET_BYTES = 1275;
/** A power of two, so that the counters may wrap. At 20 ms a packet, 320 ms. */
const SLOTS = 16;
const WRITTEN = 0;
const READ = 1;
const LENGTHS = 2;
const HEAD_BYTES = (LENGTHS + SLOTS) * Int32Array.BYTES_PER_ELEMENT;

/** Memory of one ring, to be given to both of its ends. */
export type PacketRingMemory = SharedArrayBuffer;

export function createPacketRingMemory(): PacketRingMemory {
  return new SharedArrayBuffer(HEAD_BYTES + SLOTS * MAX_PACKET_BYTES);
}

/**
 * Takes packets from one thread to another, or within one: one writer, one reader, no lock, no message, nothing allocated
 * but a view per packet.
 */
export class SharedPacketRing {
  /** Packets that did not fit, or are longer than an Opus packet. */
  dropped = 0;
  readonly #head: Int32Array;
  readonly #bytes: Uint8Array;

  constructor(memory: PacketRingMemory) {
    this.#head = new Int32Array(memory, 0, LENGTHS + SLOTS);
    this.#bytes = new Uint8Array(memory, HEAD_BYTES);
  }

  /** Packets that wait. */
  get size(): number {
    return (Atomics.load(this.#head, WRITTEN) - Atomics.load(this.#head, READ)) | 0;
  }

  /** The writer's: copies a packet in. An empty one is a packet, too. */
  write(bytes: Uint8Array, lengthBytes: number): void {
    if (this.size >= SLOTS || lengthBytes > MAX_PACKET_BYTES) {
      this.dropped += 1;
      return;
    }
    const written = Atomics.load(this.#head, WRITTEN);
    const slot = written & (SLOTS - 1);
    const start = slot * MAX_PACKET_BYTES;
    for (let i = 0; i < lengthBytes; i += 1) this.#bytes[start + i] = bytes[i] ?? 0;
    this.#head[LENGTHS + slot] = lengthBytes;
    Atomics.store(this.#head, WRITTEN, (written + 1) | 0);
  }

  /** The reader's: the oldest packet; null when none waits. Valid until 15 more are written. */
  read(): Uint8Array | null {
    if (this.size === 0) return null;
    const read = Atomics.load(this.#head, READ);
    const slot = read & (SLOTS - 1);
    const start = slot * MAX_PACKET_BYTES;
    const packet = this.#bytes.subarray(start, start + (this.#head[LENGTHS + slot] ?? 0));
    Atomics.store(this.#head, READ, (read + 1) | 0);
    return packet;
  }
}
