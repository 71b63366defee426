import { type EncodedPrompt, packPrompt } from "./encoded-prompt.ts";
import { OpusEncoder } from "./opus-codec.ts";
import { OPUS_CLOCK_RATE_HZ, SLOT_RTP_TICKS } from "./rtp-clock.ts";
import type { WorkSlices } from "./work-slices.ts";

/** Edges are faded over 5 ms: a file that begins or ends within a wave would click. */
const FADE_SAMPLES = OPUS_CLOCK_RATE_HZ / 200;

/** Encodes mono samples at 48 kHz as they come. */
export class PromptEncoder {
  readonly #encoder: OpusEncoder;
  readonly #slices: WorkSlices;
  readonly #gain: number;
  readonly #packets: Uint8Array[] = [];
  /** The frame being filled, and the one before it: it may turn out to hold the end of the sound, which fades out. */
  #frame = new Float32Array(SLOT_RTP_TICKS);
  #former = new Float32Array(SLOT_RTP_TICKS);
  #hasFormer = false;
  #frameSamples = 0;
  #samples = 0;

  private constructor(encoder: OpusEncoder, slices: WorkSlices, gain: number) {
    this.#encoder = encoder;
    this.#slices = slices;
    this.#gain = gain;
  }

  /** @param gain Factor of the amplitude; what it makes too loud is cut off. */
  static async create(slices: WorkSlices, gain: number): Promise<PromptEncoder> {
    return new PromptEncoder(await OpusEncoder.create({ complexity: 10 }), slices, gain);
  }

  get durationMs(): number {
    return (this.#samples * 1000) / OPUS_CLOCK_RATE_HZ;
  }

  async write(samples: Float32Array): Promise<void> {
    this.#samples += samples.length;
    await this.#append(samples, this.#gain);
  }

  /** The end of the sound. */
  async finish(): Promise<EncodedPrompt> {
    const durationMs = this.durationMs;
    this.#fadeOut();
    // The encoder's delay would keep the last few ms for itself.
    await this.#append(new Float32Array(this.#encoder.lookaheadSamples), 1);
    if (this.#frameSamples > 0) await this.#append(new Float32Array(SLOT_RTP_TICKS - this.#frameSamples), 1);
    if (this.#hasFormer) await this.#encode(this.#former);
    return packPrompt(this.#packets, durationMs);
  }

  /** Frees native memory. */
  close(): void {
    this.#encoder.close();
  }

  async #append(samples: Float32Array, gain: number): Promise<void> {
    let offset = 0;
    while (offset < samples.length) {
      const taken = Math.min(SLOT_RTP_TICKS - this.#frameSamples, samples.length - offset);
      for (let i = 0; i < taken; i += 1) {
        this.#frame[this.#frameSamples + i] = bounded((samples[offset + i] ?? 0) * gain);
      }
      this.#frameSamples += taken;
      offset += taken;
      if (this.#frameSamples < SLOT_RTP_TICKS) return;
      await this.#turnFrame();
    }
  }

  async #turnFrame(): Promise<void> {
    if (this.#hasFormer) await this.#encode(this.#former);
    else fade(this.#frame, 0, 1);
    [this.#former, this.#frame] = [this.#frame, this.#former];
    this.#hasFormer = true;
    this.#frameSamples = 0;
  }

  async #encode(frame: Float32Array): Promise<void> {
    if (this.#slices.isSpent) await this.#slices.next();
    this.#packets.push(this.#encoder.encode(frame));
  }

  /** The last samples lie in the frame being filled and, where it has too few of them, in the one before. */
  #fadeOut(): void {
    fade(this.#frame, this.#frameSamples - 1, -1);
    if (this.#hasFormer) fade(this.#former, SLOT_RTP_TICKS - 1 + this.#frameSamples, -1);
  }
}

/** Scales what lies within 5 ms of `edge`, inward from it; an edge outside of the frame counts, too. */
function fade(frame: Float32Array, edge: number, direction: 1 | -1): void {
  for (let distance = 0; distance < FADE_SAMPLES; distance += 1) {
    const index = edge + direction * distance;
    if (index >= 0 && index < frame.length) frame[index] = ((frame[index] ?? 0) * distance) / FADE_SAMPLES;
  }
}

function bounded(sample: number): number {
  return Math.max(-1, Math.min(1, sample));
}
