import createFvad, { type FvadModule } from "@echogarden/fvad-wasm";

/** How sure it has to be: 0 takes most for voice, 3 least. */
export type VoiceAggressiveness = 0 | 1 | 2 | 3;

const RATE_HZ = 16_000;
const FRAME_SAMPLES = 160;

/** One per thread. */
let loading: Promise<FvadModule> | null = null;

/** Compiles the detector for this thread. From then on one is there within the turn of the event loop that asks for it. */
export async function loadVoiceDetector(): Promise<void> {
  await load();
}

/** WebRTC's voice detector: says of each 10 ms at 16 kHz whether they sound like voice, by what came before them. */
export class VoiceDetector {
  readonly #fvad: FvadModule;
  readonly #handle: number;
  readonly #memory: number;

  private constructor(fvad: FvadModule, aggressiveness: VoiceAggressiveness) {
    this.#fvad = fvad;
    this.#handle = fvad._fvad_new();
    this.#memory = fvad._malloc(FRAME_SAMPLES * Int16Array.BYTES_PER_ELEMENT);
    if (this.#handle === 0 || this.#memory === 0) throw new Error("There is no memory for a voice detector.");
    fvad._fvad_set_sample_rate(this.#handle, RATE_HZ);
    fvad._fvad_set_mode(this.#handle, aggressiveness);
  }

  static async create(aggressiveness: VoiceAggressiveness): Promise<VoiceDetector> {
    return new VoiceDetector(await load(), aggressiveness);
  }

  /** @param samples Those of 16 kHz from `start` on are the next 10 ms. */
  isVoice(samples: Int16Array, start: number): boolean {
    const memory = this.#fvad.HEAP16;
    const offset = this.#memory / Int16Array.BYTES_PER_ELEMENT;
    for (let i = 0; i < FRAME_SAMPLES; i += 1) memory[offset + i] = samples[start + i] ?? 0;
    return this.#fvad._fvad_process(this.#handle, this.#memory, FRAME_SAMPLES) === 1;
  }

  /** Frees native memory. Once. */
  close(): void {
    this.#fvad._free(this.#memory);
    this.#fvad._fvad_free(this.#handle);
  }
}

function load(): Promise<FvadModule> {
  loading ??= createFvad();
  return loading;
}
