import { afterEach, beforeAll, describe, expect, test } from "vitest";
import { encodePackets, loadSpeech } from "../../../test/support/opus-stream.ts";
import { SeededRandom } from "../../testing/seeded-random.ts";
import { OPUS_SILENCE } from "../silence.ts";
import { prepareListening } from "./prepare.ts";
import { type SpeechNews, SpeechWatch, type SpeechWatchOptions } from "./speech-watch.ts";

const RATE_HZ = 48_000;
const PACKET_MS = 20;

let speech: Float32Array;
const open: SpeechWatch[] = [];

beforeAll(async () => {
  await prepareListening();
  speech = await loadSpeech();
});

afterEach(() => {
  for (const watch of open.splice(0)) watch.close();
});

interface Told extends SpeechNews {
  /** Arrival of the packet that it was told with. */
  readonly toldMs: number;
}

/** A watch with its decoder there, and packets that come one each 20 ms. */
async function watchSpeech(options: SpeechWatchOptions = {}) {
  const told: Told[] = [];
  const failures: unknown[] = [];
  let nowMs = 0;
  const watch = new SpeechWatch({
    ...options,
    onSpeech: (news) => told.push({ ...news, toldMs: nowMs }),
    onFailed: (error) => failures.push(error),
  });
  open.push(watch);
  await new Promise(setImmediate);
  const hear = (packets: readonly Uint8Array[]) => {
    for (const packet of packets) {
      nowMs += PACKET_MS;
      watch.onPacket(packet, 0, packet.length, 0, nowMs);
      watch.tick(nowMs);
    }
  };
  const wait = (ms: number) => {
    for (const endMs = nowMs + ms; nowMs < endMs; ) {
      nowMs += PACKET_MS;
      watch.tick(nowMs);
    }
  };
  return { watch, told, failures, hear, wait };
}

function createSamples(seconds: number, sampleAt: (timeS: number, index: number) => number): Float32Array {
  return Float32Array.from({ length: seconds * RATE_HZ }, (_, i) => sampleAt(i / RATE_HZ, i));
}

function amplitudeOf(levelDbfs: number): number {
  return 10 ** (levelDbfs / 20);
}

/** White noise of about this level, and softer toward the highs the larger `smoothing` (0 to 1) is. */
function createNoise(levelDbfs: number, smoothing = 0): (timeS: number, index: number) => number {
  const random = new SeededRandom(3);
  // The variance of a uniform noise, and of what the filter leaves of it.
  const gain = amplitudeOf(levelDbfs) * Math.sqrt((12 * (1 + smoothing)) / (1 - smoothing));
  let last = 0;
  return () => {
    last = smoothing * last + (1 - smoothing) * (random.fraction() - 0.5) * gain;
    return last;
  };
}

/** Silence, with `sound` in the midst of it. */
function around(sound: Float32Array, beforeS: number, afterS: number): Float32Array {
  const samples = new Float32Array(sound.length + Math.round((beforeS + afterS) * RATE_HZ));
  samples.set(sound, Math.round(beforeS * RATE_HZ));
  return samples;
}

/** Where the first 5 ms louder than -45 dBFS begin, in ms. */
function onsetMs(samples: Float32Array): number {
  const step = RATE_HZ / 200;
  for (let start = 0; start < samples.length; start += step) {
    const energy = samples.subarray(start, start + step).reduce((sum, sample) => sum + sample * sample, 0);
    if (energy / step > amplitudeOf(-45) ** 2) return (start * 1000) / RATE_HZ;
  }
  return Number.NaN;
}

