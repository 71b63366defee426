import fc from "fast-check";
import { afterEach, beforeAll, describe, expect, test } from "vitest";
import { encodePackets, headerOf, loadSpeech } from "../../../test/support/opus-stream.ts";
import { compareAudio } from "../../core/audio/similarity.ts";
import { SeededRandom } from "../../testing/seeded-random.ts";
import { OpusDecoder, type OpusRateHz, slotSamples } from "../opus-codec.ts";
import { OPUS_SILENCE } from "../silence.ts";
import { AudioListener } from "./audio-listener.ts";
import { OrderedAudio, type OrderedFrame } from "./ordered-audio.ts";

const RATES: readonly OpusRateHz[] = [8000, 16_000, 24_000, 48_000];
const SLOT_MS = 20;

let speech: Float32Array;
let packets: readonly Uint8Array[];
const open: AudioListener[] = [];

beforeAll(async () => {
  speech = await loadSpeech();
  packets = await encodePackets(speech);
});

afterEach(() => {
  for (const listener of open.splice(0)) listener.close();
});

/** What one listener hears of a call. */
class Hearing {
  readonly ordered = new OrderedAudio();
  readonly slots: Int16Array[] = [];
  readonly failures: unknown[] = [];
  readonly listener: AudioListener;

  private constructor(rateHz: OpusRateHz, adapt: (listener: AudioListener) => void) {
    this.listener = new AudioListener({
      rateHz,
      onSamples: (samples) => this.slots.push(samples.slice()),
      onFailed: (error) => this.failures.push(error),
    });
    open.push(this.listener);
    adapt(this.listener);
    this.ordered.add(this.listener);
  }

  /** With its decoder there. */
  static async begin(
    rateHz: OpusRateHz = 16_000,
    adapt: (listener: AudioListener) => void = () => {},
  ): Promise<Hearing> {
    const hearing = new Hearing(rateHz, adapt);
    await new Promise(setImmediate);
    return hearing;
  }

  get samples(): Int16Array {
    return Int16Array.from(this.slots.flatMap((slot) => [...slot]));
  }

  /** Each packet at its time: a number of ms after it was sent, or never. */
  play(
    sent: readonly Uint8Array[],
    delayOf: (number: number) => number | null = () => 0,
    packetMs = 20,
  ): void {
    const arrivals = sent
      .map((packet, number) => ({ packet, number, delayMs: delayOf(number) }))
      .flatMap(({ packet, number, delayMs }) =>
        delayMs === null ? [] : [{ packet, number, atMs: number * packetMs + delayMs }],
      )
      .sort((a, b) => a.atMs - b.atMs);
    const endMs = sent.length * packetMs + 500;
    let next = 0;
    for (let nowMs = 7; nowMs < endMs; nowMs += SLOT_MS) {
      for (
        let arrival = arrivals[next];
        arrival !== undefined && arrival.atMs <= nowMs;
        arrival = arrivals[next]
      ) {
        this.ordered.push(
          arrival.packet,
          headerOf(arrival.number, arrival.packet, packetMs * 48),
          arrival.atMs,
        );
        next += 1;
      }
      this.ordered.tick(nowMs);
    }
  }
}

function rms(samples: Int16Array): number {
  return Math.sqrt(samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length);
}

/** Ratio of `wanted` to what `heard` differs from it, in dB. */
function signalToNoiseDb(wanted: Int16Array, heard: Int16Array): number {
  let signal = 0;
  let noise = 0;
  wanted.forEach((sample, i) => {
    signal += sample * sample;
    noise += (sample - (heard[i] ?? 0)) ** 2;
  });
  return 10 * Math.log10(signal / noise);
}

