import { expect, test } from "vitest";
import { act, createFakePhones, startReceiver } from "../../test/simulator/fixture.ts";
import { createSimulator } from "../simulator/simulator.ts";
import { describeFailure, describeReport } from "./simulate-report.ts";

test("a call whose audio stopped did not work, though it began well", async () => {
  await using receiver = await startReceiver();
  const { factory, phones } = createFakePhones();
  await using simulator = createSimulator({
    webhookUrl: receiver.url,
    phoneMediaFactory: factory,
    timers: { mediaGapTimeoutMs: 50 },
  });
  await simulator.start();
  const call = await simulator.call();
  await act(simulator, "accept", call.callId);
  phones[0]?.hear();
  const report = await call.ended;
  expect(describeFailure(report)).toMatch(/^audio stopped and the call was ended with 138021/);
  expect(describeReport("Call", report)[0]).toBe("Call FAILED, ended by media-gap, 0 s");
  expect(describeFailure({ ...report, errorCode: null })).toBeNull();
});

test("what WhatsApp would stumble over is named, each with its count", async () => {
  await using receiver = await startReceiver();
  await using simulator = createSimulator({
    webhookUrl: receiver.url,
    phoneMediaFactory: createFakePhones().factory,
  });
  await simulator.start();
  const call = await simulator.call();
  call.hangUp();
  const report = await call.ended;
  const counts = { duplicated: 0, heldBack: 0, overflowed: 0 };
  const network = {
    toBusiness: { ...counts, passed: 95, lost: 5 },
    toPhone: { ...counts, passed: 40, lost: 0 },
  };
  const media = {
    ...report.media,
    packetsBeforeAccept: 3,
    packetsBeforeDtls: 2,
    ssrcCount: 2,
    digits: "1#",
    network,
  };
  expect(describeReport("Call 7", { ...report, media })).toEqual([
    "Call 7 FAILED, ended by caller, 0 s",
    "  accept           never",
    "  first audio      never",
    "  received         0 packets, 0 lost, 0 twice",
    "  gaps             longest 0 ms, 99 % below 0 ms",
    "  sent             0 packets",
    "  network          lost 5 of 100 datagrams to the program, 0 of 40 to the caller",
    "  ! 3 packets came before the accept: WhatsApp starts the caller's timer at the first one",
    "  ! 2 packets came before DTLS was done: the caller does not hear them",
    "  ! 2 SSRCs: WhatsApp takes one",
    "  digits heard     1#",
  ]);
});
