import {
  Application,
  createDecoder,
  createEncoder,
  isOpusError,
  loadLibopus,
  type OpusDecoderHandle,
  type OpusEncoderHandle,
  Signal,
} from "libopus-wasm";
import { OPUS_CLOCK_RATE_HZ, RTP_SLOT_MS } from "./rtp-clock.ts";

/** Rates that Opus encodes from and decodes to by itself, whatever the other side does. */
export type OpusRateHz = 8000 | 16000 | 24000 | 48000;

/** WhatsApp's own offers ask for 20 kbit/s at most and 16 kHz; a little more keeps in-band FEC from costing quality. */
const BITRATE_BPS = 24_000;
/** Loss that the encoder prepares for with in-band FEC (RFC 6716 §2.1.7). */
const EXPECTED_LOSS_PERCENT = 10;
/** RFC 6716 §3.4 R3: at most 1275 bytes a frame. */
const ENCODE_OPTIONS = { maxPacketBytes: 1275 } as const;

/**
 * Compiles libopus for this thread. From then on a codec is there within the turn of the event loop that asks for it; whoever
 * does not call this pays with the first codec.
 */
export async function loadOpus(): Promise<void> {
  await loadLibopus();
}

/** Samples of one 20 ms packet. */
export function slotSamples(rateHz: OpusRateHz): number {
  return (rateHz * RTP_SLOT_MS) / 1000;
}

export interface OpusEncoderOptions {
  /** Of the samples. Default 48,000. */
  readonly rateHz?: OpusRateHz;
  /** 0-10. Default 5, for live audio; 10 for what is encoded once. */
  readonly complexity?: number;
}

/** Encodes speech: mono, 20 ms a packet, with FEC. */
export class OpusEncoder {
  readonly #handle: OpusEncoderHandle;
  /** Samples by which the decoded audio lags behind; this much more input brings out the rest. */
  readonly lookaheadSamples: number;

  private constructor(handle: OpusEncoderHandle) {
    this.#handle = handle;
    this.lookaheadSamples = handle.getLookahead();
  }

  static async create(options: OpusEncoderOptions = {}): Promise<OpusEncoder> {
    const rateHz = options.rateHz ?? OPUS_CLOCK_RATE_HZ;
    const handle = await createEncoder({
      channels: 1,
      sampleRate: rateHz,
      frameSize: slotSamples(rateHz),
      application: Application.Voip,
      signal: Signal.Voice,
      bitrate: BITRATE_BPS,
      complexity: options.complexity ?? 5,
      fec: true,
      packetLossPercent: EXPECTED_LOSS_PERCENT,
    });
    return new OpusEncoder(handle);
  }

  /** @param samples 20 ms: floats of -1 to 1, or 16 bits. @returns A packet of its own memory. */
  encode(samples: Float32Array | Int16Array): Uint8Array {
    if (samples instanceof Int16Array) return this.#handle.encode(samples, ENCODE_OPTIONS);
    return this.#handle.encodeFloat(samples, ENCODE_OPTIONS);
  }

  /** Frees native memory. Once. */
  close(): void {
    this.#handle.free();
  }
}

export interface OpusDecoderOptions {
  /** Of the samples. Default 48,000. */
  readonly rateHz?: OpusRateHz;
}

/** Decodes one stream to mono. The samples that it gives are their caller's. */
export class OpusDecoder {
  readonly #handle: OpusDecoderHandle;
  /** Of `conceal` and `restore`: one for all packets, as their length hardly ever changes. */
  readonly #gap = { frameSize: 0, decodeFec: false };

  private constructor(handle: OpusDecoderHandle) {
    this.#handle = handle;
  }

  static async create(options: OpusDecoderOptions = {}): Promise<OpusDecoder> {
    const sampleRate = options.rateHz ?? OPUS_CLOCK_RATE_HZ;
    return new OpusDecoder(await createDecoder({ channels: 1, sampleRate }));
  }

  /** @returns As many samples as the packet has, up to 120 ms; null when it is no Opus. */
  decode(packet: Uint8Array): Int16Array | null {
    if (packet.length === 0) return null;
    try {
      return this.#handle.decode(packet);
    } catch (error) {
      return nullIfMalformed(error);
    }
  }

  /**
   * Goes on in place of a packet that is missing.
   *
   * @param sampleCount 2.5 to 120 ms, a multiple of 2.5 ms.
   */
  conceal(sampleCount: number): Int16Array {
    this.#gap.frameSize = sampleCount;
    this.#gap.decodeFec = false;
    return this.#handle.decode(null, this.#gap);
  }

  /**
   * The same with what the packet right behind the missing one says of it (in-band FEC, RFC 6716 §2.1.7); where it says nothing,
   * as well as `conceal`. `decode` of that packet comes next.
   *
   * @returns Null when the packet is no Opus.
   */
  restore(following: Uint8Array, sampleCount: number): Int16Array | null {
    if (following.length === 0) return null;
    this.#gap.frameSize = sampleCount;
    this.#gap.decodeFec = true;
    try {
      return this.#handle.decode(following, this.#gap);
    } catch (error) {
      return nullIfMalformed(error);
    }
  }

  /** Frees native memory. Once. */
  close(): void {
    this.#handle.free();
  }
}

/** Network input may be anything: libopus says so in its own errors. Any other fault is ours. */
function nullIfMalformed(error: unknown): null {
  if (isOpusError(error)) return null;
  throw error;
}
