import { describe, expect, test } from "vitest";
import { compareAudio } from "../../src/core/audio/similarity.ts";
import type { Digit } from "../../src/index.ts";
import { decodeAudioFile } from "../../src/simulator/index.ts";
import { answerAndHold, SAMPLE, startPair, until } from "./fixture.ts";

const TONE = { type: "tone", frequencyHz: 440 } as const;
/** Of what is heard without a gap: other programs on a busy machine hold up the phone now and then. */
const realTime = { retry: 2, timeout: 30_000 } as const;

describe("a call that is answered", () => {
  test(
    "the caller hears the file, on one SSRC, without a gap, and not before the accept",
    realTime,
    async () => {
      await using pair = await startPair(async (call) => {
        const playing = call.play(SAMPLE);
        await call.answer();
        expect(await playing).toMatchObject({ outcome: "completed" });
        await call.hangUp();
      });
      const call = await pair.simulator.call({ voice: TONE });
      const report = await call.ended;
      const sample = await decodeAudioFile(SAMPLE);
      expect(compareAudio(sample, report.heardPcm(), 48_000).similarity).toBeGreaterThan(0.85);
      expect(report).toMatchObject({ endedBy: "business", status: "COMPLETED", errorCode: null });
      expect(report.media).toMatchObject({
        packetsLost: 0,
        packetsBeforeAccept: 0,
        packetsBeforeDtls: 0,
        packetsWrongPayloadType: 0,
        badTimestampSteps: 0,
        ssrcCount: 1,
      });
      expect(report.graphRequests.map((request) => [request.action, request.status])).toEqual([
        ["pre_accept", 200],
        ["accept", 200],
        ["terminate", 200],
      ]);
    },
  );

  test("the timeline tells every step in its order", async () => {
    await using pair = await startPair(answerAndHold);
    const phone = await pair.simulator.call({ voice: TONE });
    await until(() => pair.calls.length === 1);
    const call = pair.calls[0]!;
    await until(() => call.timeline.some((entry) => entry.step === "first-rtp-in"));
    phone.hangUp();
    expect(await call.ended).toMatchObject({ reason: "caller-hangup", answered: true, error: null });
    const steps = call.timeline.map((entry) => entry.step);
    const expected = ["webhook", "answer-built", "pre-accept-sent", "pre-accepted", "ice-connected"] as const;
    expect(steps.filter((step) => (expected as readonly string[]).includes(step))).toEqual(expected);
    const order = [
      "media-connected",
      "accept-sent",
      "accepted",
      "first-rtp-out",
      "remote-terminate",
      "ended",
    ];
    expect(steps.filter((step) => order.includes(step))).toEqual(order);
    const times = call.timeline.map((entry) => entry.atMs);
    expect(times).toEqual(times.toSorted((a, b) => a - b));
  });

  test("the program gets the caller's audio and digits", async () => {
    const digits: Digit[] = [];
    let frames = 0;
    await using pair = await startPair(async (call) => {
      call.on("digit", (digit) => digits.push(digit));
      call.onFrame = (payload) => {
        if (payload.length > 0) frames += 1;
      };
      await call.answer();
    });
    const phone = await pair.simulator.call({ voice: TONE });
    await phone.accepted;
    await phone.sendDigits("14*#");
    await until(() => digits.length === 4);
    expect(digits.map((each) => each.digit).join("")).toBe("14*#");
    await until(() => frames > 10);
    phone.hangUp();
    await phone.ended;
  });

  test.each([
    ["actpass", "active"],
    ["passive", "active"],
    ["active", "passive"],
  ] as const)("a phone that offers setup:%s gets setup:%s and media both ways", async (setup, answered) => {
    await using pair = await startPair(answerAndHold);
    const phone = await pair.simulator.call({ setup, voice: TONE });
    expect(await phone.accepted).toBe(true);
    expect(phone.answerSdp).toContain(`a=setup:${answered}\r\n`);
    expect(await phone.media.firstRtp).not.toBeNull();
    await until(() => (pair.calls[0]?.stats()?.received.packetsReceived ?? 0) > 5);
    phone.hangUp();
    expect((await phone.ended).status).toBe("COMPLETED");
  });

  test("a caller who hides the number is known by the user id", async () => {
    await using pair = await startPair(answerAndHold);
    const phone = await pair.simulator.call({ hideNumber: true });
    expect(await phone.accepted).toBe(true);
    expect(pair.calls[0]?.caller.phoneNumber).toBeNull();
    expect(pair.calls[0]?.caller.userId).toMatch(/^[A-Z]{2}\./);
    phone.hangUp();
    await phone.ended;
  });

  test("accept alone works, too: media connects after it", async () => {
    await using pair = await startPair(answerAndHold, { gateway: { call: { preAccept: false } } });
    const phone = await pair.simulator.call({ voice: TONE });
    expect(await phone.accepted).toBe(true);
    expect(await phone.media.firstRtp).not.toBeNull();
    phone.hangUp();
    const report = await phone.ended;
    expect(report.graphRequests.map((request) => request.action)).toEqual(["accept"]);
    expect(report.media.packetsBeforeAccept).toBe(0);
  });

  test("old offers of WhatsApp are answered as well", async () => {
    await using pair = await startPair(answerAndHold);
    const phone = await pair.simulator.call({ offerForm: "old-stack", voice: TONE });
    expect(await phone.accepted).toBe(true);
    expect(await phone.media.firstRtp).not.toBeNull();
    phone.hangUp();
    await phone.ended;
  });

  test("a call of 65 s keeps its media both ways", { ...realTime, timeout: 90_000 }, async () => {
    await using pair = await startPair(answerAndHold);
    const phone = await pair.simulator.call({ voice: TONE, hangUpAfterMs: 65_000 });
    const report = await phone.ended;
    expect(report).toMatchObject({ endedBy: "caller", status: "COMPLETED", durationSeconds: 65 });
    const call = pair.calls[0]!;
    expect((await call.ended).reason).toBe("caller-hangup");
    const { packetsSent, slotsSkipped, received } = call.stats()!;
    // A slot is sent or, when the machine is busy, skipped and counted; there are 50 a second.
    expect(packetsSent + slotsSkipped).toBeGreaterThanOrEqual(3_240);
    expect(packetsSent).toBeGreaterThan(3_000);
    // The phone hears no more once it has hung up; the webhook that says so takes a moment.
    expect(report.media.packetsReceived).toBeGreaterThanOrEqual(packetsSent - 25);
    expect(received.packetsReceived).toBeGreaterThan(3_000);
    expect(received.packetsReceived).toBeGreaterThanOrEqual(report.media.packetsSent - 25);
    expect([report.media.packetsLost, received.packetsLost]).toEqual([0, 0]);
  });
});

