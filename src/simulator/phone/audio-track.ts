import { createDecoder, type OpusDecoderHandle } from "libopus-wasm";
import { levelDbfs } from "./level.ts";

const SAMPLE_RATE_HZ = 48_000;
const SAMPLES_PER_MS = 48;
const FRAME_SAMPLES = 960;
/** RFC 6716 §3.2.5: no packet is longer than 120 ms. */
const MAX_PACKET_SAMPLES = 5760;
/** RFC 6716 §3.4: no frame is longer than 1275 bytes; a call's packets have some 60. */
const MAX_PACKET_BYTES = 1275;
const FIRST_CAPACITY_BYTES = 16_384;
/** A packet that others overtook may belong this far before the first one that came. */
const MAX_BEFORE_FIRST_SAMPLES = 48_000;
/** Opus' own silence, wideband 20 ms: what a decoder is fed until it has forgotten the audio before. */
const SILENT_PACKET = Uint8Array.from([0x48, 0x07, 0xc9, 0x79, 0xc8, 0xc9, 0x57, 0xc0]);
const FORGET_PACKETS = 5;
/** Numbers in the index for each packet. */
const FIELDS = 5;
const FIELD = { position: 0, offset: 1, length: 2, atMs: 3, timestamp: 4 } as const;

let shared: Promise<OpusDecoderHandle> | null = null;

/** One decoder for all phones: a recording is decoded from its start to its end in one go. */
export function sharedDecoder(): Promise<OpusDecoderHandle> {
  shared ??= createDecoder({ channels: 1, sampleRate: SAMPLE_RATE_HZ }).catch((error: unknown) => {
    shared = null;
    throw error;
  });
  return shared;
}

/** An audio packet that the phone heard. */
export interface HeardPacket {
  /** Monotonic ms, as in the call's timeline. */
  readonly arrivedAtMs: number;
  readonly rtpTimestamp: number;
  /** Where it begins in `heardPcm`, in samples. */
  readonly sample: number;
  /** Mean level of its 20 ms: 0 is a full-scale square, -100 and below is silence. */
  readonly levelDbfs: number;
}

/** A packet's audio, in the order of its place. */
export interface TrackFrame {
  readonly pcm: Int16Array;
  /** In samples of the track. */
  readonly sample: number;
  readonly atMs: number;
  readonly rtpTimestamp: number;
}

/**
 * The Opus packets of one direction, each at its place by RTP timestamp. They are decoded when somebody asks: decoding along
 * would cost more than all the rest of the phone.
 */
export class AudioTrack {
  readonly #decoder: OpusDecoderHandle;
  readonly #maxSamples: number;
  /** The payloads, one after another. */
  #bytes: Uint8Array = new Uint8Array(FIRST_CAPACITY_BYTES);
  #usedBytes = 0;
  /** `FIELDS` numbers a packet, see `FIELD`. Positions count in samples from the packet that came first. */
  readonly #index: number[] = [];
  #ssrc: number | null = null;
  #lastTimestamp = 0;
  #lastPosition = -FRAME_SAMPLES;
  #firstPosition = 0;
  /** When the sample at position 0 came or, by the packets that were on their way for the shortest time, should have come. */
  #zeroAtMs = Number.POSITIVE_INFINITY;
  #decoded: Int16Array | null = null;

  constructor(decoder: OpusDecoderHandle, keepAudioMs: number) {
    this.#decoder = decoder;
    this.#maxSamples = Math.round((keepAudioMs * SAMPLE_RATE_HZ) / 1000);
  }

