import { OpusEncoder } from "./opus-codec.ts";
import { OPUS_CLOCK_RATE_HZ, SLOT_RTP_TICKS } from "./rtp-clock.ts";
import type { WorkSlices } from "./work-slices.ts";

/** Sound ready to be sent: one Opus packet per 20 ms. Shared by all calls that play it; never changed. */
export interface EncodedPrompt {
  readonly packets: readonly Uint8Array[];
  /** Duration of the sound; the last packet is filled up with silence. */
  readonly durationMs: number;
  /** Memory that it takes, about. */
  readonly bytes: number;
}

/** Packets lie side by side in blocks: an `ArrayBuffer` each would cost more than what is in it. */
const BLOCK_BYTES = 65_536;
/** A typed array object that points into a block. */
const PACKET_OVERHEAD_BYTES = 120;

/** Encodes mono samples at 48 kHz as they come. */
export class PromptEncoder {
  readonly #encoder: OpusEncoder;
  readonly #slices: WorkSlices;
  readonly #frame = new Float32Array(SLOT_RTP_TICKS);
  readonly #packets: Uint8Array[] = [];
  #frameSamples = 0;
  #samples = 0;
  #bytes = 0;
  #block = new Uint8Array(0);
  #blockUsed = 0;

  private constructor(encoder: OpusEncoder, slices: WorkSlices) {
    this.#encoder = encoder;
    this.#slices = slices;
  }

  static async create(slices: WorkSlices): Promise<PromptEncoder> {
    return new PromptEncoder(await OpusEncoder.create(), slices);
  }

  get durationMs(): number {
    return (this.#samples * 1000) / OPUS_CLOCK_RATE_HZ;
  }

  async write(samples: Float32Array): Promise<void> {
    this.#samples += samples.length;
    await this.#append(samples);
  }

  /** The end of the sound. */
  async finish(): Promise<EncodedPrompt> {
    const durationMs = this.durationMs;
    // The encoder's delay would keep the last few ms for itself.
    await this.#append(new Float32Array(this.#encoder.lookaheadSamples));
    if (this.#frameSamples > 0) await this.#append(new Float32Array(SLOT_RTP_TICKS - this.#frameSamples));
    return { packets: this.#packets, durationMs, bytes: this.#bytes };
  }

  /** Frees native memory. */
  close(): void {
    this.#encoder.close();
  }

  async #append(samples: Float32Array): Promise<void> {
    let offset = 0;
    while (offset < samples.length) {
      const taken = Math.min(SLOT_RTP_TICKS - this.#frameSamples, samples.length - offset);
      this.#frame.set(samples.subarray(offset, offset + taken), this.#frameSamples);
      this.#frameSamples += taken;
      offset += taken;
      if (this.#frameSamples < SLOT_RTP_TICKS) return;
      this.#frameSamples = 0;
      if (this.#slices.isSpent) await this.#slices.next();
      this.#store(this.#encoder.encode(this.#frame));
    }
  }

  #store(packet: Uint8Array): void {
    if (this.#blockUsed + packet.length > this.#block.length) {
      this.#block = new Uint8Array(BLOCK_BYTES);
      this.#blockUsed = 0;
    }
    this.#block.set(packet, this.#blockUsed);
    this.#packets.push(this.#block.subarray(this.#blockUsed, this.#blockUsed + packet.length));
    this.#blockUsed += packet.length;
    this.#bytes += packet.length + PACKET_OVERHEAD_BYTES;
  }
}