describe("a call that ends early", () => {
  test("the program rejects it", async () => {
    await using pair = await startPair((call) => call.reject());
    const phone = await pair.simulator.call();
    const report = await phone.ended;
    expect(report.endedBy).toBe("rejected");
    expect(await pair.calls[0]!.ended).toMatchObject({ reason: "rejected", answered: false });
  });

  test("the caller gives up while it rings", async () => {
    await using pair = await startPair(async (call) => {
      await call.ended;
    });
    const phone = await pair.simulator.call({ giveUpAfterMs: 100 });
    expect((await phone.ended).endedBy).toBe("caller");
    expect(await pair.calls[0]!.ended).toMatchObject({ reason: "caller-hangup", answered: false });
  });

  test("the program hangs up: WhatsApp is told once, and a second time changes nothing", async () => {
    await using pair = await startPair(async (call) => {
      await call.answer();
      await Promise.all([call.hangUp(), call.hangUp()]);
      await call.hangUp();
    });
    const phone = await pair.simulator.call();
    const report = await phone.ended;
    expect(report.endedBy).toBe("business");
    expect(report.graphRequests.filter((request) => request.action === "terminate")).toHaveLength(1);
    expect(await pair.calls[0]!.ended).toMatchObject({ reason: "local-hangup", answered: true });
  });

  test("a handler that throws ends its call and no other", async () => {
    await using pair = await startPair(async (call) => {
      await call.answer();
      if (pair.calls.length === 1) throw new Error("a fault of the program");
    });
    const first = await pair.simulator.call({ from: "15550001001" });
    expect((await first.ended).endedBy).toBe("business");
    expect((await pair.calls[0]!.ended).reason).toBe("handler-failed");
    const second = await pair.simulator.call({ from: "15550001002", voice: TONE });
    expect(await second.accepted).toBe(true);
    expect(second.phase).toBe("active");
    second.hangUp();
    await second.ended;
  });

  test("nobody answers: the call is rejected when its window closes", async () => {
    const neverAnswers = async (call: { ended: Promise<unknown> }): Promise<void> => {
      await call.ended;
    };
    await using pair = await startPair(neverAnswers, { gateway: { call: { answerWindowMs: 1_500 } } });
    const phone = await pair.simulator.call();
    expect((await phone.ended).endedBy).toBe("rejected");
    expect((await pair.calls[0]!.ended).reason).toBe("answer-timeout");
  });

  test("a call above the limit is rejected, the running one stays", async () => {
    await using pair = await startPair(answerAndHold, { gateway: { maxCalls: 1 } });
    const first = await pair.simulator.call({ from: "15550001001" });
    expect(await first.accepted).toBe(true);
    const second = await pair.simulator.call({ from: "15550001002" });
    expect((await second.ended).endedBy).toBe("rejected");
    expect(first.phase).toBe("active");
    expect(pair.gateway.status.counters.callsOverLimit).toBe(1);
    first.hangUp();
    await first.ended;
  });
});

