import { OggOpusReader } from "../../src/core/audio/ogg/ogg-opus-reader.ts";
import { splitOpusStreams } from "../../src/core/audio/opus-streams.ts";
import { CallRecording, type RecordingLayout } from "../../src/core/recording/call-recording.ts";
import type { RecordedChannel } from "../../src/core/recording/recording-file.ts";

export interface RecordingRigOptions {
  readonly channels?: RecordedChannel;
  readonly layout?: RecordingLayout;
  readonly fastestTransitMs?: number | null;
}

/** What a slot of a channel has: a packet's number, or what was written instead of one. */
export type SlotLabel = number | "silence" | "concealed";

/** CELT, 20 ms, mono: a packet that is known by its number. */
export function numberedPacket(number: number): Uint8Array {
  return Uint8Array.of(0xf8, 1, number >> 16, number >> 8, number);
}

export const SILENCE_PACKET: Uint8Array = Uint8Array.of(0xf8, 0xff, 0xfe);

/** A recording in virtual time: things happen in the order of their times, whenever they were said. */
export class RecordingRig {
  readonly recording: CallRecording;
  readonly #pages = new Map<RecordedChannel, Uint8Array[]>();
  readonly #events: { readonly atMs: number; readonly run: (atMs: number) => void }[] = [];
  nowMs = 0;

  constructor({ channels = "both", layout = "stereo", fastestTransitMs = null }: RecordingRigOptions = {}) {
    this.recording = new CallRecording({
      channels,
      layout,
      fastestTransitMs,
      serial: () => 7,
      onPage: (channel, page) => this.pages(channel).push(page),
    });
  }

  pages(channel: RecordedChannel = "both"): Uint8Array[] {
    const pages = this.#pages.get(channel) ?? [];
    this.#pages.set(channel, pages);
    return pages;
  }

  at(atMs: number, run: (atMs: number) => void): void {
    this.#events.push({ atMs, run });
  }

  caller(atMs: number, packet: Uint8Array, rtpTimestamp: number): void {
    this.at(atMs, () => this.recording.caller(packet, 0, packet.length, rtpTimestamp >>> 0, atMs));
  }

  business(atMs: number, packet: Uint8Array): void {
    this.at(atMs, () => this.recording.business(packet, atMs));
  }

  /** Ticks of the media clock, 20 ms apart. */
  ticks(fromMs: number, count: number): void {
    for (let i = 0; i < count; i += 1) this.at(fromMs + i * 20, (atMs) => this.recording.tick(atMs));
  }

  /** Lets all of it happen. What was said first comes first at equal times. */
  run(): void {
    this.#events.sort((a, b) => a.atMs - b.atMs);
    for (const { atMs, run } of this.#events.splice(0)) {
      this.nowMs = atMs;
      run(atMs);
    }
  }

  /** The file as it is now. */
  read(channel: RecordedChannel = "both"): RecordingContent {
    return new RecordingContent(Buffer.concat(this.pages(channel)));
  }
}

/** What is in a file. */
export class RecordingContent {
  readonly durationMs: number;
  readonly isComplete: boolean;
  /** Of each channel its packets; the last one is behind the end. */
  readonly streams: readonly (readonly Uint8Array[])[];

  constructor(bytes: Uint8Array) {
    const reader = new OggOpusReader();
    const packets = [...reader.push(bytes), ...reader.end()];
    const streamCount = reader.head?.streamCount ?? 1;
    this.durationMs = reader.playedTicks / 48;
    this.isComplete = reader.isComplete;
    const divided = packets.map((packet) => splitOpusStreams(packet.bytes, streamCount) ?? []);
    this.streams = Array.from({ length: streamCount }, (_, i) =>
      divided.map((all) => all[i] ?? new Uint8Array()),
    );
  }

  /** What each slot of a channel has, of packets that are numbered; the one behind the end is left out. */
  labels(stream: number): readonly SlotLabel[] {
    return (this.streams[stream] ?? []).slice(0, -1).map(labelOf);
  }
}

function labelOf(packet: Uint8Array): SlotLabel {
  if (Buffer.compare(packet, SILENCE_PACKET) === 0) return "silence";
  if (packet.length <= 2) return "concealed";
  return Buffer.from(packet).readUIntBE(2, 3);
}
