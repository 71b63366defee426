/** Somebody has begun to speak, or has ended. `atMs`: when, on the clock of the frames; it is told a little later. */
export interface SpeechNews {
  readonly type: "start" | "end";
  readonly atMs: number;
}

export interface VoiceActivityOptions {
  /** Voice that makes a start, in ms: 10 to 200, in steps of 10. Default 30, so that two packets are enough. */
  readonly minVoicedMs?: number;
  /** Time without voice that makes an end, in ms. Default 500: pauses within a sentence are shorter. */
  readonly endSilenceMs?: number;
  /** What is quieter is no voice, in dBFS. Default -50. */
  readonly minLevelDbfs?: number;
}

/** The audio that `frame` takes at a time. */
export const VOICE_FRAME_MS = 10;

/** The noise is taken to be so loud at first, until it is known: a call does not begin in silence. */
const FIRST_NOISE_DBFS = -45;
const LOWEST_NOISE_DBFS = -75;
/** Per frame: the share of the way down to a quieter frame, and the dB up while there is none. Noise that begins is known after seconds. */
const NOISE_FALL = 0.1;
const NOISE_RISE_DB = 0.1;
/** Voice is louder than the noise by this much. */
const OVER_NOISE_DB = 6;
/** What begins with speech goes on as loud; what has fallen by this much in 40 ms was a click or a knock. */
const MAX_FALL_DB = 4;
const LEVELS_KEPT = 4;
/** A tone's packet and the next one: its end rings on, and sounds like anything. */
const TONE_FRAMES = 4;

/**
 * Decides when somebody speaks, from what a voice detector says of each 10 ms and from how loud they are. Sans-IO.
 *
 * A detector alone is not enough: it takes tones for voice, and what follows a click, and any noise that begins.
 */
export class VoiceActivity {
  readonly #minFrames: number;
  readonly #endSilenceMs: number;
  readonly #minLevelDbfs: number;
  readonly #levels = new Float64Array(LEVELS_KEPT).fill(Number.NEGATIVE_INFINITY);
  #frames = 0;
  #noiseDbfs = FIRST_NOISE_DBFS;
  /** One bit per frame, the latest lowest: voice or not. */
  #history = 0;
  readonly #historyMask: number;
  #toneFrames = 0;
  #runStartMs = 0;
  #isSpeaking = false;
  #lastVoiceMs = Number.NEGATIVE_INFINITY;

  constructor(options: VoiceActivityOptions = {}) {
    this.#minFrames = Math.round((options.minVoicedMs ?? 30) / VOICE_FRAME_MS);
    this.#endSilenceMs = options.endSilenceMs ?? 500;
    this.#minLevelDbfs = options.minLevelDbfs ?? -50;
    // One frame among them may be without voice.
    this.#historyMask = 2 ** (this.#minFrames + 1) - 1;
  }

  get isSpeaking(): boolean {
    return this.#isSpeaking;
  }

  /** End of the last voice, -Infinity before the first. A start may not have come of it. */
  get lastVoiceMs(): number {
    return this.#lastVoiceMs;
  }

  /**
   * Takes the next 10 ms.
   *
   * @param isVoice What the voice detector says.
   * @param levelDbfs How loud they are.
   * @param startMs When they began.
   * @returns Null: no change.
   */
  frame(isVoice: boolean, levelDbfs: number, startMs: number): SpeechNews | null {
    this.#levels[this.#frames % LEVELS_KEPT] = levelDbfs;
    this.#frames += 1;
    const isHeard = isVoice && this.#isLoudEnough(levelDbfs) && this.#toneFrames === 0;
    if (this.#toneFrames > 0) this.#toneFrames -= 1;
    this.#learnNoise(levelDbfs);
    if (isHeard) {
      if ((this.#history & 0b11) === 0) this.#runStartMs = startMs;
      this.#lastVoiceMs = startMs + VOICE_FRAME_MS;
    }
    this.#history = ((this.#history << 1) | (isHeard ? 1 : 0)) & this.#historyMask;
    if (this.#isSpeaking) return this.tick(startMs + VOICE_FRAME_MS);
    if (!this.#isStart(levelDbfs)) return null;
    this.#isSpeaking = true;
    return { type: "start", atMs: this.#runStartMs };
  }

  /** The next two frames are a tone, whatever the detector says of them: no speech begins with them. */
  tone(): void {
    this.#toneFrames = TONE_FRAMES;
    this.#history = 0;
  }

  /** Nothing is sent, which is silence: no voice goes on beyond it. */
  pause(): void {
    this.#history = 0;
  }

  /** Time goes on, with or without frames. */
  tick(nowMs: number): SpeechNews | null {
    if (!this.#isSpeaking || nowMs - this.#lastVoiceMs < this.#endSilenceMs) return null;
    this.#isSpeaking = false;
    this.#history = 0;
    return { type: "end", atMs: this.#lastVoiceMs };
  }

  #isLoudEnough(levelDbfs: number): boolean {
    return levelDbfs >= this.#minLevelDbfs && levelDbfs >= this.#noiseDbfs + OVER_NOISE_DB;
  }

  /** The quietest of late is the noise: between syllables there is nothing else. */
  #learnNoise(levelDbfs: number): void {
    if (levelDbfs >= this.#noiseDbfs) this.#noiseDbfs += NOISE_RISE_DB;
    else this.#noiseDbfs += (levelDbfs - this.#noiseDbfs) * NOISE_FALL;
    this.#noiseDbfs = Math.max(this.#noiseDbfs, LOWEST_NOISE_DBFS);
  }

  #isStart(levelDbfs: number): boolean {
    let voiced = 0;
    for (let bits = this.#history; bits > 0; bits >>>= 1) voiced += bits & 1;
    if (voiced < this.#minFrames) return false;
    for (const level of this.#levels) if (levelDbfs < level - MAX_FALL_DB) return false;
    return true;
  }
}