describe("webhooks as WhatsApp really delivers them", () => {
  test("each one three times: one call, answered once, ended once", async () => {
    await using pair = await startPair(answerAndHold);
    const phone = await pair.simulator.call({ webhooks: { duplicate: 2, statusNoise: true } });
    expect(await phone.accepted).toBe(true);
    phone.hangUp();
    const report = await phone.ended;
    expect(report.graphRequests.filter((request) => request.action === "accept")).toHaveLength(1);
    expect(pair.calls).toHaveLength(1);
    await until(() => pair.gateway.status.calls === 0);
    expect(pair.gateway.status.counters.eventsRepeated).toBeGreaterThanOrEqual(3);
  });

  test("terminate before connect: the call never rings", async () => {
    await using pair = await startPair(answerAndHold);
    const phone = await pair.simulator.call({ webhooks: { terminateBeforeConnect: true } });
    const report = await phone.ended;
    expect(report.graphRequests).toEqual([]);
    expect(pair.calls).toHaveLength(0);
  });

  test("connect again after terminate: the call does not ring twice", async () => {
    await using pair = await startPair(answerAndHold);
    const phone = await pair.simulator.call({
      hangUpAfterMs: 100,
      webhooks: { connectAgainAfterTerminate: true },
    });
    await phone.ended;
    await until(() => pair.gateway.status.counters.eventsRepeated >= 1);
    expect(pair.calls).toHaveLength(1);
  });

  test("an offer older than the answer window is left alone", async () => {
    await using pair = await startPair(answerAndHold);
    const phone = await pair.simulator.call({ offerAgeMs: 60_000, giveUpAfterMs: 300 });
    const report = await phone.ended;
    expect(report.graphRequests).toEqual([]);
    expect(pair.calls).toHaveLength(0);
  });

  test("five calls in one webhook are five calls", async () => {
    await using pair = await startPair(answerAndHold);
    const phones = await pair.simulator.callMany(
      Array.from({ length: 5 }, (_, i) => ({ from: `1555000100${i}`, voice: TONE })),
    );
    expect(await Promise.all(phones.map((phone) => phone.accepted))).toEqual(Array(5).fill(true));
    for (const phone of phones) phone.hangUp();
    await Promise.all(phones.map((phone) => phone.ended));
    expect(new Set(pair.calls.map((call) => call.id)).size).toBe(5);
  });

  test("20 calls at once all hear the program and are heard", async () => {
    await using pair = await startPair(async (call) => {
      const playing = call.play(SAMPLE, { loop: true });
      await call.answer();
      await playing;
    });
    const phones = await Promise.all(
      Array.from({ length: 20 }, (_, i) => pair.simulator.call({ from: `155500010${10 + i}`, voice: TONE })),
    );
    expect(await Promise.all(phones.map((phone) => phone.accepted))).toEqual(Array(20).fill(true));
    await Promise.all(phones.map((phone) => phone.media.firstRtp));
    await until(() => {
      const stats = pair.calls.map((call) => call.stats());
      return stats.every(
        (each) => each !== null && each.packetsSent > 50 && each.received.packetsReceived > 50,
      );
    }, 10_000);
    for (const phone of phones) phone.hangUp();
    const reports = await Promise.all(phones.map((phone) => phone.ended));
    for (const report of reports) {
      expect(report.media.packetsReceived).toBeGreaterThan(40);
      expect(report.media.ssrcCount).toBe(1);
      expect(report.media.packetsBeforeAccept).toBe(0);
    }
    await until(() => pair.gateway.status.calls === 0);
  }, 40_000);
});

