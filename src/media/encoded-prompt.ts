/** Sound ready to be sent: one Opus packet per 20 ms. Shared by all calls that play it; never changed. */
export interface EncodedPrompt {
  readonly packetCount: number;
  /** Duration of the sound; the last packet is filled up with silence. */
  readonly durationMs: number;
  /** Memory that it takes, about. */
  readonly bytes: number;
  /** What all threads share of it. */
  readonly memory: PromptMemory;
  /** One packet, the same object each time; undefined behind the last. */
  packet(index: number): Uint8Array | undefined;
}

/** A prompt as it goes to another thread: no copy is made. */
export interface PromptMemory {
  /** The packets, one after the other. */
  readonly data: Uint8Array<SharedArrayBuffer>;
  /** Where each packet ends in `data`. */
  readonly ends: Uint32Array<SharedArrayBuffer>;
  readonly durationMs: number;
}

/** Where it ends, and a typed array object that points to it. */
const PACKET_OVERHEAD_BYTES = 124;

/** Copies packets into memory that threads share. */
export function packPrompt(packets: readonly Uint8Array[], durationMs: number): EncodedPrompt {
  const dataBytes = packets.reduce((sum, packet) => sum + packet.length, 0);
  const data = new Uint8Array(new SharedArrayBuffer(dataBytes));
  const ends = new Uint32Array(new SharedArrayBuffer(packets.length * Uint32Array.BYTES_PER_ELEMENT));
  let end = 0;
  packets.forEach((packet, index) => {
    data.set(packet, end);
    end += packet.length;
    ends[index] = end;
  });
  return openPrompt({ data, ends, durationMs });
}

/** The prompt that lies in memory which another thread has filled. */
export function openPrompt(memory: PromptMemory): EncodedPrompt {
  return new PackedPrompt(memory);
}

class PackedPrompt implements EncodedPrompt {
  readonly memory: PromptMemory;
  /** Each made when it is first played: thousands at once would hold up the calls. */
  readonly #views: (Uint8Array | undefined)[];

  constructor(memory: PromptMemory) {
    this.memory = memory;
    this.#views = new Array<Uint8Array | undefined>(memory.ends.length);
  }

  get packetCount(): number {
    return this.memory.ends.length;
  }

  get durationMs(): number {
    return this.memory.durationMs;
  }

  get bytes(): number {
    return this.memory.data.length + this.packetCount * PACKET_OVERHEAD_BYTES;
  }

  packet(index: number): Uint8Array | undefined {
    return this.#views[index] ?? this.#view(index);
  }

  #view(index: number): Uint8Array | undefined {
    const { data, ends } = this.memory;
    const end = ends[index];
    if (end === undefined) return undefined;
    const view = data.subarray(ends[index - 1] ?? 0, end);
    this.#views[index] = view;
    return view;
  }
}