  /** When sample 0 of `pcm` came, see `#zeroAtMs`: monotonic ms. Null: no packet is kept. */
  get startMs(): number | null {
    if (this.#index.length === 0) return null;
    return this.#zeroAtMs + this.#firstPosition / SAMPLES_PER_MS;
  }

  /**
   * Keeps a copy of the payload at its place by timestamp. Beyond `keepAudioMs` nothing is kept.
   * @returns The place in ms, from the packet that came first.
   */
  add(ssrc: number, timestamp: number, bytes: Uint8Array, start: number, end: number, atMs: number): number {
    const payloadBytes = end - start;
    const position = this.#place(ssrc, timestamp, atMs);
    if (this.#hasRoom(position, payloadBytes)) {
      this.#reserve(payloadBytes);
      for (let i = 0; i < payloadBytes; i += 1) this.#bytes[this.#usedBytes + i] = bytes[start + i] ?? 0;
      this.#index.push(position, this.#usedBytes, payloadBytes, atMs, timestamp);
      this.#usedBytes += payloadBytes;
      this.#firstPosition = Math.min(this.#firstPosition, position);
      this.#zeroAtMs = Math.min(this.#zeroAtMs, atMs - position / SAMPLES_PER_MS);
      this.#decoded = null;
    }
    return position / SAMPLES_PER_MS;
  }

  /** 48 kHz mono; what was lost is silence. Not to be written to: it is kept until more comes in. */
  pcm(): Int16Array {
    this.#decoded ??= this.#decode();
    return this.#decoded;
  }

  /** The packets that are kept, by their place. */
  *frames(): Generator<TrackFrame> {
    const pcm = this.pcm();
    for (const packet of this.#inOrder()) {
      const sample = this.#field(packet, "position") - this.#firstPosition;
      yield {
        pcm: pcm.subarray(sample, sample + FRAME_SAMPLES),
        sample,
        atMs: this.#field(packet, "atMs"),
        rtpTimestamp: this.#field(packet, "timestamp"),
      };
    }
  }

  packets(): readonly HeardPacket[] {
    return Array.from(this.frames(), ({ pcm, sample, atMs, rtpTimestamp }) => ({
      arrivedAtMs: atMs,
      rtpTimestamp,
      sample,
      levelDbfs: levelDbfs(pcm, 0, pcm.length),
    }));
  }

  #place(ssrc: number, timestamp: number, atMs: number): number {
    if (ssrc === this.#ssrc) {
      const position = this.#lastPosition + ((timestamp - this.#lastTimestamp) | 0);
      // A late packet is placed, but the next one is still measured from the furthest.
      if (position < this.#lastPosition) return position;
      this.#lastPosition = position;
    } else {
      // The timestamps of a new SSRC start anywhere: its first packet is placed by the time at which it came.
      const byTime = this.#ssrc === null ? 0 : Math.round((atMs - this.#zeroAtMs) * SAMPLES_PER_MS);
      this.#ssrc = ssrc;
      this.#lastPosition = Math.max(this.#lastPosition + FRAME_SAMPLES, byTime);
    }
    this.#lastTimestamp = timestamp;
    return this.#lastPosition;
  }

  #hasRoom(position: number, payloadBytes: number): boolean {
    if (payloadBytes === 0 || payloadBytes > MAX_PACKET_BYTES) return false;
    if (position < -MAX_BEFORE_FIRST_SAMPLES || position + FRAME_SAMPLES > this.#maxSamples) return false;
    return this.#index.length / FIELDS < this.#maxSamples / FRAME_SAMPLES;
  }

  #reserve(moreBytes: number): void {
    if (this.#usedBytes + moreBytes <= this.#bytes.length) return;
    const larger = new Uint8Array(this.#bytes.length * 2);
    larger.set(this.#bytes);
    this.#bytes = larger;
  }

  #decode(): Int16Array {
    const order = this.#inOrder();
    const last = order.at(-1);
    if (last === undefined) return new Int16Array(0);
    const length = this.#field(last, "position") - this.#firstPosition + MAX_PACKET_SAMPLES;
    const pcm = new Int16Array(Math.min(this.#maxSamples - this.#firstPosition, length));
    for (let i = 0; i < FORGET_PACKETS; i += 1) this.#decodePacket(SILENT_PACKET);
    let end = 0;
    for (const packet of order) {
      const position = this.#field(packet, "position") - this.#firstPosition;
      const offset = this.#field(packet, "offset");
      const frame = this.#decodePacket(this.#bytes.subarray(offset, offset + this.#field(packet, "length")));
      const fitting = frame.subarray(0, Math.max(0, pcm.length - position));
      pcm.set(fitting, position);
      end = Math.max(end, position + fitting.length);
    }
    return pcm.slice(0, end);
  }

  /** Numbers of the packets by their place. */
  #inOrder(): readonly number[] {
    const order = Array.from({ length: this.#index.length / FIELDS }, (_, i) => i);
    return order.sort((a, b) => this.#field(a, "position") - this.#field(b, "position"));
  }

  #field(packet: number, field: keyof typeof FIELD): number {
    return this.#index[packet * FIELDS + FIELD[field]] ?? 0;
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
