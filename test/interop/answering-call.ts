import { createDecoder } from "libopus-wasm";
import { buildAnswer, readAudioDescription } from "../../src/core/sdp/index.ts";
import {
  createDatachannelEngine,
  createPromptCache,
  type DatachannelEngineOptions,
  type Digit,
  MediaClock,
  type MediaEngine,
  MediaSession,
  type MediaStats,
} from "../../src/media/index.ts";
import { systemClock } from "../../src/platform/clock.ts";
import { systemRandom } from "../../src/platform/random.ts";
import { systemTimers } from "../../src/platform/timers.ts";

/** Answers an offer as a gateway does, but for WhatsApp's signalling, plays a file over and over and keeps what comes in. */
export class AnsweringCall implements AsyncDisposable {
  readonly packets: Uint8Array[] = [];
  readonly digits: Digit[] = [];
  readonly answer: string;
  readonly #engine: MediaEngine;
  readonly #session: MediaSession;

  private constructor(engine: MediaEngine, session: MediaSession, answer: string) {
    this.#engine = engine;
    this.#session = session;
    this.answer = answer;
  }

  static async open(
    offerSdp: string,
    file: string,
    options: DatachannelEngineOptions = {},
  ): Promise<AnsweringCall> {
    const offer = readAudioDescription(offerSdp, { as: "offer" });
    const engine = await createDatachannelEngine(options);
    const clock = new MediaClock({ clock: systemClock, timers: systemTimers, onError: () => {} });
    const session = await MediaSession.open({
      engine,
      offer,
      clock,
      now: systemClock,
      random: systemRandom,
      listener: {
        onConnected: () => session.startRtp(),
        onIceConnected() {},
        onLost() {},
        onFailed() {},
        onFirstRtpIn() {},
        onFirstRtpOut() {},
        onDigit: (digit) => call.digits.push(digit),
        onFrame: (payload) => call.packets.push(payload.slice()),
      },
    });
    const call = new AnsweringCall(engine, session, buildAnswer(offer, session.local));
    session.play(await createPromptCache().load(file), { loop: true });
    return call;
  }

  /** The caller has our answer. */
  connect(): void {
    this.#session.connect();
  }

  stats(): MediaStats {
    return this.#session.stats();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#session.close();
    await this.#engine.close();
  }
}

/** Frequency of a tone by its zero crossings, in the second half of the packets, when it has settled. */
export async function toneFrequencyHz(packets: readonly Uint8Array[]): Promise<number> {
  const decoder = await createDecoder({ channels: 1, sampleRate: 48_000 });
  let crossings = 0;
  let samples = 0;
  let last = 0;
  packets.forEach((packet, index) => {
    const pcm = decoder.decode(packet);
    if (index < packets.length / 2) return;
    for (const sample of pcm) {
      if (last < 0 && sample >= 0) crossings += 1;
      last = sample;
    }
    samples += pcm.length;
  });
  decoder.free();
  return (crossings * 48_000) / samples;
}
