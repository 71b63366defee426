import { type EncodedPrompt, packPrompt } from "./encoded-prompt.ts";
import { OpusEncoder } from "./opus-codec.ts";
import { OPUS_CLOCK_RATE_HZ, SLOT_RTP_TICKS } from "./rtp-clock.ts";
import type { WorkSlices } from "./work-slices.ts";

/** Encodes mono samples at 48 kHz as they come. */
export class PromptEncoder {
  readonly #encoder: OpusEncoder;
  readonly #slices: WorkSlices;
  readonly #frame = new Float32Array(SLOT_RTP_TICKS);
  readonly #packets: Uint8Array[] = [];
  #frameSamples = 0;
  #samples = 0;

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
    return packPrompt(this.#packets, durationMs);
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
      this.#packets.push(this.#encoder.encode(this.#frame));
    }
  }
}
