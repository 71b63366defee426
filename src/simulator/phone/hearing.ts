import { createDecoder, type OpusDecoderHandle } from "libopus-wasm";

const SAMPLE_RATE_HZ = 48_000;
const FRAME_SAMPLES = 960;
/** RFC 6716 §3.2.5: no packet is longer than 120 ms. */
const MAX_PACKET_SAMPLES = 5760;
/** RFC 6716 §3.4: no frame is longer than 1275 bytes; a call's packets have some 60. */
const MAX_PACKET_BYTES = 1275;
const FIRST_CAPACITY_BYTES = 16_384;
/** Opus' own silence, wideband 20 ms: what a decoder is fed until it has forgotten the audio before. */
const SILENT_PACKET = Uint8Array.from([0x48, 0x07, 0xc9, 0x79, 0xc8, 0xc9, 0x57, 0xc0]);
const FORGET_PACKETS = 5;

let shared: Promise<OpusDecoderHandle> | null = null;

/** One decoder for all phones: a recording is decoded from its start to its end in one go. */
export function sharedDecoder(): Promise<OpusDecoderHandle> {
  shared ??= createDecoder({ channels: 1, sampleRate: SAMPLE_RATE_HZ }).catch((error: unknown) => {
    shared = null;
    throw error;
  });
  return shared;
}

/**
 * Keeps the Opus packets that came in and decodes them when somebody asks: decoding along would cost
 * more than all the rest of the phone.
 */
export class Hearing {
  readonly #decoder: OpusDecoderHandle;
  readonly #maxSamples: number;
  /** The payloads, one after another. */
  #bytes: Uint8Array = new Uint8Array(FIRST_CAPACITY_BYTES);
  #usedBytes = 0;
  /** Three numbers a packet: position in samples, offset into `#bytes`, length. */
  readonly #index: number[] = [];
  #ssrc: number | null = null;
  #lastTimestamp = 0;
  #lastPosition = -FRAME_SAMPLES;
  #decoded: Int16Array | null = null;

  constructor(decoder: OpusDecoderHandle, keepAudioMs: number) {
    this.#decoder = decoder;
    this.#maxSamples = Math.round((keepAudioMs * SAMPLE_RATE_HZ) / 1000);
  }

  /** Keeps a copy of the payload at its place by timestamp. Beyond `keepAudioMs` nothing is kept. */
  add(ssrc: number, timestamp: number, bytes: Uint8Array, start: number, end: number): void {
    const payloadBytes = end - start;
    const position = this.#place(ssrc, timestamp);
    if (payloadBytes === 0 || payloadBytes > MAX_PACKET_BYTES) return;
    if (position < 0 || position + FRAME_SAMPLES > this.#maxSamples) return;
    if (this.#index.length / 3 >= this.#maxSamples / FRAME_SAMPLES) return;
    this.#reserve(payloadBytes);
    for (let i = 0; i < payloadBytes; i += 1) this.#bytes[this.#usedBytes + i] = bytes[start + i] ?? 0;
    this.#index.push(position, this.#usedBytes, payloadBytes);
    this.#usedBytes += payloadBytes;
    this.#decoded = null;
  }

  /** 48 kHz mono; what was lost is silence. Not to be written to: it is kept until more comes in. */
  pcm(): Int16Array {
    this.#decoded ??= this.#decode();
    return this.#decoded;
  }

  /** A new SSRC goes on where the one before stopped: its timestamps start anywhere. */
  #place(ssrc: number, timestamp: number): number {
    if (ssrc === this.#ssrc) {
      const position = this.#lastPosition + ((timestamp - this.#lastTimestamp) | 0);
      // A late packet is placed, but the next one is still measured from the furthest.
      if (position < this.#lastPosition) return position;
      this.#lastPosition = position;
    } else {
      this.#ssrc = ssrc;
      this.#lastPosition += FRAME_SAMPLES;
    }
    this.#lastTimestamp = timestamp;
    return this.#lastPosition;
  }

  #reserve(moreBytes: number): void {
    if (this.#usedBytes + moreBytes <= this.#bytes.length) return;
    const larger = new Uint8Array(this.#bytes.length * 2);
    larger.set(this.#bytes);
    this.#bytes = larger;
  }

  #decode(): Int16Array {
    const order = Array.from({ length: this.#index.length / 3 }, (_, i) => i);
    order.sort((a, b) => this.#at(a * 3) - this.#at(b * 3));
    const last = order.at(-1);
    if (last === undefined) return new Int16Array(0);
    const pcm = new Int16Array(Math.min(this.#maxSamples, this.#at(last * 3) + MAX_PACKET_SAMPLES));
    for (let i = 0; i < FORGET_PACKETS; i += 1) this.#decodePacket(SILENT_PACKET);
    let end = 0;
    for (const packet of order) {
      const position = this.#at(packet * 3);
      const offset = this.#at(packet * 3 + 1);
      const frame = this.#decodePacket(this.#bytes.subarray(offset, offset + this.#at(packet * 3 + 2)));
      const fitting = frame.subarray(0, Math.max(0, pcm.length - position));
      pcm.set(fitting, position);
      end = Math.max(end, position + fitting.length);
    }
    return pcm.slice(0, end);
  }

  #at(index: number): number {
    return this.#index[index] ?? 0;
  }

  /** A packet that is no Opus is silence. */
  #decodePacket(packet: Uint8Array): Int16Array {
    try {
      return this.#decoder.decode(packet);
    } catch {
      return new Int16Array(FRAME_SAMPLES);
    }
  }
}