describe("a stream without losses", () => {
  test.each(RATES)("comes out at %d Hz as its decoder gives it, 20 ms a slot", async (rateHz) => {
    const hearing = await Hearing.begin(rateHz);
    hearing.play(packets.slice(0, 100));
    const decoder = await OpusDecoder.create({ rateHz });
    for (let number = 0; number < 100; number += 1) {
      const packet = packets[number];
      if (packet !== undefined) expect(hearing.slots[number]).toEqual(decoder.decode(packet));
    }
    decoder.close();
    for (const slot of hearing.slots) expect(slot).toHaveLength(slotSamples(rateHz));
    expect(hearing.listener.stats()).toMatchObject({
      packetsDecoded: 100,
      packetsMalformed: 0,
      packetsUndecoded: 0,
    });
  });

  test("begins with the first packet: before it there is nothing, behind it no slot is left out", async () => {
    const hearing = await Hearing.begin();
    for (let slot = 0; slot < 20; slot += 1) hearing.ordered.tick(slot * SLOT_MS);
    expect(hearing.slots).toHaveLength(0);
    hearing.play(packets.slice(0, 10));
    // Two slots of delay before the first one.
    expect(hearing.slots).toHaveLength((10 * SLOT_MS + 500) / SLOT_MS - 2);
  });
});

describe("losses", () => {
  const random = new SeededRandom(11);
  const lost = new Set(
    Array.from({ length: 500 }, (_, number) => number).filter(
      (number) => number > 0 && random.fraction() < 0.1,
    ),
  );
  const withLoss = (number: number) => (lost.has(number) ? null : 0);

  test("do not shift what comes behind them", async () => {
    const hearing = await Hearing.begin();
    const whole = await Hearing.begin();
    hearing.play(packets, withLoss);
    whole.play(packets);
    expect(hearing.slots).toHaveLength(whole.slots.length);
    expect(signalToNoiseDb(whole.samples, hearing.samples)).toBeGreaterThan(5);
  });

  test("are restored by FEC much better than they are concealed", async () => {
    const whole = await Hearing.begin();
    const restored = await Hearing.begin();
    const concealed = await Hearing.begin(16_000, (listener) => {
      const onLost = listener.onLost.bind(listener);
      listener.onLost = (rtpTicks: number, _following: OrderedFrame | null) => onLost(rtpTicks, null);
    });
    whole.play(packets);
    restored.play(packets, withLoss);
    concealed.play(packets, withLoss);
    const withFecDb = signalToNoiseDb(whole.samples, restored.samples);
    const withoutFecDb = signalToNoiseDb(whole.samples, concealed.samples);
    expect(withFecDb).toBeGreaterThan(withoutFecDb + 3);
    expect(restored.listener.stats().packetsRestored).toBeGreaterThan(30);
    expect(concealed.listener.stats()).toMatchObject({ packetsRestored: 0 });
    expect(concealed.listener.stats().concealedMs).toBeGreaterThan(600);
  });

  test("of 5 of 100 packets with 60 ms of jitter leave speech of its length, and like it", async () => {
    const jitter = new SeededRandom(5);
    const hearing = await Hearing.begin(16_000);
    hearing.play(packets, (number) =>
      number > 0 && jitter.fraction() < 0.05 ? null : jitter.fraction() * 60,
    );
    const decoder = await OpusDecoder.create({ rateHz: 16_000 });
    const sent = Int16Array.from(packets.flatMap((packet) => [...(decoder.decode(packet) ?? [])]));
    decoder.close();
    const heard = hearing.samples.subarray(0, sent.length);
    const { similarity, offsetMs } = compareAudio(sent, heard, 16_000);
    expect(heard).toHaveLength(sent.length);
    expect(similarity).toBeGreaterThan(0.9);
    expect(Math.abs(offsetMs)).toBeLessThan(100);
  });
});

