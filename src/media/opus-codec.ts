import {
  Application,
  createDecoder,
  createEncoder,
  type OpusDecoderHandle,
  type OpusEncoderHandle,
  Signal,
} from "libopus-wasm";
import { OPUS_CLOCK_RATE_HZ, SLOT_RTP_TICKS } from "./rtp-clock.ts";

/** WhatsApp's own offers ask for 20 kbit/s at most and 16 kHz; a little more keeps in-band FEC from costing quality. */
const BITRATE_BPS = 24_000;
/** Loss that the encoder prepares for with in-band FEC (RFC 6716 §2.1.7). */
const EXPECTED_LOSS_PERCENT = 10;
/** RFC 6716 §3.4 R3: at most 1275 bytes a frame. */
const MAX_PACKET_BYTES = 1275;

export interface OpusEncoderOptions {
  /** 0-10. Default 10, best quality, for prompts that are encoded once; live audio takes 5. */
  readonly complexity?: number;
}

/** Encodes speech: mono, 48 kHz, 20 ms a packet. */
export class OpusEncoder {
  readonly #handle: OpusEncoderHandle;
  /** Samples by which the decoded audio lags behind; this much more input brings out the rest. */
  readonly lookaheadSamples: number;

  private constructor(handle: OpusEncoderHandle) {
    this.#handle = handle;
    this.lookaheadSamples = handle.getLookahead();
  }

  static async create(options: OpusEncoderOptions = {}): Promise<OpusEncoder> {
    const handle = await createEncoder({
      channels: 1,
      sampleRate: OPUS_CLOCK_RATE_HZ,
      frameSize: SLOT_RTP_TICKS,
      application: Application.Voip,
      signal: Signal.Voice,
      bitrate: BITRATE_BPS,
      complexity: options.complexity ?? 10,
      fec: true,
      packetLossPercent: EXPECTED_LOSS_PERCENT,
    });
    return new OpusEncoder(handle);
  }

  /** @param samples 960 samples of -1 to 1. @returns A packet of its own memory. */
  encode(samples: Float32Array): Uint8Array {
    return this.#handle.encodeFloat(samples, { maxPacketBytes: MAX_PACKET_BYTES });
  }

  /** Frees native memory. Once. */
  close(): void {
    this.#handle.free();
  }
}

/** Decodes to mono at 48 kHz. */
export class OpusDecoder {
  readonly #handle: OpusDecoderHandle;

  private constructor(handle: OpusDecoderHandle) {
    this.#handle = handle;
  }

  static async create(): Promise<OpusDecoder> {
    return new OpusDecoder(await createDecoder({ channels: 1, sampleRate: OPUS_CLOCK_RATE_HZ }));
  }

  /** @returns The samples, -1 to 1; null when the packet is no Opus. */
  decode(packet: Uint8Array): Float32Array | null {
    if (packet.length === 0) return null;
    try {
      return this.#handle.decodeFloat(packet);
    } catch {
      // Network input: libopus found the packet malformed.
      return null;
    }
  }

  /** Frees native memory. Once. */
  close(): void {
    this.#handle.free();
  }
}
