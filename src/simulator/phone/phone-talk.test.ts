import { createDecoder } from "libopus-wasm";
import { afterEach, describe, expect, it } from "vitest";
import {
  type Business,
  closeAll,
  connect,
  EVENTS,
  OPUS,
  rtpOf,
  SILENT_PACKET,
  until,
} from "../../../test/phone/business-peer.ts";
import { SoundDetector } from "./sound-detector.ts";
import { encodePart } from "./speech-encoder.ts";

afterEach(closeAll);

/** What the business received, decoded in order of sequence. */
async function decodeAll({ rtp }: Business): Promise<Int16Array> {
  const decoder = await createDecoder({ channels: 1, sampleRate: 48_000 });
  const audio = rtp.filter((packet) => (packet[1]! & 0x7f) === OPUS);
  const pcm = new Int16Array(audio.length * 960);
  audio.forEach((packet, i) => {
    pcm.set(decoder.decode(packet.subarray(12)), i * 960);
  });
  decoder.free();
  return pcm;
}

/** Where a tone is in PCM, in ms from its start. */
function tonesIn(pcm: Int16Array, frequencyHz: number) {
  const detector = new SoundDetector({ type: "tone", frequencyHz });
  detector.add(pcm, 0, 0);
  return detector.spans;
}

/** The business speaks as a gateway does: one packet each 20 ms. Returns when the last one left. */
async function speak(business: Business, packets: readonly Buffer[], first = 0): Promise<number> {
  const startMs = performance.now();
  for (const [i, payload] of packets.entries()) {
    await until(() => performance.now() >= startMs + i * 20, "the next slot");
    business.track.sendMessageBinary(rtpOf({ sequence: first + i, timestamp: (first + i) * 960, payload }));
  }
  return performance.now();
}

const toneOf = (frequencyHz: number, durationMs: number) => ({ tone: { frequencyHz, durationMs } });

