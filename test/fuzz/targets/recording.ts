import { OggOpusReader } from "../../../src/core/audio/ogg/ogg-opus-reader.ts";
import { splitOpusStreams } from "../../../src/core/audio/opus-streams.ts";
import { CallRecording } from "../../../src/core/recording/call-recording.ts";
import type { Layout } from "../mutation.ts";
import { type FuzzTarget, must } from "../target.ts";

/** Opus packets of all forms (RFC 6716 §3.2): of one frame, of two, of several with and without lengths and padding. */
const SAMPLES: readonly Uint8Array[] = [
  "f8fffe",
  "48",
  "480f",
  "78aabbccddeeff00112233",
  "40aabbcc",
  "41aabbccdd",
  "4203aabbccdd",
  "7b0311223344556677889900112233",
  "7b8302030411223344556677889900",
  "7bc30302030411223344556677889900000000",
  "e388010101010101010102020202020202020202",
  "50aabbccddee",
  "58aabbccddee",
].map((hex) => Uint8Array.from(Buffer.from(hex, "hex")));

/** TOC and what follows it are one-byte numbers. */
function layoutOf(bytes: Uint8Array): Layout {
  const fields = Array.from({ length: Math.min(bytes.length, 5) }, (_, offset) => ({ offset, bytes: 1 }));
  return { fields, parts: [] };
}

export const RECORDING: FuzzTarget = {
  name: "recording",
  layoutOf,
  open() {
    const reader = new OggOpusReader();
    const recording = new CallRecording({
      channels: "both",
      layout: "stereo",
      fastestTransitMs: null,
      serial: () => 1,
      onPage: (_channel, page) => {
        for (const { bytes, ticks } of reader.push(page)) {
          must(ticks === 960, "each packet lasts 20 ms");
          must(splitOpusStreams(bytes, 2) !== null, "each packet has both channels");
        }
      },
    });
    let nowMs = 0;
    let timestamp = 0xffff_0000;
    recording.tick(nowMs);
    return {
      samples: SAMPLES,
      take(bytes, { waitMs, choice }) {
        // Time does not run away with the memory that slots of silence take.
        nowMs += Math.min(waitMs, 1_000);
        timestamp = (timestamp + (choice % 32 === 0 ? bytes.length * 0x010_0000 : 960)) >>> 0;
        recording.caller(bytes, 0, bytes.length, timestamp, nowMs);
        if (choice % 2 === 0) recording.business(bytes, nowMs);
        if (choice % 16 === 3) recording.callerRestarted();
        if (choice % 16 === 5) recording.pause(nowMs);
        if (choice % 16 === 7) recording.resume(nowMs);
        recording.tick(nowMs);
      },
      check() {
        recording.stop(nowMs);
        const { durationMs, concealedMs, pausedMs } = recording.stats();
        must(durationMs === Math.round(nowMs / 20) * 20, "it lasts as long as the recording did");
        must(concealedMs + pausedMs <= durationMs, "nothing is concealed that is not there");
        if (durationMs === 0) return;
        const { skippedBytes, damagedPackets } = reader.faults;
        must(skippedBytes + damagedPackets === 0, "the file is whole");
        must(reader.playedTicks === durationMs * 48, "the file lasts as long");
      },
    };
  },
};
