import { ReplayWindow } from "../replay-window.ts";

/**
 * RFC 3711 §3.2.3 has state per SSRC. A call has one, and one more each time the peer changes it. None is forgotten for
 * another, as its packets could then be replayed; so there is room for more than a call has, at 0.3 KB for each in use.
 */
const MAX_SOURCES = 32;

/** What we keep of one SSRC's packets. */
export class SrtpSource {
  readonly ssrc: number;
  readonly replay: ReplayWindow = new ReplayWindow();
  highestIndex = -1;

  constructor(ssrc: number) {
    this.ssrc = ssrc;
  }

  accept(index: number): void {
    this.replay.accept(index);
    if (index > this.highestIndex) this.highestIndex = index;
  }
}

/** The sources that have proved authentic. */
export class SrtpSources {
  readonly #sources: SrtpSource[] = [];
  #latest: SrtpSource | null = null;

  get isFull(): boolean {
    return this.#sources.length === MAX_SOURCES;
  }

  find(ssrc: number): SrtpSource | null {
    if (this.#latest !== null && this.#latest.ssrc === ssrc) return this.#latest;
    for (let i = 0; i < this.#sources.length; i++) {
      const source = this.#sources[i];
      if (source?.ssrc === ssrc) return source;
    }
    return null;
  }

  /** Remembers a genuine packet. @param source Null when it is the first of its SSRC. */
  accept(source: SrtpSource | null, ssrc: number, index: number): void {
    this.#latest = source ?? this.#add(ssrc);
    this.#latest.accept(index);
  }

  #add(ssrc: number): SrtpSource {
    const source = new SrtpSource(ssrc);
    this.#sources.push(source);
    return source;
  }
}