describe("a phone that is told to speak", () => {
  it("says a tone in place of its voice, and tells when", async () => {
    const { phone, business } = await connect({ voice: { type: "tone", frequencyHz: 300 } });
    phone.markAccepted();
    await until(() => business.rtp.length >= 10, "the voice");
    const askedAtMs = performance.now();
    const spoken = await phone.say(toneOf(800, 400));
    const { packetsSent } = phone.report();
    await until(() => phone.report().packetsSent > packetsSent + 10, "the voice again");
    await phone.close();

    expect(spoken).toMatchObject({ isComplete: true, parts: [{ source: "say", part: 0, kind: "tone" }] });
    const { firstPacketAtMs, lastPacketAtMs } = spoken;
    expect(firstPacketAtMs!).toBeGreaterThan(askedAtMs);
    expect(lastPacketAtMs! - firstPacketAtMs!).toBeGreaterThan(250);
    expect(phone.report().spoken.map(({ source, kind }) => [source, kind])).toEqual([
      ["voice", "tone"],
      ["say", "tone"],
    ]);

    const sent = phone.sentPcm();
    const [tone, ...more] = tonesIn(sent, 800);
    expect(more).toEqual([]);
    expect(tone!.endedAtMs - tone!.startedAtMs).toBeGreaterThan(380);
    // The tone is where its first packet was: a late tick of this machine may lie between its slot and its departure.
    const toneAtMs = phone.sentStartMs! + tone!.startedAtMs;
    expect(firstPacketAtMs! - toneAtMs).toBeGreaterThan(-25);
    expect(firstPacketAtMs! - toneAtMs).toBeLessThan(110);
    expect(tonesIn(sent, 300)).toHaveLength(2);
  });

  it("has sent what the other side heard", async () => {
    const { phone, business } = await connect({ voice: { type: "script", parts: [toneOf(500, 200)] } });
    phone.markAccepted();
    await until(() => business.rtp.length >= 11, "the tone");
    await phone.say({
      pcm: Int16Array.from({ length: 8000 }, (_, i) => 9000 * Math.sin(i / 3)),
      rateHz: 16_000,
    });
    const { packetsSent } = phone.report();
    await until(() => business.rtp.length >= packetsSent, "all packets");
    await phone.close();
    const heard = await decodeAll(business);
    const sent = phone.sentPcm();
    expect(sent.length).toBeGreaterThanOrEqual(35 * 960);
    expect(tonesIn(sent, 500)).toHaveLength(1);
    // A slot that this machine missed is a pause in the time, and none in the packets.
    if (sent.length !== heard.length) return;
    // Decoders that begin in another state differ a little.
    const energyOf = (pcm: Int16Array): number => pcm.reduce((sum, sample) => sum + sample ** 2, 0);
    const difference = sent.map((sample, i) => sample - heard[i]!);
    expect(energyOf(difference) / energyOf(sent)).toBeLessThan(0.001);
  });

  it("says one thing after another, digits between them", async () => {
    const { phone, business } = await connect({ voice: { type: "mute" } });
    phone.markAccepted();
    const [first, second] = await Promise.all([
      phone.say([toneOf(600, 100), { silenceMs: 40 }]),
      phone.say(toneOf(900, 100)),
    ]);
    const [key] = await phone.sendDigits("5", { toneMs: 40 });
    await until(() => business.rtp.length >= phone.report().packetsSent, "all packets");
    expect(first.parts.map(({ kind }) => kind)).toEqual(["tone", "silence"]);
    expect(second.firstPacketAtMs!).toBeGreaterThan(first.lastPacketAtMs!);
    expect(key!.firstPacketAtMs).toBeGreaterThan(second.lastPacketAtMs!);
    expect(phone.report()).toMatchObject({ packetsSent: 16, pressed: [{ digit: "5", toneMs: 40 }] });
    expect(business.rtp.filter((packet) => (packet[1]! & 0x7f) === EVENTS)).toHaveLength(4);
    // RFC 3551 §4.1: a talkspurt after a pause begins with the marker.
    expect((business.rtp[0]![1]! & 0x80) !== 0).toBe(true);
  });

  it("is cut short by the end, and refuses what cannot be said", async () => {
    const { phone, business } = await connect();
    phone.markAccepted();
    await expect(phone.say({ file: "/nowhere/hello.wav" })).rejects.toMatchObject({
      code: "MEDIA_FILE_UNUSABLE",
    });
    await expect(phone.say({ silenceMs: 0 })).rejects.toMatchObject({ code: "OPTION_INVALID" });
    const cut = phone.say(toneOf(600, 60_000));
    await until(() => phone.report().spoken.length > 0, "the tone");
    expect(business.rtp.length).toBeGreaterThan(0);
    await phone.close();
    expect(await cut).toMatchObject({ isComplete: false, parts: [{ kind: "tone" }] });
    expect(await phone.say(toneOf(600, 20))).toMatchObject({ isComplete: false, parts: [] });
  });

  it("has a voice of its own beside other phones", async () => {
    const calls = await Promise.all(
      [400, 900].map((frequencyHz) => connect({ voice: { type: "tone", frequencyHz } })),
    );
    for (const { phone } of calls) phone.markAccepted();
    for (const { business } of calls) await until(() => business.rtp.length >= 25, "half a second of voice");
    const heard = await Promise.all(calls.map(({ business }) => decodeAll(business)));
    expect(heard.map((pcm) => [tonesIn(pcm, 400).length, tonesIn(pcm, 900).length])).toEqual([
      [1, 0],
      [0, 1],
    ]);
  });
});

