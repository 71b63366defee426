import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import decode from "audio-decode";
import { createDecoder, createEncoder } from "libopus-wasm";
import { afterEach, describe, expect, it } from "vitest";
import {
  answerPhone,
  closeAll,
  connect,
  EVENTS,
  OPUS,
  openPhone,
  rtpOf,
  SILENT_PACKET,
  until,
} from "../../../test/phone/business-peer.ts";
import { compareAudio } from "../../core/audio/similarity.ts";
import { senderReportTime } from "./rtcp.ts";

const SPEECH = new URL("../../../test/fixtures/audio/speech-workshop.ogg", import.meta.url);

afterEach(closeAll);

const payloadType = (packet: Buffer): number => packet[1]! & 0x7f;
const sequenceOf = (packet: Buffer): number => packet.readUInt16BE(2);
const timestampOf = (packet: Buffer): number => packet.readUInt32BE(4);

async function loadSpeech(): Promise<Int16Array> {
  const audio = await decode(new Uint8Array(await readFile(SPEECH)));
  return Int16Array.from(audio.channelData[0]!, (sample) => Math.max(-1, Math.min(1, sample)) * 32_767);
}

describe("a call between the phone and a business", () => {
  it.each([
    ["the relay serves", "actpass", "AES128_CM_HMAC_SHA1_80"],
    ["the relay serves", "actpass", "AEAD_AES_128_GCM"],
    ["the relay serves as its offer says", "passive", "AES128_CM_HMAC_SHA1_80"],
    ["the relay is the DTLS client", "active", "AES128_CM_HMAC_SHA1_80"],
    ["the relay is the DTLS client", "active", "AEAD_AES_128_GCM"],
  ] as const)("connects when %s (%s, %s)", async (_name, setup, profile) => {
    const { phone, business } = await connect({
      setup,
      srtpProfiles: [profile],
      voice: { type: "tone", frequencyHz: 440 },
    });
    expect(phone.report().srtpProfile).toBe(profile);
    expect(business.answer.setup).toBe(setup === "active" ? "passive" : "active");

    phone.markAccepted();
    await until(() => business.rtp.length >= 5, "RTP of the phone");
    for (let i = 0; i < 5; i += 1) {
      business.track.sendMessageBinary(rtpOf({ sequence: i, timestamp: i * 960, payload: SILENT_PACKET }));
    }
    await until(() => phone.report().packetsReceived === 5, "RTP of the business");
    expect(await phone.firstRtp).toBeGreaterThan(phone.report().dtlsConnectedMs!);
    expect(phone.report()).toMatchObject({
      packetsRejected: 0,
      packetsLost: 0,
      ssrcCount: 1,
      packetsBeforeAccept: 0,
    });
    expect(new Set(business.rtp.map((packet) => packet.readUInt32BE(8)))).toEqual(
      new Set([phone.parameters.ssrc]),
    );
  });

  it("carries speech both ways, with RTCP beside it", async () => {
    const { phone, business } = await connect({ voice: { type: "file", path: fileURLToPath(SPEECH) } });
    const speech = await loadSpeech();
    phone.markAccepted();
    const encoder = await createEncoder({ channels: 1, sampleRate: 48_000, bitrate: 24_000 });
    for (let i = 0; (i + 1) * 960 <= speech.length; i += 1) {
      const payload = encoder.encode(speech.subarray(i * 960, (i + 1) * 960));
      business.track.sendMessageBinary(
        rtpOf({ sequence: 65_500 + i, timestamp: 0xffff_0000 + i * 960, payload }),
      );
    }
    encoder.free();
    // RFC 3550 §6.4.2: an empty receiver report.
    business.track.sendMessageBinary(Buffer.from("80c900010000109a", "hex"));
    await until(() => phone.report().rtcpReceived >= 1, "RTCP of the business");
    expect(compareAudio(speech, phone.heardPcm(), 48_000).similarity).toBeGreaterThan(0.9);
    expect(phone.report()).toMatchObject({ packetsLost: 0, badTimestampSteps: 0, packetsWrongDuration: 0 });
    expect(phone.lastReceivedAtMs).toBeGreaterThan(phone.startedAtMs);

    await until(() => business.rtp.length >= 165 && business.rtcp.length >= 1, "the phone's speech and RTCP");
    const decoder = await createDecoder({ channels: 1, sampleRate: 48_000 });
    const heard = new Int16Array(business.rtp.length * 960);
    business.rtp.forEach((packet, i) => {
      heard.set(decoder.decode(packet.subarray(12)), i * 960);
    });
    decoder.free();
    expect(compareAudio(speech, heard, 48_000).similarity).toBeGreaterThan(0.9);
    expect(senderReportTime(business.rtcp[0]!)).not.toBeNull();
  });

  it("sends without a gap and without drift", async () => {
    const { phone, business } = await connect();
    phone.markAccepted();
    await until(() => business.rtp.length >= 1, "the first packet");
    const startMs = performance.now();
    await until(() => business.rtp.length >= 51, "a second of packets");
    const elapsedMs = performance.now() - startMs;
    const sentMs = ((timestampOf(business.rtp.at(-1)!) - timestampOf(business.rtp[0]!)) >>> 0) / 48;
    expect(Math.abs(elapsedMs - sentMs)).toBeLessThan(300);
    business.rtp.forEach((packet, i) => {
      expect((sequenceOf(packet) - sequenceOf(business.rtp[0]!)) & 0xffff).toBe(i);
      // More than one step after a stall of this machine: what was missed is skipped.
      const steps = i === 0 ? 0 : ((timestampOf(packet) - timestampOf(business.rtp[i - 1]!)) >>> 0) / 960;
      expect(Number.isInteger(steps) && steps >= Math.min(i, 1) && steps < 50).toBe(true);
      expect((packet[1]! & 0x80) !== 0).toBe(i === 0);
    });
  });

  it("sends digits in the stream of its voice", async () => {
    const { phone, business } = await connect();
    phone.markAccepted();
    await until(() => business.rtp.length >= 3, "the voice");
    await phone.sendDigits("4*");
    await until(
      () => business.rtp.slice(-1).every((packet) => payloadType(packet) === OPUS),
      "the voice again",
    );
    const events = business.rtp.filter((packet) => payloadType(packet) === EVENTS);
    expect(events).toHaveLength(14);
    expect(events.map((packet) => packet[12])).toEqual([...new Array(7).fill(4), ...new Array(7).fill(10)]);
    expect(new Set(events.map(timestampOf)).size).toBe(2);
    business.rtp.forEach((packet, i) => {
      expect((sequenceOf(packet) - sequenceOf(business.rtp[0]!)) & 0xffff).toBe(i);
      expect(packet.readUInt32BE(8)).toBe(phone.parameters.ssrc);
    });
  });

  it("hears digits of the business", async () => {
    const { phone, business } = await connect();
    [0x01, 0x02].forEach((digit, index) => {
      for (let i = 0; i < 3; i += 1) {
        const event = Buffer.from([digit, 0x8a, 0x03, 0x20]);
        const at = { sequence: index * 3 + i, timestamp: index * 7680 };
        business.track.sendMessageBinary(rtpOf({ ...at, payload: event, payloadType: EVENTS }));
      }
    });
    await until(() => phone.report().packetsReceived === 6, "six events");
    expect(phone.report().digits).toBe("12");
  });

  it("hears a lost packet as silence in its place", async () => {
    const { phone, business } = await connect();
    const encoder = await createEncoder({ channels: 1, sampleRate: 48_000, bitrate: 24_000 });
    for (let i = 0; i < 50; i += 1) {
      const pcm = Int16Array.from({ length: 960 }, (_, j) => 8000 * Math.sin((i * 960 + j) * 0.06));
      const payload = encoder.encode(pcm);
      if (i !== 30) business.track.sendMessageBinary(rtpOf({ sequence: i, timestamp: i * 960, payload }));
    }
    encoder.free();
    await until(() => phone.report().packetsReceived === 49, "49 packets");
    const pcm = phone.heardPcm();
    expect(pcm).toHaveLength(50 * 960);
    expect(phone.report().packetsLost).toBe(1);
    expect(pcm.subarray(30 * 960, 31 * 960).every((sample) => sample === 0)).toBe(true);
    expect(Math.max(...pcm.subarray(29 * 960, 30 * 960))).toBeGreaterThan(4000);
  });

  it("says nothing before the accept, and counts what the business says too early", async () => {
    const { phone, business } = await connect();
    business.track.sendMessageBinary(rtpOf({ sequence: 1, timestamp: 960, payload: SILENT_PACKET }));
    await until(() => phone.report().packetsReceived === 1, "the early packet");
    expect(phone.report()).toMatchObject({ packetsBeforeAccept: 1, packetsSent: 0 });
    phone.markAccepted();
    business.track.sendMessageBinary(rtpOf({ sequence: 2, timestamp: 1920, payload: SILENT_PACKET }));
    expect(await phone.firstRtp).not.toBeNull();
    expect(phone.report().packetsBeforeAccept).toBe(1);
  });

  it("says nothing with a mute voice but digits", async () => {
    const { phone, business } = await connect({ voice: { type: "mute" } });
    phone.markAccepted();
    await phone.sendDigits("7");
    await until(() => business.rtp.length === 7, "seven events");
    expect(phone.report().packetsSent).toBe(7);
  });

  it("falls silent for good", async () => {
    const { phone, business } = await connect();
    phone.markAccepted();
    await until(() => business.rtp.length >= 3, "the voice");
    const digits = phone.sendDigits("1234567890");
    phone.goSilent();
    await digits;
    const { packetsSent } = phone.report();
    phone.markAccepted();
    await phone.sendDigits("1");
    await until(() => business.rtp.length === packetsSent, "the last packet");
    expect(phone.report().packetsSent).toBe(packetsSent);
  });

  it.each(["actpass", "active"] as const)(
    "never connects with a wrong fingerprint (offer: %s)",
    async (setup) => {
      const phone = await openPhone({ setup });
      const business = await answerPhone(phone, setup);
      const other = (await openPhone()).parameters.sha256Fingerprint;
      phone.applyAnswer({ ...business.answer, fingerprints: [{ algorithm: "sha-256", value: other }] });
      phone.markAccepted();
      await until(() => ["failed", "closed"].includes(business.state()), "the business's failure");
      expect(phone.report()).toMatchObject({ dtlsConnectedMs: null, packetsSent: 0, srtpProfile: null });
      expect(phone.report().iceConnectedMs).not.toBeNull();
    },
  );

  it("compares the fingerprint without regard to case, among several", async () => {
    const phone = await openPhone();
    const business = await answerPhone(phone, "actpass");
    const [right] = business.answer.fingerprints;
    const fingerprints = [
      { algorithm: "sha-512", value: "00:11" },
      { algorithm: "SHA-256", value: right!.value.toLowerCase() },
    ];
    phone.applyAnswer({ ...business.answer, fingerprints });
    await until(() => phone.report().dtlsConnectedMs !== null, "DTLS");
    expect(phone.report().packetsRejected).toBe(0);
  });
});