test("calls in two media workers hear and are heard like others, and share one prompt", async () => {
  await using pair = await startPair(
    async (call) => {
      const playing = call.play(SAMPLE, { loop: true });
      await call.answer();
      await playing;
    },
    { gateway: { media: { bindAddress: "127.0.0.1", workers: 2 } } },
  );
  const phones = await Promise.all(
    ["15550001001", "15550001002", "15550001003"].map((from) => pair.simulator.call({ from, voice: TONE })),
  );
  await Promise.all(phones.map((phone) => phone.media.firstRtp));
  const { workers } = pair.gateway.status.media;
  expect(workers.map((worker) => worker.calls).toSorted((a, b) => a - b)).toEqual([1, 2]);
  expect(new Set(workers.map((worker) => worker.port)).size).toBe(2);
  await until(() => pair.calls.every((call) => (call.stats()?.received.packetsReceived ?? 0) > 20));
  for (const phone of phones) phone.hangUp();
  const reports = await Promise.all(phones.map((phone) => phone.ended));
  for (const { media } of reports) expect(media).toMatchObject({ packetsLost: 0, ssrcCount: 1 });
  await until(() => pair.gateway.status.media.workers.every((worker) => worker.calls === 0));
});

describe("when the Graph API is not kind", () => {
  test("pre_accept refused: the call is rejected and says why", async () => {
    await using pair = await startPair(answerAndHold);
    pair.simulator.faults.add({
      action: "pre_accept",
      kind: "refuse",
      status: 400,
      code: 100,
      details: "a reason",
    });
    const phone = await pair.simulator.call();
    expect((await phone.ended).endedBy).toBe("rejected");
    const end = await pair.calls[0]!.ended;
    expect(end.reason).toBe("graph-refused");
    expect(end.error).toMatchObject({ code: "GRAPH_REQUEST_FAILED", details: { graphCode: 100 } });
  });

  test("accept refused: the call ends, answer() says so, and the next call works", async () => {
    const answers: unknown[] = [];
    await using pair = await startPair((call) =>
      call.answer().catch((error: unknown) => void answers.push(error)),
    );
    pair.simulator.faults.add({
      action: "accept",
      kind: "refuse",
      status: 400,
      code: 138007,
      details: "too late",
    });
    const phone = await pair.simulator.call({ from: "15550001001" });
    const report = await phone.ended;
    expect(report.media.packetsReceived).toBe(0);
    expect((await pair.calls[0]!.ended).reason).toBe("graph-refused");
    expect(answers).toMatchObject([{ code: "CALL_ENDED", details: { reason: "graph-refused" } }]);
    const next = await pair.simulator.call({ from: "15550001002" });
    expect(await next.accepted).toBe(true);
    next.hangUp();
    await next.ended;
  });

  test("a passing fault of pre_accept is repeated and the call works", async () => {
    await using pair = await startPair(answerAndHold);
    pair.simulator.faults.add({ action: "pre_accept", kind: "server-error" });
    const phone = await pair.simulator.call();
    expect(await phone.accepted).toBe(true);
    phone.hangUp();
    await phone.ended;
  });

  test.each(["pre_accept", "accept"] as const)(
    "%s without an answer ends the call in the client's time, and nothing waits for ever",
    async (action) => {
      await using pair = await startPair((call) => call.answer(), {
        gateway: { graph: { timeoutMs: 200 } },
      });
      pair.simulator.faults.add({ action, kind: "hang", times: 10 });
      const phone = await pair.simulator.call();
      await until(() => pair.calls.length === 1);
      const end = await pair.calls[0]!.ended;
      expect(end).toMatchObject({ reason: "graph-unreachable", error: { details: { reason: "timeout" } } });
      await pair.gateway.close();
      expect(pair.gateway.status).toMatchObject({ state: "closed", calls: 0 });
      await phone.ended;
    },
  );

  test("garbage in place of an answer to accept ends the call as unreachable", async () => {
    await using pair = await startPair((call) => call.answer());
    pair.simulator.faults.add({ action: "accept", kind: "garbage" });
    const phone = await pair.simulator.call();
    await phone.ended;
    expect((await pair.calls[0]!.ended).reason).toBe("graph-unreachable");
  });
});

