import { DigitReceiver } from "./digit-receiver.ts";
import { GapHistogram } from "./gap-histogram.ts";
import type { RtpView } from "./rtp-view.ts";
import { SequenceTracker } from "./sequence-tracker.ts";

/** 20 ms of Opus in ticks of its RTP clock, which is 48 kHz whatever the codec's bandwidth (RFC 7587 §4.1). */
const FRAME_RTP_TICKS = 960;
const RTP_TICKS_PER_MS = 48;
/** SSRCs that are followed one by one; a call has one. */
const MAX_TRACKED_SSRCS = 8;

export interface RtpInOptions {
  readonly opusPayloadType: number;
  readonly telephoneEventPayloadType: number;
}

/** What a packet turned out to be: only `audio` is worth hearing. */
export type RtpKind = "audio" | "event" | "duplicate" | "wrong";

/** Counts what comes in. Fed with authentic packets alone. */
export class RtpIn {
  readonly #options: RtpInOptions;
  readonly #trackers = new Map<number, SequenceTracker>();
  readonly #digits = new DigitReceiver();
  readonly #gaps = new GapHistogram();
  #lastAudioTimestamp: number | null = null;
  #lastAudioAtMs = 0;
  /** RFC 3550 §6.4.1. */
  jitterRtpTicks = 0;

  packetsReceived = 0;
  packetsDuplicate = 0;
  packetsWrongPayloadType = 0;
  packetsWrongDuration = 0;
  packetsBeforeAccept = 0;
  badTimestampSteps = 0;
  markers = 0;
  firstAtMs: number | null = null;
  lastAtMs: number | null = null;
  /** Of the latest packet; null before the first one. */
  ssrc: number | null = null;

  constructor(options: RtpInOptions) {
    this.#options = options;
  }

  get packetsLost(): number {
    let lost = 0;
    for (const tracker of this.#trackers.values()) lost += tracker.lost;
    return lost;
  }

  /** Stops counting at 8. */
  get ssrcCount(): number {
    return this.#trackers.size;
  }

  /** RFC 3550 §6.4.1, extended, of the latest SSRC. */
  get highestSequenceNumber(): number {
    const tracker = this.ssrc === null ? undefined : this.#trackers.get(this.ssrc);
    return tracker?.highest ?? 0;
  }

  get digits(): string {
    return this.#digits.digits;
  }

  get longestGapMs(): number {
    return this.#gaps.longestMs;
  }

  get gapP99Ms(): number {
    return this.#gaps.percentileMs(0.99);
  }

  add(packet: RtpView, bytes: Buffer, atMs: number, isAccepted: boolean): RtpKind {
    this.packetsReceived += 1;
    if (!isAccepted) this.packetsBeforeAccept += 1;
    if (packet.marker) this.markers += 1;
    if (this.lastAtMs !== null) this.#gaps.add(atMs - this.lastAtMs);
    this.firstAtMs ??= atMs;
    this.lastAtMs = atMs;
    const outcome = this.#track(packet);
    if (outcome === "duplicate") {
      this.packetsDuplicate += 1;
      return "duplicate";
    }
    return this.#classify(packet, bytes, atMs, outcome === "late");
  }

  #track(packet: RtpView): ReturnType<SequenceTracker["add"]> {
    if (packet.ssrc !== this.ssrc) {
      this.ssrc = packet.ssrc;
      this.#lastAudioTimestamp = null;
    }
    let tracker = this.#trackers.get(packet.ssrc);
    if (tracker === undefined) {
      if (this.#trackers.size === MAX_TRACKED_SSRCS) return "restart";
      tracker = new SequenceTracker();
      this.#trackers.set(packet.ssrc, tracker);
    }
    return tracker.add(packet.sequenceNumber);
  }

  #classify(packet: RtpView, bytes: Buffer, atMs: number, isLate: boolean): RtpKind {
    if (packet.payloadType === this.#options.opusPayloadType) {
      if (opusDurationMs(bytes, packet.payloadStart, packet.payloadEnd) !== 20)
        this.packetsWrongDuration += 1;
      if (!isLate) this.#checkStep(packet.timestamp, atMs);
      return "audio";
    }
    if (packet.payloadType === this.#options.telephoneEventPayloadType) {
      this.#digits.add(packet.timestamp, bytes.subarray(packet.payloadStart, packet.payloadEnd));
      return "event";
    }
    this.packetsWrongPayloadType += 1;
    return "wrong";
  }

  #checkStep(timestamp: number, atMs: number): void {
    if (this.#lastAudioTimestamp !== null) {
      const step = (timestamp - this.#lastAudioTimestamp) >>> 0;
      if (step === 0 || step % FRAME_RTP_TICKS !== 0) this.badTimestampSteps += 1;
      const transitRtpTicks = (atMs - this.#lastAudioAtMs) * RTP_TICKS_PER_MS - (step | 0);
      this.jitterRtpTicks += (Math.abs(transitRtpTicks) - this.jitterRtpTicks) / 16;
    }
    this.#lastAudioAtMs = atMs;
    this.#lastAudioTimestamp = timestamp;
  }
}

/** Frame durations by the five high bits of the first byte, RFC 6716 §3.1, table 2. */
const SILK_FRAME_MS = [10, 20, 40, 60] as const;
const HYBRID_FRAME_MS = [10, 20] as const;
const CELT_FRAME_MS = [2.5, 5, 10, 20] as const;

/** Duration of an Opus packet in ms; 0 for an empty one. */
function opusDurationMs(bytes: Uint8Array, start: number, end: number): number {
  if (start >= end) return 0;
  const toc = bytes[start] ?? 0;
  const config = toc >> 3;
  const frameMs =
    config < 12
      ? SILK_FRAME_MS[config & 3]
      : config < 16
        ? HYBRID_FRAME_MS[config & 1]
        : CELT_FRAME_MS[config & 3];
  const code = toc & 3;
  const frames = code === 0 ? 1 : code < 3 ? 2 : (bytes[start + 1] ?? 0) & 0x3f;
  return (frameMs ?? 0) * frames;
}
