import type { OpusDecoderHandle } from "libopus-wasm";
import { AudioTrack, type HeardPacket } from "./audio-track.ts";
import { type HearOptions, Listening } from "./listening.ts";
import type { PhoneQuiet } from "./quiet-detector.ts";
import type { RtpView } from "./rtp-view.ts";
import { type HeardSpan, type PhoneSound, SoundDetector } from "./sound-detector.ts";

const SAMPLES_PER_MS = 48;
const PACKET_MS = 20;

/** What the phone hears: it is kept, and listened to while somebody waits for a sound. */
export class Ear {
  readonly #track: AudioTrack;
  readonly #listening = new Listening();

  constructor(decoder: OpusDecoderHandle, keepAudioMs: number) {
    this.#track = new AudioTrack(decoder, keepAudioMs);
  }

  get startMs(): number | null {
    return this.#track.startMs;
  }

  /** Takes an audio packet that has not come before. */
  add({ ssrc, timestamp, payloadStart, payloadEnd }: RtpView, packet: Buffer, atMs: number): void {
    const positionMs = this.#track.add(ssrc, timestamp, packet, payloadStart, payloadEnd, atMs);
    if (this.#listening.isActive) {
      this.#listening.add(packet.subarray(payloadStart, payloadEnd), positionMs, atMs);
    }
  }

  pcm(): Int16Array {
    return this.#track.pcm();
  }

  packets(): readonly HeardPacket[] {
    return this.#track.packets();
  }

  /** @throws {RingbackError} `OPTION_INVALID`. */
  spans(sound: PhoneSound, fromMs: number): readonly HeardSpan[] {
    const detector = new SoundDetector(sound);
    for (const { pcm, sample, atMs } of this.#track.frames()) {
      if (atMs + PACKET_MS > fromMs) detector.add(pcm, sample / SAMPLES_PER_MS, atMs);
    }
    return detector.spans;
  }

  /** @throws {RingbackError} `OPTION_INVALID`. */
  hears(sound: PhoneSound | PhoneQuiet, options: HearOptions): Promise<number | null> {
    return this.#listening.hears(sound, options);
  }

  /** What was heard can still be read. */
  close(): void {
    this.#listening.close();
  }
}
