import { ApiProblem } from "../problems.ts";

export interface StreamLimits {
  /** Default 256. */
  readonly inAll: number;
  /** Default 16. */
  readonly perKey: number;
}

export const DEFAULT_STREAM_LIMITS: StreamLimits = { inAll: 256, perKey: 16 };

/** Bounds how many subscribers there are at the same time. */
export class StreamSlots {
  readonly #limits: StreamLimits;
  readonly #byKey = new Map<string, number>();
  #taken = 0;

  constructor(limits: StreamLimits = DEFAULT_STREAM_LIMITS) {
    this.#limits = limits;
  }

  get taken(): number {
    return this.#taken;
  }

  /**
   * Takes a place. Returns how to give it back, which may be called more than once.
   * @throws {ApiProblem} `too_many_streams`.
   */
  take(keyId: string): () => void {
    const ofKey = this.#byKey.get(keyId) ?? 0;
    const { inAll, perKey } = this.#limits;
    if (ofKey >= perKey) throw tooMany(`This key has ${perKey} streams open, which is the most it may have.`);
    if (this.#taken >= inAll) throw tooMany(`${inAll} streams are open, which is the most there may be.`);
    this.#taken += 1;
    this.#byKey.set(keyId, ofKey + 1);
    let isTaken = true;
    return () => {
      if (isTaken) this.#giveBack(keyId);
      isTaken = false;
    };
  }

  #giveBack(keyId: string): void {
    this.#taken -= 1;
    const left = (this.#byKey.get(keyId) ?? 1) - 1;
    if (left === 0) this.#byKey.delete(keyId);
    else this.#byKey.set(keyId, left);
  }
}

function tooMany(detail: string): ApiProblem {
  return new ApiProblem("too_many_streams", detail, { retryAfterS: 10 });
}