describe("speech", () => {
  test.each([0, 3, 7, 11, 14, 18])(
    "that begins %d ms into a packet is told within 40 ms of that packet's arrival",
    async (shiftMs) => {
      const { told, hear } = await watchSpeech();
      const samples = around(speech.subarray(0, RATE_HZ * 2), 1 + shiftMs / 1000, 0);
      hear(await encodePackets(samples));
      const beginMs = onsetMs(samples);
      const arrivalMs = Math.ceil((beginMs + 0.01) / PACKET_MS) * PACKET_MS;
      expect(told[0]?.type).toBe("start");
      expect(told[0]?.toldMs).toBeLessThanOrEqual(arrivalMs + 40);
      expect(Math.abs((told[0]?.atMs ?? 0) - beginMs)).toBeLessThanOrEqual(25);
    },
  );

  test.each([-10, -20, -30])("%d dB below the sample's level is told, too", async (gainDb) => {
    const { told, hear } = await watchSpeech();
    const quiet = speech.subarray(0, RATE_HZ * 2).map((sample) => sample * amplitudeOf(gainDb));
    hear(await encodePackets(around(quiet, 1, 0)));
    // The quieter it is, the later it is louder than the least level.
    expect(told[0]?.toldMs).toBeLessThan(1400);
  });

  test("is one, from its first word to its last, and ends 500 ms after it", async () => {
    const { watch, told, hear } = await watchSpeech({ endSilenceMs: 700 });
    const samples = around(speech, 1, 2);
    hear(await encodePackets(samples));
    expect(told.map(({ type }) => type)).toEqual(["start", "end"]);
    const endMs = told[1]?.atMs ?? 0;
    expect(endMs).toBeGreaterThan(10_500);
    expect(endMs).toBeLessThan(11_700);
    expect(told[1]?.toldMs).toBeGreaterThanOrEqual(endMs + 700);
    expect(told[1]?.toldMs).toBeLessThanOrEqual(endMs + 720);
    expect(watch.isSpeaking).toBe(false);
    expect(watch.lastVoiceMs).toBe(endMs);
  });

  test("ends without packets: the microphone was switched off", async () => {
    const { watch, told, hear, wait } = await watchSpeech();
    hear(await encodePackets(around(speech.subarray(0, RATE_HZ * 1.5), 1, 0)));
    expect(watch.isSpeaking).toBe(true);
    wait(600);
    expect(told.map(({ type }) => type)).toEqual(["start", "end"]);
  });

  test("ends with packets that stand for silence that is not sent", async () => {
    const { told, hear } = await watchSpeech();
    hear(await encodePackets(around(speech.subarray(0, RATE_HZ * 1.5), 1, 0)));
    hear(Array.from({ length: 30 }, () => Uint8Array.of(0x48)));
    expect(told.map(({ type }) => type)).toEqual(["start", "end"]);
  });

  test("is heard over noise", async () => {
    const noise = createNoise(-48, 0.8);
    const { told, hear } = await watchSpeech();
    hear(
      await encodePackets(
        around(speech.subarray(0, RATE_HZ * 2), 2, 0).map((sample) => sample + noise(0, 0)),
      ),
    );
    expect(told).toHaveLength(1);
    expect(told[0]?.atMs).toBeGreaterThan(1950);
    expect(told[0]?.toldMs).toBeLessThan(2150);
  });

  test("is heard in packets of 60 ms", async () => {
    const { told, hear } = await watchSpeech();
    const packets = await encodePackets(around(speech.subarray(0, RATE_HZ), 0.6, 0));
    // RFC 6716 §3.2.5: three frames in one packet.
    const long = packets.flatMap((packet, index) => {
      const group = packets.slice(index, index + 3);
      if (index % 3 !== 0 || group.length < 3 || group.some(([toc]) => toc !== packet[0])) return [];
      const [toc = 0] = packet;
      const lengths = group.slice(0, 2).map(({ length }) => length - 1);
      return [Uint8Array.of(toc | 3, 0x83, ...lengths, ...group.flatMap((part) => [...part.subarray(1)]))];
    });
    expect(long.length).toBeGreaterThan(20);
    hear(long);
    expect(told[0]?.type).toBe("start");
  });
});

describe("no speech is", () => {
  const silent = () => 0;
  const withPauses =
    (onS: number, offS: number, sample: (timeS: number, index: number) => number) => (t: number, i: number) =>
      t > 1 && t % (onS + offS) < onS ? sample(t, i) : 0;
  const sines =
    (levelDbfs: number, ...frequencies: readonly number[]) =>
    (t: number) =>
      frequencies.reduce((sum, hz) => sum + amplitudeOf(levelDbfs) * Math.sin(2 * Math.PI * hz * t), 0);
  const keys: [string, (t: number, i: number) => number][] = [697, 770, 852, 941].flatMap((low) =>
    [1209, 1336, 1477, 1633].map((high): [string, (t: number, i: number) => number] => [
      `key ${low}/${high}`,
      withPauses(0.1, 0.15, sines(-15, low, high)),
    ]),
  );

  test.each<[string, (timeS: number, index: number) => number]>([
    ["silence", silent],
    ["comfort noise, white", createNoise(-55)],
    ["comfort noise, soft", createNoise(-55, 0.9)],
    ["noise from the beginning on, white", createNoise(-35)],
    ["noise from the beginning on, soft", createNoise(-42, 0.9)],
    ["a beep of 1 kHz", withPauses(0.5, 0.5, sines(-15, 1000))],
    ["a beep of 440 Hz", withPauses(0.4, 0.6, sines(-12, 440))],
    ["hum of 50 Hz", withPauses(3, 1, sines(-20, 50))],
    ["clicks", withPauses(0.001, 0.7, createNoise(-6))],
    ["knocks", withPauses(0.2, 0.9, (t) => sines(-10, 180)(t) * Math.exp(-(t % 1.1) / 0.015))],
    ...keys,
  ])("%s", async (_, sampleAt) => {
    const { told, failures, hear } = await watchSpeech();
    hear(await encodePackets(createSamples(4, sampleAt)));
    expect(told).toEqual([]);
    expect(failures).toEqual([]);
  });

  test("noise that was taken for it: it ends by itself, and does not begin again", async () => {
    const { told, hear } = await watchSpeech();
    const noise = createNoise(-30, 0.8);
    hear(await encodePackets(createSamples(12, (timeS, index) => (timeS > 1 ? noise(timeS, index) : 0))));
    expect(told.length).toBeLessThanOrEqual(2);
    expect(told.at(-1)?.type ?? "end").toBe("end");
  });

  test("what the program's own silence is", async () => {
    const { told, watch, hear } = await watchSpeech();
    hear(Array.from({ length: 200 }, () => OPUS_SILENCE));
    expect(told).toEqual([]);
    expect(watch.lastVoiceMs).toBeNull();
  });
});