describe("a stream that pauses", () => {
  test("is concealed for 100 ms and silent from then on, and goes on as long after it as it was sent", async () => {
    const hearing = await Hearing.begin();
    const pauseMs = 1000;
    let number = 0;
    for (let nowMs = 7; nowMs < 100 * SLOT_MS + pauseMs + 60; nowMs += SLOT_MS) {
      // DTX: the timestamp goes on during the pause, the sequence does not.
      const isBehind = number >= 50;
      if (number < 100 && number * SLOT_MS + (isBehind ? pauseMs : 0) < nowMs) {
        const packet = packets[50 + number] ?? OPUS_SILENCE;
        const header = headerOf(number, packet);
        if (isBehind) header.timestamp = (header.timestamp + pauseMs * 48) >>> 0;
        hearing.ordered.push(packet, header, nowMs - 7);
        number += 1;
      }
      hearing.ordered.tick(nowMs);
    }
    const loud = hearing.slots.map((slot) => rms(slot) > 0);
    expect(loud.indexOf(false)).toBe(55);
    expect(loud.indexOf(true, 55)).toBe(100);
    expect(loud.slice(100, 150)).not.toContain(false);
    expect(hearing.listener.stats()).toMatchObject({ packetsDecoded: 100, silentMs: pauseMs - 100 });
  });

  test("ends without a click: what is concealed fades out", async () => {
    const hearing = await Hearing.begin();
    hearing.play(packets.slice(50, 100));
    const lastHeard = hearing.slots.findLast((slot) => rms(slot) > 0);
    expect(Math.abs(lastHeard?.at(-1) ?? Number.NaN)).toBeLessThan(10);
  });
});

describe("packets that last longer than a slot", () => {
  test.each([
    [40, 2],
    [60, 3],
    [120, 6],
  ])("of %d ms are spread over %d slots", async (packetMs, count) => {
    const long = repack(packets, count);
    const hearing = await Hearing.begin();
    const whole = await Hearing.begin();
    hearing.play(long, () => 0, packetMs);
    whole.play(packets.slice(0, long.length * count));
    const length = long.length * count;
    const same = hearing.slots.slice(0, length).filter((slot, index) => {
      const wanted = whole.slots[index];
      return wanted !== undefined && slot.every((sample, i) => sample === wanted[i]);
    });
    expect(same).toHaveLength(length);
  });

  test("and are lost leave their length of concealed sound", async () => {
    const long = repack(packets, 3);
    const hearing = await Hearing.begin();
    hearing.play(long, (number) => (number === 20 ? null : 0), 60);
    // 500 slots, the end of the harness, less the delay at the beginning.
    expect(hearing.slots).toHaveLength(Math.floor((long.length * 60 + 500) / SLOT_MS) - 2);
  });
});

/** One packet of the frames of several: RFC 6716 §3.2.5, code 3 with lengths of their own. */
function repack(sent: readonly Uint8Array[], count: number): readonly Uint8Array[] {
  const long: Uint8Array[] = [];
  for (let first = 0; first + count <= sent.length; first += count) {
    const group = sent.slice(first, first + count);
    const [toc = 0] = group[0] ?? [];
    if (group.some((packet) => packet[0] !== toc)) throw new Error("The encoder has changed its mode.");
    const lengths = group.slice(0, -1).flatMap(({ length }) => {
      const bytes = length - 1;
      return bytes < 252 ? [bytes] : [252 + (bytes & 3), (bytes - 252 - (bytes & 3)) / 4];
    });
    long.push(
      Uint8Array.of(toc | 3, 0x80 | count, ...lengths, ...group.flatMap((packet) => [...packet.subarray(1)])),
    );
  }
  return long;
}