describe("when media is not kind", () => {
  test("a phone that goes silent does not end the call on our side", async () => {
    await using pair = await startPair(answerAndHold);
    const phone = await pair.simulator.call({ voice: TONE, goSilentAfterMs: 200, hangUpAfterMs: 1_500 });
    const report = await phone.ended;
    expect(report.status).toBe("COMPLETED");
    expect(report.media.packetsReceived).toBeGreaterThan(60);
    expect((await pair.calls[0]!.ended).reason).toBe("caller-hangup");
  });

  test("an offer without audio is rejected with the rule that it breaks", async () => {
    await using pair = await startPair(answerAndHold);
    const phone = await pair.simulator.call({
      offerSdp: "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n",
    });
    expect((await phone.ended).endedBy).toBe("rejected");
    const end = await pair.calls[0]!.ended;
    expect(end.reason).toBe("offer-unusable");
    expect(end.error?.code).toBe("SDP_UNUSABLE");
  });

  test("media that never comes up ends the call in its time", async () => {
    await using pair = await startPair(answerAndHold, { gateway: { call: { mediaTimeoutMs: 1_000 } } });
    const phone = await pair.simulator.call({
      // An address that answers nobody: the discard port of this machine.
      offerSdp: LIVE_OFFER_TO_NOWHERE,
    });
    expect((await phone.ended).endedBy).toBe("rejected");
    expect((await pair.calls[0]!.ended).reason).toBe("media-timeout");
  });

  test("a file that cannot be played is an error of play(), and the call goes on", async () => {
    const errors: unknown[] = [];
    await using pair = await startPair(async (call) => {
      await call.answer();
      await call.play("/nowhere/missing.mp3").catch((error: unknown) => errors.push(error));
    });
    const phone = await pair.simulator.call({ voice: TONE });
    await until(() => errors.length === 1);
    expect(errors).toMatchObject([{ code: "MEDIA_FILE_UNUSABLE", details: { reason: "missing" } }]);
    expect(phone.phase).toBe("active");
    phone.hangUp();
    await phone.ended;
  });
});

describe("a gateway that stops", () => {
  test("drain takes no new call and waits for the running one", async () => {
    await using pair = await startPair(answerAndHold);
    const first = await pair.simulator.call({ from: "15550001001" });
    await first.accepted;
    let drained = false;
    const draining = pair.gateway.drain().then(() => {
      drained = true;
    });
    const second = await pair.simulator.call({ from: "15550001002" });
    expect((await second.ended).endedBy).toBe("rejected");
    expect(drained).toBe(false);
    first.hangUp();
    await draining;
    expect(pair.gateway.status).toMatchObject({ state: "draining", calls: 0 });
  });

  test("close ends the running calls and tells WhatsApp; twice is once", async () => {
    await using pair = await startPair(answerAndHold);
    const phone = await pair.simulator.call();
    await phone.accepted;
    await Promise.all([pair.gateway.close(), pair.gateway.close()]);
    expect((await phone.ended).graphRequests.at(-1)).toMatchObject({ action: "terminate", status: 200 });
    expect((await pair.calls[0]!.ended).reason).toBe("gateway-closed");
    expect(pair.gateway.status.state).toBe("closed");
  });
});

const LIVE_OFFER_TO_NOWHERE = [
  "v=0",
  "o=- 1790963543407 2 IN IP4 127.0.0.1",
  "s=-",
  "t=0 0",
  "a=group:BUNDLE audio",
  "a=ice-lite",
  "m=audio 9 UDP/TLS/RTP/SAVPF 111 126",
  "c=IN IP4 127.0.0.1",
  "a=candidate:1 1 udp 2122260223 127.0.0.1 9 typ host generation 0 network-cost 50",
  "a=ice-ufrag:NvPeRHRlBReaRYCZ",
  "a=ice-pwd:+219v9nKr3xSQIn8s+Fy8g==",
  `a=fingerprint:sha-256 ${Array(32).fill("AB").join(":")}`,
  "a=setup:actpass",
  "a=mid:audio",
  "a=sendrecv",
  "a=rtcp-mux",
  "a=rtpmap:111 opus/48000/2",
  "a=rtpmap:126 telephone-event/8000",
  "",
].join("\r\n");