describe("a phone that listens", () => {
  it("knows when a tone began while it goes on, and afterwards when its last sample came", async () => {
    const { phone, business } = await connect();
    const tone = await encodePart(toneOf(440, 400));
    const silence = new Array<Buffer>(20).fill(SILENT_PACKET);
    const heard = phone.waitForTone(440);
    const deaf = phone.waitForTone(880, { timeoutMs: 400 });
    const startMs = performance.now();
    let isOver = false;
    const heardEarly = heard.then(() => !isOver);
    const overAtMs = await speak(business, [...silence, ...tone]);
    isOver = true;
    await speak(business, silence, 40);
    await until(() => phone.report().packetsReceived === 60, "all packets");

    expect(await heardEarly).toBe(true);
    expect(await deaf).toBeNull();
    expect((await heard)! - startMs).toBeGreaterThan(395);
    expect((await heard)! - startMs).toBeLessThan(500);
    const lastMs = phone.lastToneAtMs(440)!;
    // The last packet left at `overAtMs` and lasts 20 ms; a codec's tail is some ms longer.
    expect(lastMs - overAtMs).toBeGreaterThan(0);
    expect(lastMs - overAtMs).toBeLessThan(80);
    expect(phone.spansHeard({ type: "tone", frequencyHz: 440 })).toHaveLength(1);
    expect(phone.lastToneAtMs(440, lastMs + 40)).toBeNull();
    expect(phone.lastToneAtMs(880)).toBeNull();
    expect(phone.heardPackets()).toHaveLength(60);
    const [span] = tonesIn(phone.heardPcm(), 440);
    expect(Math.abs(phone.heardStartMs! + span!.endedAtMs - lastMs)).toBeLessThan(60);
  });

  it("waits for quiet", async () => {
    const { phone, business } = await connect();
    const tone = await encodePart(toneOf(440, 200));
    const quiet = (async () => {
      await phone.hears({ type: "sound" });
      return await phone.hears({ type: "quiet", forMs: 100 });
    })();
    const overAtMs = await speak(business, tone);
    await speak(business, new Array<Buffer>(15).fill(SILENT_PACKET), 10);
    const quietSinceMs = (await quiet)!;
    expect(quietSinceMs - overAtMs).toBeGreaterThan(-5);
    expect(quietSinceMs - overAtMs).toBeLessThan(120);
  });

  it("waits no longer than the call lasts", async () => {
    const { phone } = await connect();
    const waiting = phone.waitForTone(440);
    await phone.close();
    expect(await waiting).toBeNull();
    expect(await phone.waitForTone(440)).toBeNull();
    await expect(phone.waitForTone(9000)).rejects.toMatchObject({ code: "OPTION_INVALID" });
    await expect(phone.waitForTone(440, { timeoutMs: -1 })).rejects.toMatchObject({ code: "OPTION_INVALID" });
  });

  it("lets 64 wait", async () => {
    const { phone } = await connect();
    const waiting = Array.from({ length: 64 }, () => phone.waitForTone(440));
    await expect(phone.waitForTone(440)).rejects.toMatchObject({ code: "OPTION_INVALID" });
    await phone.close();
    expect(new Set(await Promise.all(waiting))).toEqual(new Set([null]));
  });
});

describe("a phone behind a bad network", () => {
  it("comes up as ever, and then loses, doubles and mixes up packets both ways", async () => {
    const { phone, business } = await connect({
      network: {
        seed: 4,
        toBusiness: { lossPercent: 30, jitterMs: 60 },
        toPhone: { duplicatePercent: 50, reorderPercent: 20, reorderMs: 30 },
      },
    });
    phone.markAccepted();
    await speak(business, new Array<Buffer>(60).fill(SILENT_PACKET));
    await until(() => phone.report().packetsReceived >= 60, "the packets of the business");
    const { network, packetsSent, packetsLost } = phone.report();
    const { toBusiness, toPhone } = network!;
    expect(toBusiness.lost).toBeGreaterThan(5);
    expect(toBusiness.lost + toBusiness.passed).toBeGreaterThanOrEqual(packetsSent);
    expect(toPhone).toMatchObject({ lost: 0, overflowed: 0 });
    expect(toPhone.heldBack).toBeGreaterThan(2);
    expect(packetsLost).toBe(0);
    const sequences = business.rtp.map((packet) => packet.readUInt16BE(2));
    const steps = sequences.slice(1).map((sequence, i) => ((sequence - sequences[i]!) << 16) >> 16);
    expect(Math.min(...steps)).toBeLessThan(0);
  });

  it("is not connected at all when nothing gets through, but was before", async () => {
    const { phone, business } = await connect({
      network: { toBusiness: { lossPercent: 100 }, toPhone: { lossPercent: 100 } },
    });
    phone.markAccepted();
    await speak(business, new Array<Buffer>(5).fill(SILENT_PACKET));
    await until(() => (phone.report().network?.toPhone.lost ?? 0) >= 5, "the loss");
    expect(phone.report()).toMatchObject({ packetsReceived: 0 });
    expect(business.rtp).toEqual([]);
  });
});