describe("whatever comes", () => {
  test("malformed packets are counted, and the next ones heard", async () => {
    const { watch, told, failures, hear } = await watchSpeech();
    const packets = await encodePackets(around(speech.subarray(0, RATE_HZ), 1, 0));
    hear(packets.flatMap((packet) => [Uint8Array.of(0xff, 0xff, 0xff), packet]));
    expect(watch.stats()).toEqual({
      packetsHeard: packets.length,
      packetsMalformed: packets.length,
      packetsUnheard: 0,
    });
    expect(told[0]?.type).toBe("start");
    expect(failures).toEqual([]);
  });

  test("random bytes hurt nobody", async () => {
    const random = new SeededRandom(8);
    const { watch, failures, hear } = await watchSpeech();
    hear(Array.from({ length: 500 }, (_, i) => random.bytes(i % 60)));
    watch.onRestart();
    expect(failures).toEqual([]);
  });
});

describe("the watch", () => {
  test("hears nothing before its decoder is there, and keeps nothing for later", async () => {
    const watch = new SpeechWatch({ onSpeech: () => {}, onFailed: () => {} });
    open.push(watch);
    for (let i = 0; i < 5; i += 1) watch.onPacket(OPUS_SILENCE, 0, 3, 0, i * PACKET_MS);
    expect(watch.stats()).toMatchObject({ packetsHeard: 0, packetsUnheard: 5 });
    await new Promise(setImmediate);
    watch.onPacket(OPUS_SILENCE, 0, 3, 0, 100);
    expect(watch.stats()).toMatchObject({ packetsHeard: 1, packetsUnheard: 5 });
  });

  test("closes before its decoder comes, and twice", async () => {
    const watch = new SpeechWatch({ onSpeech: () => {}, onFailed: () => {} });
    watch.close();
    watch.close();
    await new Promise(setImmediate);
    watch.onPacket(OPUS_SILENCE, 0, 3, 0, 0);
    watch.tick(1000);
    expect(watch.stats()).toMatchObject({ packetsHeard: 0, packetsUnheard: 0 });
  });

  test("ends, and says so once, when its listener throws", async () => {
    const fault = new Error("broken listener");
    const failures: unknown[] = [];
    const watch = new SpeechWatch({
      onSpeech: () => {
        throw fault;
      },
      onFailed: (error) => failures.push(error),
    });
    await new Promise(setImmediate);
    const packets = await encodePackets(around(speech.subarray(0, RATE_HZ), 1, 0));
    for (const [i, packet] of packets.entries()) watch.onPacket(packet, 0, packet.length, 0, i * PACKET_MS);
    expect(failures).toEqual([fault]);
    expect(watch.stats().packetsHeard).toBeLessThan(packets.length);
  });

  test("may be closed by the one whom it tells", async () => {
    const failures: unknown[] = [];
    let starts = 0;
    const watch = new SpeechWatch({
      onSpeech: () => {
        starts += 1;
        watch.close();
      },
      onFailed: (error) => failures.push(error),
    });
    await new Promise(setImmediate);
    const packets = await encodePackets(around(speech.subarray(0, RATE_HZ), 1, 0));
    for (const [i, packet] of packets.entries()) watch.onPacket(packet, 0, packet.length, 0, i * PACKET_MS);
    expect([starts, failures.length]).toEqual([1, 0]);
  });
});
