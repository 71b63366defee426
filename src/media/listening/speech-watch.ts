import { levelDbfs } from "../../core/audio/level.ts";
import { ToneCheck } from "../../core/audio/tone-check.ts";
import {
  type SpeechNews,
  VOICE_FRAME_MS,
  VoiceActivity,
  type VoiceActivityOptions,
} from "../../core/audio/voice-activity.ts";
import { OpusDecoder } from "../opus-codec.ts";
import { copyPayload } from "./payload-copy.ts";
import { type VoiceAggressiveness, VoiceDetector } from "./voice-detector.ts";

export type { SpeechNews } from "../../core/audio/voice-activity.ts";

export interface SpeechWatchOptions extends VoiceActivityOptions {
  /** How sure the voice detector has to be, 0 to 3. Default 2: 3 misses quiet speech. */
  readonly aggressiveness?: VoiceAggressiveness;
}

export interface SpeechListener {
  readonly onSpeech: (news: SpeechNews) => void;
  /** There is no decoder, it broke down, or `onSpeech` threw: nothing more comes. Must not throw itself. */
  readonly onFailed: (error: unknown) => void;
}

export interface SpeechWatchStats {
  readonly packetsHeard: number;
  readonly packetsMalformed: number;
  /** Packets that came before there was a decoder. */
  readonly packetsUnheard: number;
}

const RATE_HZ = 16_000;
const FRAME_SAMPLES = (RATE_HZ * VOICE_FRAME_MS) / 1000;
/** A packet of so few bytes stands for silence that is not sent (DTX): no frame of it is longer than one byte. */
const MAX_DTX_BYTES = 2;

// One for all calls of a thread: it keeps nothing between two packets.
const toneCheck = new ToneCheck();

/**
 * Tells when the caller speaks, as the packets come: what waits in a jitter buffer is too late to interrupt a prompt with.
 * Order and losses are of no matter to it. Packets shorter than 10 ms are not listened to.
 *
 * What comes before the decoder is there is left out.
 */
export class SpeechWatch {
  readonly #listener: SpeechListener;
  readonly #activity: VoiceActivity;
  #decoder: OpusDecoder | null = null;
  #detector: VoiceDetector | null = null;
  #isClosed = false;
  #heard = 0;
  #malformed = 0;
  #unheard = 0;

  constructor(options: SpeechWatchOptions & SpeechListener) {
    this.#listener = options;
    this.#activity = new VoiceActivity(options);
    this.#open(options.aggressiveness ?? 2).catch((error: unknown) => this.#fail(error));
  }

  get isSpeaking(): boolean {
    return this.#activity.isSpeaking;
  }

  /** End of the last voice, on the clock of the packets; null when there was none. */
  get lastVoiceMs(): number | null {
    const { lastVoiceMs } = this.#activity;
    return lastVoiceMs === Number.NEGATIVE_INFINITY ? null : lastVoiceMs;
  }

  /** Takes a new Opus packet. Its audio ends at `nowMs`. */
  onPacket(
    packet: Uint8Array,
    offset: number,
    lengthBytes: number,
    _rtpTimestamp: number,
    nowMs: number,
  ): void {
    if (this.#isClosed || lengthBytes === 0) return;
    try {
      this.#hear(packet, offset, lengthBytes, nowMs);
    } catch (error) {
      this.#fail(error);
    }
  }

  /** Another stream begins: what was heard of the last one does not go on in it. */
  onRestart(): void {
    this.#activity.pause();
  }

  /** Time goes on, whether packets come or not. Once a slot. */
  tick(nowMs: number): void {
    if (this.#isClosed) return;
    try {
      this.#report(this.#activity.tick(nowMs));
    } catch (error) {
      this.#fail(error);
    }
  }

  stats(): SpeechWatchStats {
    return {
      packetsHeard: this.#heard,
      packetsMalformed: this.#malformed,
      packetsUnheard: this.#unheard,
    };
  }

  /** Frees native memory. Idempotent. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#decoder?.close();
    this.#detector?.close();
    this.#decoder = null;
    this.#detector = null;
  }

  async #open(aggressiveness: VoiceAggressiveness): Promise<void> {
    const decoder = await OpusDecoder.create({ rateHz: RATE_HZ });
    if (this.#isClosed) {
      decoder.close();
      return;
    }
    this.#decoder = decoder;
    const detector = await VoiceDetector.create(aggressiveness);
    if (this.#isClosed) detector.close();
    else this.#detector = detector;
  }

  #hear(packet: Uint8Array, offset: number, lengthBytes: number, nowMs: number): void {
    if (this.#decoder === null || this.#detector === null) {
      this.#unheard += 1;
      return;
    }
    if (lengthBytes <= MAX_DTX_BYTES) {
      this.#activity.pause();
      this.#report(this.#activity.tick(nowMs));
      return;
    }
    const samples = this.#decoder.decode(copyPayload(packet, offset, lengthBytes));
    if (samples === null) {
      this.#malformed += 1;
      return;
    }
    this.#heard += 1;
    this.#judge(samples, nowMs, this.#detector);
  }

  #judge(samples: Int16Array, nowMs: number, detector: VoiceDetector): void {
    let startMs = nowMs - (samples.length * 1000) / RATE_HZ;
    for (let start = 0; start + FRAME_SAMPLES <= samples.length; start += FRAME_SAMPLES) {
      const isVoice = detector.isVoice(samples, start);
      if (isVoice && !this.#activity.isSpeaking && isTonePacket(samples, start)) this.#activity.tone();
      this.#report(this.#activity.frame(isVoice, levelDbfs(samples, start, FRAME_SAMPLES), startMs));
      // Told of it, the listener may have closed this.
      if (this.#isClosed) return;
      startMs += VOICE_FRAME_MS;
    }
  }

  #report(news: SpeechNews | null): void {
    if (news !== null) this.#listener.onSpeech(news);
  }

  #fail(error: unknown): void {
    if (this.#isClosed) return;
    this.close();
    this.#listener.onFailed(error);
  }
}

/** Looked at once a packet of 20 ms, or each 20 ms of a longer one. */
function isTonePacket(samples: Int16Array, start: number): boolean {
  return start + toneCheck.windowSamples <= samples.length && toneCheck.isTone(samples, start);
}
