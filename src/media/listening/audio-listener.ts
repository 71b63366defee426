import { OpusDecoder, type OpusRateHz, slotSamples } from "../opus-codec.ts";
import { OPUS_CLOCK_RATE_HZ } from "../rtp-clock.ts";
import type { OrderedConsumer, OrderedFrame } from "./ordered-audio.ts";
import { copyPayload } from "./payload-copy.ts";

export interface AudioListenerOptions {
  readonly rateHz: OpusRateHz;
  /** 20 ms of mono, each slot from the first packet on. The samples are valid only during the call. */
  readonly onSamples: (samples: Int16Array) => void;
  /** There is no decoder, it broke down, or `onSamples` threw: nothing more comes. Must not throw itself. */
  readonly onFailed: (error: unknown) => void;
}

export interface AudioListenerStats {
  readonly packetsDecoded: number;
  readonly packetsMalformed: number;
  /** Lost packets that the one behind them was asked about. */
  readonly packetsRestored: number;
  /** What the decoder has made up, in ms, and what is silence because it did not go on making it up. */
  readonly concealedMs: number;
  readonly silentMs: number;
  /** Packets that came before there was a decoder. */
  readonly packetsUndecoded: number;
}

/** What the decoder goes on with by itself: beyond that it is a drone, and costs as much as speech. */
const MAX_CONCEALED_MS = 100;
/** The longest packet, behind what one of them may have left over. */
const CAPACITY_SLOTS = 7;

/**
 * Decodes a call's audio to an even stream: exactly 20 ms of samples per slot from the first packet on, whatever is lost or
 * late. Lost packets are restored by FEC where the following one is there; else the decoder conceals them, and pauses too, for
 * 100 ms; then there is silence.
 *
 * What comes before the decoder is there is left out.
 */
export class AudioListener implements OrderedConsumer {
  readonly #options: AudioListenerOptions;
  readonly #slotSamples: number;
  /** Decoded and not given out yet. */
  readonly #samples: Int16Array;
  readonly #slot: Int16Array;
  #sampleCount = 0;
  #decoder: OpusDecoder | null = null;
  #fault: { readonly error: unknown } | null = null;
  #isClosed = false;
  #hasBegun = false;
  /** Since the last packet. */
  #madeUpSamples = 0;
  #decoded = 0;
  #malformed = 0;
  #restored = 0;
  #concealedSamples = 0;
  #silentSamples = 0;
  #undecoded = 0;

  constructor(options: AudioListenerOptions) {
    this.#options = options;
    this.#slotSamples = slotSamples(options.rateHz);
    this.#samples = new Int16Array(this.#slotSamples * CAPACITY_SLOTS);
    this.#slot = this.#samples.subarray(0, this.#slotSamples);
    OpusDecoder.create({ rateHz: options.rateHz }).then(
      (decoder) => {
        if (this.#isClosed) decoder.close();
        else this.#decoder = decoder;
      },
      (error: unknown) => {
        // Told in the next slot, where all faults are told.
        this.#fault = { error };
      },
    );
  }

  onFrame(frame: OrderedFrame): void {
    if (this.#decoder === null) {
      this.#undecoded += 1;
      return;
    }
    const samples = this.#decoder.decode(copyOf(frame));
    if (samples === null) {
      // Its slot is concealed like a lost one's.
      this.#malformed += 1;
      return;
    }
    this.#decoded += 1;
    this.#hasBegun = true;
    this.#madeUpSamples = 0;
    this.#append(samples);
  }

  onLost(rtpTicks: number, following: OrderedFrame | null): void {
    if (this.#decoder === null || !this.#hasBegun) return;
    const sampleCount = (rtpTicks * this.#options.rateHz) / OPUS_CLOCK_RATE_HZ;
    const restored = following === null ? null : this.#decoder.restore(copyOf(following), sampleCount);
    if (restored === null) {
      this.#makeUp(sampleCount);
      return;
    }
    this.#restored += 1;
    this.#append(restored);
  }

  onSlotEnd(): void {
    if (this.#fault !== null) throw this.#fault.error;
    if (!this.#hasBegun || this.#isClosed) return;
    if (this.#sampleCount < this.#slotSamples) this.#makeUp(this.#slotSamples - this.#sampleCount);
    this.#options.onSamples(this.#slot);
    this.#samples.copyWithin(0, this.#slotSamples, this.#sampleCount);
    this.#sampleCount -= this.#slotSamples;
  }

  onFailed(error: unknown): void {
    const isNews = !this.#isClosed;
    this.close();
    if (isNews) this.#options.onFailed(error);
  }

  stats(): AudioListenerStats {
    return {
      packetsDecoded: this.#decoded,
      packetsMalformed: this.#malformed,
      packetsRestored: this.#restored,
      concealedMs: this.#toMs(this.#concealedSamples),
      silentMs: this.#toMs(this.#silentSamples),
      packetsUndecoded: this.#undecoded,
    };
  }

  /** Frees native memory. Idempotent. Whoever has added it to `OrderedAudio` takes it out there. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#decoder?.close();
    this.#decoder = null;
  }

  /** Goes on without a packet: as the decoder thinks best at first, then silently. */
  #makeUp(sampleCount: number): void {
    const left = Math.max(0, this.#maxMadeUpSamples - this.#madeUpSamples);
    const concealed = Math.min(sampleCount, left);
    if (concealed > 0 && this.#decoder !== null) {
      const samples = this.#decoder.conceal(concealed);
      if (concealed === left) fadeOut(samples);
      this.#append(samples);
      this.#concealedSamples += concealed;
    }
    const silent = sampleCount - concealed;
    this.#samples.fill(0, this.#sampleCount, this.#sampleCount + silent);
    this.#sampleCount += silent;
    this.#silentSamples += silent;
    this.#madeUpSamples += sampleCount;
  }

  /** It fits: packets come only when what was left over is less than a slot. */
  #append(samples: Int16Array): void {
    this.#samples.set(samples, this.#sampleCount);
    this.#sampleCount += samples.length;
  }

  get #maxMadeUpSamples(): number {
    return (this.#options.rateHz * MAX_CONCEALED_MS) / 1000;
  }

  #toMs(sampleCount: number): number {
    return (sampleCount * 1000) / this.#options.rateHz;
  }
}

function copyOf(frame: OrderedFrame): Uint8Array {
  return copyPayload(frame.bytes, 0, frame.lengthBytes);
}

function fadeOut(samples: Int16Array): void {
  for (let i = 0; i < samples.length; i += 1) samples[i] = (samples[i] ?? 0) * (1 - i / samples.length);
}
