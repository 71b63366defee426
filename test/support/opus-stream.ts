import { fileURLToPath } from "node:url";
import { createRtpHeader, type RtpHeader } from "../../src/core/transport/rtp/rtp.ts";
import { decodeFile } from "../../src/media/file-decoder.ts";
import { OpusEncoder, type OpusEncoderOptions, slotSamples } from "../../src/media/opus-codec.ts";
import { WorkSlices } from "../../src/media/work-slices.ts";
import { systemClock } from "../../src/platform/clock.ts";

const SPEECH = fileURLToPath(new URL("../../assets/sample.mp3", import.meta.url));

/** Ten seconds of speech, mono at 48 kHz, -1 to 1. */
export async function loadSpeech(): Promise<Float32Array> {
  const pieces: number[] = [];
  for await (const piece of decodeFile(SPEECH, new WorkSlices(systemClock, 1000))) pieces.push(...piece);
  return Float32Array.from(pieces);
}

/** Whole packets of 20 ms; the rest is left out. */
export async function encodePackets(
  samples: Float32Array,
  options: OpusEncoderOptions = {},
): Promise<readonly Uint8Array[]> {
  const encoder = await OpusEncoder.create(options);
  const length = slotSamples(options.rateHz ?? 48_000);
  const packets: Uint8Array[] = [];
  for (let start = 0; start + length <= samples.length; start += length) {
    packets.push(encoder.encode(samples.subarray(start, start + length)));
  }
  encoder.close();
  return packets;
}

/** The header of the packet with this number, of a stream whose sequence and timestamp wrap soon. */
export function headerOf(number: number, packet: Uint8Array, packetTicks = 960): RtpHeader {
  return {
    ...createRtpHeader(),
    ssrc: 7,
    sequence: (65_500 + number) & 0xffff,
    timestamp: (0xffff0000 + number * packetTicks) >>> 0,
    payloadLength: packet.length,
  };
}
