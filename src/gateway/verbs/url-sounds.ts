import { bytesSound, type Sound } from "../../media/index.ts";
import type { Clock } from "../../platform/clock.ts";
import { guardedRequest, type RequestPolicy } from "../../platform/outgoing-request.ts";
import { untilAborted } from "../../platform/until-aborted.ts";

/** What a URL gave is taken for as long without asking again. */
const FRESH_MS = 60_000;
const MAX_CACHED_BYTES = 64 * 1024 * 1024;
const ACCEPTED = ["audio/*", "application/ogg", "application/octet-stream"];

interface Fetched {
  readonly sound: Sound;
  readonly bytes: number;
  readonly atMs: number;
}

/** A request under way. */
interface Fetching {
  readonly sound: Promise<Sound>;
  /** Ends it once nobody waits any more. */
  readonly ending: AbortController;
  waiting: number;
}

/** Audio files from elsewhere, each fetched once a minute at most. */
export class UrlSounds {
  readonly #policy: RequestPolicy;
  readonly #clock: Clock;
  /** The oldest first. */
  readonly #fetched = new Map<string, Fetched>();
  /** Each is waited for by a call, so there are no more than calls. */
  readonly #fetching = new Map<string, Fetching>();
  #bytes = 0;

  constructor(policy: RequestPolicy, clock: Clock) {
    this.#policy = policy;
    this.#clock = clock;
  }

  /** @throws {RingbackError} `REQUEST_REFUSED`, `REQUEST_FAILED`; the signal's reason when it aborts. */
  async load(url: string, signal?: AbortSignal): Promise<Sound> {
    signal?.throwIfAborted();
    const known = this.#fetched.get(url);
    if (known !== undefined && this.#clock.nowMs() - known.atMs < FRESH_MS) return known.sound;
    const fetching = this.#fetching.get(url) ?? this.#start(url);
    fetching.waiting += 1;
    try {
      return await (signal === undefined ? fetching.sound : untilAborted(fetching.sound, signal));
    } finally {
      fetching.waiting -= 1;
      if (fetching.waiting === 0) this.#end(url, fetching);
    }
  }

  #start(url: string): Fetching {
    const ending = new AbortController();
    const fetching = { sound: this.#fetch(url, ending.signal), ending, waiting: 0 };
    this.#fetching.set(url, fetching);
    return fetching;
  }

  #end(url: string, fetching: Fetching): void {
    if (this.#fetching.get(url) === fetching) this.#fetching.delete(url);
    fetching.ending.abort();
  }

  async #fetch(url: string, signal: AbortSignal): Promise<Sound> {
    const { bytes } = await guardedRequest({ url, accept: ACCEPTED, signal }, this.#policy);
    const { origin, pathname } = new URL(url);
    const sound = bytesSound(bytes, `${origin}${pathname}`);
    this.#keep(url, { sound, bytes: bytes.length, atMs: this.#clock.nowMs() });
    return sound;
  }

  #keep(url: string, fetched: Fetched): void {
    this.#drop(url);
    this.#fetched.set(url, fetched);
    this.#bytes += fetched.bytes;
    for (const oldest of this.#fetched.keys()) {
      if (this.#bytes <= MAX_CACHED_BYTES) break;
      this.#drop(oldest);
    }
  }

  #drop(url: string): void {
    this.#bytes -= this.#fetched.get(url)?.bytes ?? 0;
    this.#fetched.delete(url);
  }
}
