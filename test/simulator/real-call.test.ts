import { afterEach, beforeEach, expect, test } from "vitest";
import { buildAnswer, readAudioDescription } from "../../src/core/sdp/index.ts";
import type { MediaEngine, MediaLeg } from "../../src/media/engine.ts";
import { createTransportEngine } from "../../src/media/transport-engine.ts";
import { createSimulator, type PhoneCall, type Simulator } from "../../src/simulator/index.ts";
import { act, type Receiver, startReceiver } from "./fixture.ts";

let engine: MediaEngine;
let receiver: Receiver;
let simulator: Simulator;

beforeEach(async () => {
  engine = await createTransportEngine({ bindAddress: "127.0.0.1" });
  receiver = await startReceiver();
  simulator = createSimulator({
    webhookUrl: receiver.url,
    timers: { firstMediaTimeoutMs: 10_000, mediaGapTimeoutMs: 500 },
  });
  await simulator.start();
});

afterEach(async () => {
  await simulator.close();
  await engine.close();
  await receiver[Symbol.asyncDispose]();
});

/** Does by hand what a gateway does: pre_accept, media up, accept. */
async function answer(call: PhoneCall): Promise<MediaLeg> {
  const session = receiver.events().find(({ id }) => id === call.callId)?.["session"] as { sdp: string };
  const offer = readAudioDescription(session.sdp, { as: "offer" });
  let isConnected = false;
  const leg = await engine.openLeg(offer, {
    onIceConnected() {},
    onState: (state) => {
      isConnected ||= state === "connected";
    },
    onRtp() {},
    onRtcp() {},
  });
  const sdp = buildAnswer(offer, leg.local);
  expect((await act(simulator, "pre_accept", call.callId, sdp)).status).toBe(200);
  leg.connect();
  await expect.poll(() => isConnected, { timeout: 5_000 }).toBe(true);
  expect((await act(simulator, "accept", call.callId, sdp)).status).toBe(200);
  return leg;
}

/** Sends one packet each 20 ms. Returns how to stop. */
function speak(leg: MediaLeg): () => void {
  // RTP version 2, payload type 111; the payload is Opus' shortest silence of 20 ms (RFC 6716 §3.1).
  const packet = Buffer.from([0x80, 111, ...Array.from({ length: 10 }, () => 0), 0xf8, 0xff, 0xfe]);
  packet.writeUInt32BE(leg.local.ssrc, 8);
  let count = 0;
  const timer = setInterval(() => {
    packet.writeUInt16BE(count & 0xffff, 2);
    packet.writeUInt32BE((count * 960) >>> 0, 4);
    leg.sendRtp(packet);
    count += 1;
  }, 20);
  return () => clearInterval(timer);
}

test("a business that answers is heard, and the caller's hang-up completes the call", async () => {
  const call = await simulator.call({ voice: { type: "tone", frequencyHz: 440 } });
  const leg = await answer(call);
  const stop = speak(leg);
  await expect.poll(() => call.media.report().packetsReceived, { timeout: 5_000 }).toBeGreaterThan(20);
  call.hangUp();
  const report = await call.ended;
  stop();
  expect(report).toMatchObject({ endedBy: "caller", status: "COMPLETED", errorCode: null });
  expect(report.media).toMatchObject({ ssrcCount: 1, packetsLost: 0, packetsBeforeAccept: 0 });
  expect(report.timeline.firstRtpMs).toBeGreaterThan(report.timeline.acceptMs ?? Number.POSITIVE_INFINITY);
  expect(report.heardPcm().length).toBeGreaterThan(20 * 960);
  expect(leg.stats().bytesReceived).toBeGreaterThan(0);
});

test("a business that stops to speak loses the call after the gap", async () => {
  const call = await simulator.call();
  const stop = speak(await answer(call));
  await call.media.firstRtp;
  stop();
  expect(await call.ended).toMatchObject({ endedBy: "media-gap", status: "FAILED", errorCode: 138021 });
});
