import { FRAME_SAMPLES, firstFrame } from "./speech.mjs";

const SLOT_MS = 20;
/** The calls' slots begin at so many times, 2 ms apart: an agent's samples do not come for all calls at once. */
const GROUPS = 10;
const GROUP_MS = SLOT_MS / GROUPS;
/** What waits in the call, so that a late timer is not heard. */
const AHEAD_FRAMES = 3;

/** Says the same speech on many calls, 20 ms at a time and as fast as it is spoken. */
export class Feeder {
  #speech;
  #frames;
  #groups = Array.from({ length: GROUPS }, () => new Map());
  #next = 0;
  #dueMs = 0;
  #timer = null;

  /** @param speech A whole number of frames. */
  constructor(speech) {
    this.#speech = speech;
    this.#frames = speech.length / FRAME_SAMPLES;
  }

  /** @param writer A `PcmWriter`. */
  add(call, writer) {
    const feed = { writer, frame: firstFrame(call, this.#frames) };
    for (let i = 0; i < AHEAD_FRAMES; i++) this.#write(feed);
    this.#groups[call % GROUPS].set(call, feed);
    if (this.#timer !== null) return;
    this.#dueMs = performance.now();
    this.#arm();
  }

  remove(call) {
    this.#groups[call % GROUPS].delete(call);
  }

  stop() {
    clearTimeout(this.#timer);
    this.#timer = null;
  }

  #arm() {
    this.#timer = setTimeout(this.#onTimer, this.#dueMs - performance.now());
  }

  #onTimer = () => {
    const nowMs = performance.now();
    for (; this.#dueMs <= nowMs; this.#dueMs += GROUP_MS) {
      for (const feed of this.#groups[this.#next].values()) this.#write(feed);
      this.#next = (this.#next + 1) % GROUPS;
    }
    this.#arm();
  };

  /** Samples are given away with each frame, as they are when they come from somewhere else. */
  #write(feed) {
    const at = feed.frame * FRAME_SAMPLES;
    feed.frame = (feed.frame + 1) % this.#frames;
    feed.writer.write(this.#speech.slice(at, at + FRAME_SAMPLES));
  }
}
