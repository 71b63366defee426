import { RingbackError } from "../../errors.ts";
import { levelDbfs } from "./level.ts";
import { requireToneHz } from "./speech.ts";
import { ToneMeter } from "./tone-meter.ts";

const SAMPLE_RATE_HZ = 48_000;
const SAMPLES_PER_MS = 48;
/** Sounds begin and end on this grid. */
const WINDOW_MS = 5;
const WINDOW_SAMPLES = WINDOW_MS * SAMPLES_PER_MS;
/** What is shorter is no sound, and no tone: it takes 40 ms to tell a tone from its neighbours. */
const LEAST_MS = 40;
const HISTORY_SAMPLES = LEAST_MS * SAMPLES_PER_MS;
/** Holes that do not end a sound: what a codec makes of its beginning, and up to three lost packets later on. */
const BRIDGED_AT_FIRST_MS = 10;
const BRIDGED_MS = 60;
/** Below is noise of the codec, and no tone. */
const LEAST_TONE_DBFS = -45;
/** Half of a window's energy. */
const LEAST_TONE_SHARE = 0.5;
const DEFAULT_SOUND_DBFS = -50;
const MAX_SPANS = 10_000;

/** What can be found in what the phone heard. Anything shorter than 40 ms does not count. */
export type PhoneSound =
  /** A tone of 50 to 7000 Hz, louder than -45 dBFS. Tones less than 100 Hz apart are taken for each other. */
  | { readonly type: "tone"; readonly frequencyHz: number }
  /** Any sound that is louder, in dBFS. Default -50: above the noise of a codec, and below speech. */
  | { readonly type: "sound"; readonly louderThanDbfs?: number };

/**
 * A sound that was heard: monotonic ms, as in the call's timeline, 5 ms fine. A sample counts as heard at the arrival of its
 * packet plus its place in the packet, without any jitter buffer.
 */
export interface HeardSpan {
  readonly startedAtMs: number;
  /** So far, while it goes on. */
  readonly endedAtMs: number;
}

interface Run {
  startedAtMs: number;
  endedAtMs: number;
  endPositionMs: number;
  windows: number;
  isSound: boolean;
}

/** Finds the spans of one sound in audio that is fed packet by packet. */
export class SoundDetector {
  readonly #meter: SoundMeter;
  /** The last 40 ms. */
  readonly #history = new Int16Array(HISTORY_SAMPLES);
  readonly #spans: Run[] = [];
  #run: Run | null = null;

  /** @throws {RingbackError} `OPTION_INVALID` for a tone or a level that is out of range. */
  constructor(sound: PhoneSound) {
    this.#meter = meterOf(sound);
  }

  get spans(): readonly HeardSpan[] {
    return this.#spans.map(({ startedAtMs, endedAtMs }) => ({ startedAtMs, endedAtMs }));
  }

  /** When the sound was first heard; null: not yet. */
  get heardAtMs(): number | null {
    return this.#spans[0]?.startedAtMs ?? null;
  }

  /** Takes the audio of a packet, 48 kHz: `positionMs` by its timestamp, `atMs` when it arrived. */
  add(pcm: Int16Array, positionMs: number, atMs: number): void {
    for (let start = 0; start + WINDOW_SAMPLES <= pcm.length; start += WINDOW_SAMPLES) {
      this.#history.copyWithin(0, WINDOW_SAMPLES);
      this.#history.set(pcm.subarray(start, start + WINDOW_SAMPLES), HISTORY_SAMPLES - WINDOW_SAMPLES);
      if (!this.#meter.isInWindow(this.#history)) continue;
      const startMs = start / SAMPLES_PER_MS;
      this.#hear(positionMs + startMs, atMs + startMs);
    }
  }

  #hear(positionMs: number, atMs: number): void {
    const run = this.#runAt(positionMs, atMs);
    run.endedAtMs = Math.max(run.endedAtMs, atMs + WINDOW_MS);
    run.endPositionMs = Math.max(run.endPositionMs, positionMs + WINDOW_MS);
    run.windows += 1;
    const isLongEnough = run.windows >= LEAST_MS / WINDOW_MS;
    if (run.isSound || !isLongEnough || !this.#meter.isInHistory(this.#history)) return;
    run.isSound = true;
    if (this.#spans.length < MAX_SPANS) this.#spans.push(run);
  }

  #runAt(positionMs: number, atMs: number): Run {
    const run = this.#run;
    if (run !== null) {
      const holeMs = positionMs - run.endPositionMs;
      if (holeMs <= (run.isSound ? BRIDGED_MS : BRIDGED_AT_FIRST_MS)) return run;
    }
    this.#run = { startedAtMs: atMs, endedAtMs: atMs, endPositionMs: positionMs, windows: 0, isSound: false };
    return this.#run;
  }
}

interface SoundMeter {
  /** Whether the sound is in the last 5 ms. */
  isInWindow(history: Int16Array): boolean;
  /** Whether it is what the last 40 ms are made of. */
  isInHistory(history: Int16Array): boolean;
}

function meterOf(sound: PhoneSound): SoundMeter {
  if (sound.type === "tone") return toneMeter(sound.frequencyHz);
  const leastDbfs = sound.louderThanDbfs ?? DEFAULT_SOUND_DBFS;
  if (!(leastDbfs >= -100 && leastDbfs <= 0)) {
    throw new RingbackError("OPTION_INVALID", `louderThanDbfs must be -100–0, got ${leastDbfs}`, {
      details: { option: "louderThanDbfs" },
    });
  }
  return {
    isInWindow: (history) => levelDbfs(history, HISTORY_SAMPLES - WINDOW_SAMPLES, WINDOW_SAMPLES) > leastDbfs,
    isInHistory: () => true,
  };
}

function toneMeter(frequencyHz: number): SoundMeter {
  requireToneHz(frequencyHz, "frequencyHz");
  const twoPeriods = Math.ceil((2 * SAMPLE_RATE_HZ) / frequencyHz);
  const short = new ToneMeter(frequencyHz, SAMPLE_RATE_HZ, Math.max(WINDOW_SAMPLES, twoPeriods));
  const long = new ToneMeter(frequencyHz, SAMPLE_RATE_HZ, HISTORY_SAMPLES);
  const isIn = (meter: ToneMeter, history: Int16Array): boolean => {
    const { levelDbfs: level, share } = meter.measure(history, HISTORY_SAMPLES);
    return level > LEAST_TONE_DBFS && share >= LEAST_TONE_SHARE;
  };
  return {
    isInWindow: (history) => isIn(short, history),
    isInHistory: (history) => isIn(long, history),
  };
}
