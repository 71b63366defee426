// The package has no types. What is here is all of it that is used.
declare module "@echogarden/fvad-wasm" {
  export interface FvadModule {
    /** The module's memory. It is another array after it has grown. */
    readonly HEAP16: Int16Array;
    _malloc(bytes: number): number;
    _free(pointer: number): void;
    /** 0 when there is no memory. */
    _fvad_new(): number;
    _fvad_free(fvad: number): void;
    /** @returns 0, or -1 when the mode is not 0 to 3. */
    _fvad_set_mode(fvad: number, mode: number): number;
    /** @returns 0, or -1 when the rate is not 8000, 16000, 32000 or 48000. */
    _fvad_set_sample_rate(fvad: number, rateHz: number): number;
    /** @returns 1 voice, 0 none, -1 when the frame is not 10, 20 or 30 ms. */
    _fvad_process(fvad: number, samples: number, length: number): number;
  }

  export default function createFvad(): Promise<FvadModule>;
}
