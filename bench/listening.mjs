// npm run build && node bench/listening.mjs: what it costs to listen to a caller, and to speak live, per second of a call.
// CPU time of the process, the best of several rounds. Compare figures of one run only.
import { fileURLToPath } from "node:url";
import { Resampler } from "../dist/core/audio/resampler.js";
import { createRtpHeader } from "../dist/core/transport/rtp/rtp.js";
import { decodeFile } from "../dist/media/file-decoder.js";
import { AudioListener } from "../dist/media/listening/audio-listener.js";
import { OrderedAudio } from "../dist/media/listening/ordered-audio.js";
import { prepareListening } from "../dist/media/listening/prepare.js";
import { SpeechWatch } from "../dist/media/listening/speech-watch.js";
import { OpusDecoder, OpusEncoder, slotSamples } from "../dist/media/opus-codec.js";
import { WorkSlices } from "../dist/media/work-slices.js";
import { systemClock } from "../dist/platform/clock.js";

const SAMPLE = fileURLToPath(new URL("../assets/sample.mp3", import.meta.url));
const RATES_HZ = [8000, 16_000, 24_000, 48_000];
const COMPLEXITIES = [0, 5, 10];
const ROUNDS = 6;
const PACKETS_PER_SECOND = 50;

await prepareListening();
const speech = await loadSpeech();
const packets = await encode(16_000, 5);

console.log("ms of CPU per second of a call; speech, 16 kHz, 24 kbit/s");
console.table(await Promise.all(RATES_HZ.map(measureListening)));
console.log("live encoding, by complexity");
console.table(await Promise.all(RATES_HZ.map(measureEncoding)));

async function measureListening(rateHz) {
  const decoder = await OpusDecoder.create({ rateHz });
  const listen = await createListener(rateHz);
  const watch = new SpeechWatch({ onSpeech: () => {}, onFailed: fail });
  await new Promise(setImmediate);
  let nowMs = 0;
  return {
    rateHz,
    "decode only": best(() => {
      for (const packet of packets) decoder.decode(packet);
    }),
    "jitter buffer, decode": best(listen),
    "speech watch (16 kHz)": best(() => {
      for (const packet of packets) {
        nowMs += 20;
        watch.onPacket(packet, 0, packet.length, 0, nowMs);
      }
    }),
  };
}

async function createListener(rateHz) {
  const ordered = new OrderedAudio();
  ordered.add(new AudioListener({ rateHz, onSamples: () => {}, onFailed: fail }));
  const header = createRtpHeader();
  let number = 0;
  return () => {
    for (const packet of packets) {
      header.sequence = number & 0xffff;
      header.timestamp = (number * 960) >>> 0;
      header.payloadLength = packet.length;
      ordered.push(packet, header, number * 20);
      ordered.tick(number * 20 + 7);
      number += 1;
    }
  };
}

async function measureEncoding(rateHz) {
  const row = { rateHz };
  for (const complexity of COMPLEXITIES) {
    const encoder = await OpusEncoder.create({ rateHz, complexity });
    const frames = split(rateHz);
    row[complexity] = best(() => {
      for (const frame of frames) encoder.encode(frame);
    });
    encoder.close();
  }
  return row;
}

/** `work` takes all packets once; the first round only warms up. */
function best(work) {
  let leastMs = Number.POSITIVE_INFINITY;
  for (let round = 0; round < ROUNDS; round += 1) {
    const start = process.cpuUsage();
    work();
    const { user, system } = process.cpuUsage(start);
    if (round > 0) leastMs = Math.min(leastMs, (user + system) / 1000);
  }
  return Number(((leastMs / packets.length) * PACKETS_PER_SECOND).toFixed(2));
}

async function encode(rateHz, complexity) {
  const encoder = await OpusEncoder.create({ rateHz, complexity });
  const encoded = split(rateHz).map((frame) => encoder.encode(frame));
  encoder.close();
  return encoded;
}

/** The speech in frames of 20 ms, 16 bits. */
function split(rateHz) {
  const samples = rateHz === 48_000 ? speech : new Resampler(48_000, rateHz).process(speech);
  const pcm = Int16Array.from(samples, (sample) => Math.max(-1, Math.min(1, sample)) * 32_767);
  const length = slotSamples(rateHz);
  return Array.from({ length: Math.floor(pcm.length / length) }, (_, i) =>
    pcm.subarray(i * length, (i + 1) * length),
  );
}

async function loadSpeech() {
  const pieces = [];
  for await (const piece of decodeFile(SAMPLE, new WorkSlices(systemClock, 1000))) pieces.push(...piece);
  return Float32Array.from(pieces);
}

function fail(error) {
  throw error;
}