describe("input that is broken", () => {
  test("malformed packets count as lost ones", async () => {
    const hearing = await Hearing.begin();
    const sent = packets
      .slice(0, 100)
      .map((packet, number) => (number % 10 === 5 ? Uint8Array.of(0xff, 0xff) : packet));
    hearing.play(sent);
    expect(hearing.listener.stats()).toMatchObject({ packetsDecoded: 90, packetsMalformed: 10 });
    expect(hearing.failures).toEqual([]);
    expect(rms(hearing.slots[55] ?? new Int16Array())).toBeGreaterThan(0);
  });

  test("another stream goes on where the last one was cut off", async () => {
    const hearing = await Hearing.begin();
    hearing.play(packets.slice(0, 50));
    const slots = hearing.slots.length;
    for (let number = 0; number < 50; number += 1) {
      const packet = packets[100 + number] ?? OPUS_SILENCE;
      hearing.ordered.push(packet, { ...headerOf(number, packet), ssrc: 99 }, 2000 + number * SLOT_MS);
      hearing.ordered.tick(2007 + number * SLOT_MS);
    }
    expect(hearing.slots).toHaveLength(slots + 50);
    expect(hearing.listener.stats().packetsDecoded).toBe(98);
  });

  test("whatever comes, each slot has its 20 ms", async () => {
    const packet = fc.oneof(
      fc.uint8Array({ maxLength: 40 }),
      // Whole packets of any length, by their first byte.
      fc
        .tuple(fc.nat(255), fc.uint8Array({ minLength: 3, maxLength: 30 }))
        .map(([toc, rest]) => Uint8Array.of(toc, ...rest)),
      fc.nat(400).map((index) => packets[index] ?? OPUS_SILENCE),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(packet, fc.nat(3)), { maxLength: 60 }), async (sendings) => {
        const hearing = await Hearing.begin(8000);
        let number = 0;
        for (const [payload, gap] of sendings) {
          number += gap;
          hearing.ordered.push(payload, headerOf(number, payload), number * SLOT_MS);
          hearing.ordered.tick(number * SLOT_MS + 50);
        }
        for (const slot of hearing.slots) expect(slot).toHaveLength(160);
        expect(hearing.failures).toEqual([]);
        hearing.listener.close();
      }),
      { numRuns: 60 },
    );
  });
});

describe("the decoder", () => {
  test("takes no packets before it is there, and keeps none for later", async () => {
    const ordered = new OrderedAudio();
    let slots = 0;
    const listener = new AudioListener({ rateHz: 16_000, onSamples: () => (slots += 1), onFailed: () => {} });
    open.push(listener);
    ordered.add(listener);
    for (let number = 0; number < 10; number += 1) {
      ordered.push(OPUS_SILENCE, headerOf(number, OPUS_SILENCE), number * SLOT_MS);
      ordered.tick(number * SLOT_MS + 7);
    }
    expect(slots).toBe(0);
    expect(listener.stats().packetsUndecoded).toBe(8);
    await new Promise(setImmediate);
    for (let number = 10; number < 20; number += 1) {
      ordered.push(OPUS_SILENCE, headerOf(number, OPUS_SILENCE), number * SLOT_MS);
      ordered.tick(number * SLOT_MS + 7);
    }
    expect(slots).toBe(10);
  });

  test("is given back when the listener was closed before it came", async () => {
    const listener = new AudioListener({ rateHz: 16_000, onSamples: () => {}, onFailed: () => {} });
    listener.close();
    listener.close();
    await new Promise(setImmediate);
    listener.onSlotEnd();
    expect(listener.stats().packetsDecoded).toBe(0);
  });

  test("that cannot be had ends the listener, and says so once", async () => {
    // No rate that Opus has: the decoder refuses it.
    const hearing = await Hearing.begin(11_025 as OpusRateHz);
    hearing.play(packets.slice(0, 10));
    expect(hearing.failures).toHaveLength(1);
    expect(hearing.ordered.isWanted).toBe(false);
  });

  test("a listener that throws is closed and told, and nobody else is hurt", async () => {
    const ordered = new OrderedAudio();
    const fault = new Error("broken listener");
    const failures: unknown[] = [];
    const listener = new AudioListener({
      rateHz: 8000,
      onSamples: () => {
        throw fault;
      },
      onFailed: (error) => failures.push(error),
    });
    ordered.add(listener);
    await new Promise(setImmediate);
    for (let number = 0; number < 10; number += 1) {
      ordered.push(OPUS_SILENCE, headerOf(number, OPUS_SILENCE), number * SLOT_MS);
      ordered.tick(number * SLOT_MS + 7);
    }
    expect(failures).toEqual([fault]);
    expect(ordered.isWanted).toBe(false);
  });
});
