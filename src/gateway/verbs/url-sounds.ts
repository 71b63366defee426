import { bytesSound, type Sound } from "../../media/index.ts";
import type { Clock } from "../../platform/clock.ts";
import { guardedRequest, type RequestPolicy } from "../../platform/outgoing-request.ts";

/** What a URL gave is taken for as long without asking again. */
const FRESH_MS = 60_000;
const MAX_CACHED_BYTES = 64 * 1024 * 1024;
const ACCEPTED = ["audio/*", "application/ogg", "application/octet-stream"];

interface Fetched {
  readonly sound: Sound;
  readonly bytes: number;
  readonly atMs: number;
}

/** Audio files from elsewhere, each fetched once a minute at most. */
export class UrlSounds {
  readonly #policy: RequestPolicy;
  readonly #clock: Clock;
  /** The oldest first. */
  readonly #fetched = new Map<string, Fetched>();
  readonly #fetching = new Map<string, Promise<Sound>>();
  #bytes = 0;

  constructor(policy: RequestPolicy, clock: Clock) {
    this.#policy = policy;
    this.#clock = clock;
  }

  /** @throws {RingbackError} `REQUEST_REFUSED`, `REQUEST_FAILED`; the signal's reason when it aborts. */
  async load(url: string, signal?: AbortSignal): Promise<Sound> {
    const known = this.#fetched.get(url);
    if (known !== undefined && this.#clock.nowMs() - known.atMs < FRESH_MS) return known.sound;
    // One that may be aborted is nobody else's.
    if (signal !== undefined) return this.#fetch(url, signal);
    const fetching = this.#fetching.get(url) ?? this.#fetch(url).finally(() => this.#fetching.delete(url));
    this.#fetching.set(url, fetching);
    return fetching;
  }

  async #fetch(url: string, signal?: AbortSignal): Promise<Sound> {
    const request = { url, accept: ACCEPTED, ...(signal !== undefined && { signal }) };
    const { bytes } = await guardedRequest(request, this.#policy);
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
