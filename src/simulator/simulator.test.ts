import { afterEach, beforeEach, expect, test } from "vitest";
import {
  act,
  CALLS_PATH,
  createFakePhones,
  type FakePhone,
  type Receiver,
  readSdp,
  requestGraph,
  startReceiver,
} from "../../test/simulator/fixture.ts";
import { createDeferred } from "./deferred.ts";
import { createSimulator, type Simulator } from "./simulator.ts";
import type { SimulatorOptions } from "./simulator-options.ts";

let receiver: Receiver;
let simulator: Simulator;
let phones: readonly FakePhone[];

beforeEach(async () => {
  receiver = await startReceiver();
});

afterEach(async () => {
  await simulator.close();
  await receiver[Symbol.asyncDispose]();
});

async function start(options: SimulatorOptions = {}): Promise<void> {
  const fakes = createFakePhones();
  phones = fakes.phones;
  simulator = createSimulator({ webhookUrl: receiver.url, phoneMediaFactory: fakes.factory, ...options });
  await simulator.start();
}

test("a caller who hangs up completes the call", async () => {
  await start();
  const call = await simulator.call({ hangUpAfterMs: 20 });
  await act(simulator, "pre_accept", call.callId);
  await requestGraph(simulator, CALLS_PATH, {
    body: {
      messaging_product: "whatsapp",
      call_id: call.callId,
      action: "accept",
      session: { sdp_type: "answer", sdp: readSdp("aiortc-answer-fixed") },
      biz_opaque_callback_data: "order 12",
    },
  });
  expect(await call.accepted).toBe(true);
  phones[0]?.hear();
  const report = await call.ended;
  expect(report).toMatchObject({
    endedBy: "caller",
    status: "COMPLETED",
    errorCode: null,
    durationSeconds: 0,
  });
  const { timeline } = report;
  const times = [
    timeline.webhookSentMs,
    timeline.webhookAnsweredMs,
    timeline.preAcceptMs,
    timeline.acceptMs,
    timeline.firstRtpMs,
    timeline.endedMs,
  ];
  expect(times).toEqual([...times].sort((left, right) => Number(left) - Number(right)));
  expect(phones[0]?.told.at(-1)).toBe("closed");
  const terminate = receiver.events().at(-1);
  expect(terminate).toMatchObject({
    event: "terminate",
    status: "COMPLETED",
    biz_opaque_callback_data: "order 12",
  });
  expect(Number(terminate?.["end_time"]) - Number(terminate?.["start_time"])).toBe(terminate?.["duration"]);
});

test.each([
  { action: "reject", endedBy: "rejected" },
  { action: "terminate", endedBy: "business" },
])("$action before the accept ends the call as FAILED without times", async ({ action, endedBy }) => {
  await start();
  const call = await simulator.call();
  await act(simulator, action, call.callId);
  expect(await call.accepted).toBe(false);
  expect(await call.ended).toMatchObject({ endedBy, status: "FAILED", durationSeconds: null });
  const terminate = receiver.events().at(-1);
  expect(terminate).toMatchObject({ event: "terminate", status: "FAILED" });
  expect(Object.keys(terminate ?? {})).not.toContain("start_time");
});

test("a call that nobody answers ends at the end of its window", async () => {
  await start({ timers: { answerWindowMs: 60 } });
  const call = await simulator.call();
  await act(simulator, "pre_accept", call.callId);
  expect(await call.ended).toMatchObject({ endedBy: "not-answered", status: "FAILED" });
  expect(receiver.events().map(({ event }) => event)).toEqual(["connect", "terminate"]);
});

test("a caller gives up before the answer, but not after it", async () => {
  await start();
  const unanswered = await simulator.call({ giveUpAfterMs: 30 });
  expect(await unanswered.ended).toMatchObject({ endedBy: "caller", status: "FAILED" });
  const answered = await simulator.call({ giveUpAfterMs: 1_000, hangUpAfterMs: 1_200 });
  await act(simulator, "accept", answered.callId);
  expect(await answered.ended).toMatchObject({ endedBy: "caller", status: "COMPLETED" });
});

test("an accepted call without media fails with 138021, told in both places", async () => {
  await start({ timers: { firstMediaTimeoutMs: 40 } });
  const call = await simulator.call();
  await act(simulator, "accept", call.callId);
  expect(await call.ended).toMatchObject({ endedBy: "no-media", status: "FAILED", errorCode: 138021 });
  const envelope = JSON.parse(receiver.received.at(-1)?.rawBody.toString() ?? "");
  const { calls, errors } = envelope.entry[0].changes[0].value;
  expect(calls[0]).toMatchObject({ event: "terminate", status: "FAILED", duration: 0, errors });
  expect(errors).toEqual([
    {
      code: 138021,
      title:
        "WhatsApp client terminated the call due to not receiving any media for a long time. Please try again",
      message:
        "WhatsApp client terminated the call due to not receiving any media for a long time. Please try again",
      error_data: { details: expect.any(String) },
    },
  ]);
});

test("a call whose media stops fails after the gap and not before", async () => {
  await start({ timers: { firstMediaTimeoutMs: 10_000, mediaGapTimeoutMs: 500 } });
  const call = await simulator.call();
  await act(simulator, "accept", call.callId);
  phones[0]?.hear();
  const again = setTimeout(() => phones[0]?.hear(), 150);
  const report = await call.ended;
  clearTimeout(again);
  expect(report).toMatchObject({ endedBy: "media-gap", status: "FAILED", errorCode: 138021 });
  expect(report.timeline.endedMs - (report.timeline.firstRtpMs ?? 0)).toBeGreaterThan(600);
});

test("the caller presses keys and falls silent on time", async () => {
  await start();
  const call = await simulator.call({ digits: [{ afterMs: 10, digits: "1w2#" }], goSilentAfterMs: 20 });
  await expect(call.sendDigits("9")).rejects.toMatchObject({ code: "CALL_WRONG_PHASE" });
  await act(simulator, "accept", call.callId);
  await expect.poll(() => phones[0]?.told).toEqual(["answer active", "accepted", "digits 1w2#", "silent"]);
  await call.sendDigits("9");
  expect(phones[0]?.told.at(-1)).toBe("digits 9");
});

test("closing resolves every report, once, without a webhook, and refuses new calls", async () => {
  await start();
  const calls = await simulator.callMany([{}, {}]);
  await Promise.all([simulator.close(), simulator.close()]);
  for (const call of calls)
    expect(await call.ended).toMatchObject({ endedBy: "simulator", status: "FAILED" });
  expect(receiver.events().map(({ event }) => event)).toEqual(["connect", "connect"]);
  await expect(simulator.call()).rejects.toMatchObject({ code: "SIMULATOR_WRONG_STATE" });
  await expect(simulator.start()).rejects.toMatchObject({ code: "SIMULATOR_WRONG_STATE" });
});

test("the 1001st concurrent call of a number is refused without a webhook", async () => {
  await start();
  const calls = await simulator.callMany(Array.from({ length: 1_000 }, () => ({})));
  expect(calls).toHaveLength(1_000);
  await expect(simulator.call()).rejects.toMatchObject({
    code: "SIMULATOR_WRONG_STATE",
    details: { state: "full" },
  });
  expect(receiver.received).toHaveLength(1);
  calls[0]?.hangUp();
  await calls[0]?.ended;
  await expect(simulator.call()).resolves.toMatchObject({ phase: "ringing" });
});

test("a program that takes no webhook ends the call and gets no further webhook", async () => {
  await start({ webhook: { retryDelaysMs: [] } });
  receiver.answers.push(503);
  await expect(simulator.call()).rejects.toMatchObject({
    code: "SIMULATOR_WEBHOOK_REFUSED",
    details: { status: 503, attempts: 1 },
  });
  await expect.poll(() => simulator.calls).toEqual([]);
  expect(receiver.received).toHaveLength(1);
});

test("a call that the business accepts goes on, though its webhook was never answered with 200", async () => {
  await start({ webhook: { retryDelaysMs: [] } });
  receiver.answers.push("hang");
  const placing = simulator.call();
  await expect.poll(() => receiver.received.length).toBe(1);
  const [{ id } = { id: "" }] = receiver.events();
  expect((await act(simulator, "accept", id)).status).toBe(200);
  await receiver.letGo();
  const call = await placing;
  expect(call.phase).toBe("active");
  call.hangUp();
  expect(await call.ended).toMatchObject({ endedBy: "caller", timeline: { webhookAnsweredMs: null } });
  expect(receiver.events().at(-1)).toMatchObject({ event: "terminate", status: "COMPLETED" });
});

test("a copy of the webhook that is refused does not undo the call", async () => {
  await start({ webhook: { retryDelaysMs: [] } });
  receiver.answers.push(200, 500);
  expect(await simulator.call({ webhooks: { duplicate: 1 } })).toMatchObject({ phase: "ringing" });
  expect(receiver.received).toHaveLength(2);
});

test("no calls, no webhook", async () => {
  await start();
  expect(await simulator.callMany([])).toEqual([]);
  expect(receiver.received).toEqual([]);
});

test("the webhook address proves itself with the verify token", async () => {
  await start();
  await expect(simulator.verifyWebhook()).resolves.toBeUndefined();
  await simulator.close();
  await start({ verifyToken: "another" });
  await expect(simulator.verifyWebhook()).rejects.toMatchObject({
    code: "SIMULATOR_WEBHOOK_REFUSED",
    details: { status: 403 },
  });
});

test("one phone that cannot be opened takes the others of its batch with it", async () => {
  const missing = { voice: { type: "file", path: "/nowhere/hello.wav" } } as const;
  const { factory } = createFakePhones();
  await start({
    phoneMediaFactory: (options) =>
      options.voice.type === "file" ? Promise.reject(new Error("no such file")) : factory(options),
  });
  await expect(simulator.callMany([{}, missing])).rejects.toThrow("no such file");
  await expect.poll(() => simulator.calls).toEqual([]);
  expect(receiver.received).toEqual([]);
});

test("a phone that is ready only after the end is closed, and its call refused", async () => {
  const { factory, phones: opened } = createFakePhones();
  const gate = createDeferred<void>();
  await start({
    phoneMediaFactory: async (options) => {
      await gate.promise;
      return await factory(options);
    },
  });
  const refused = expect(simulator.call()).rejects.toMatchObject({ details: { state: "closed" } });
  const closed = simulator.close();
  gate.resolve();
  await Promise.all([refused, closed]);
  expect(opened.map(({ told }) => told)).toEqual([["closed"]]);
  expect(receiver.received).toEqual([]);
});

test("calls that are placed at the same time respect the limit together", async () => {
  await start();
  await simulator.callMany(Array.from({ length: 999 }, () => ({})));
  const outcomes = await Promise.allSettled([simulator.call(), simulator.call(), simulator.call()]);
  expect(outcomes.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected", "rejected"]);
  expect(simulator.calls).toHaveLength(1_000);
});

test("a port that is taken is told in words", async () => {
  await start();
  const port = Number(new URL(simulator.graphUrl).port);
  await using second = createSimulator({ port });
  await expect(second.start()).rejects.toMatchObject({
    code: "OPTION_INVALID",
    details: { option: "port" },
    message: expect.stringContaining(`port ${port}`),
  });
});

test.each(["localhost:3000/webhook", "ftp://127.0.0.1/", ""])("no webhook goes to %j", async (webhookUrl) => {
  await start();
  simulator.webhookUrl = webhookUrl;
  await expect(simulator.call()).rejects.toMatchObject({ code: "OPTION_INVALID" });
});

test("an unusable offer goes out as it is", async () => {
  await start();
  const call = await simulator.call({ offerSdp: "v=0\r\nnonsense" });
  expect(receiver.events()[0]?.["session"]).toEqual({ sdp: "v=0\r\nnonsense", sdp_type: "offer" });
  expect((await act(simulator, "reject", call.callId)).status).toBe(200);
});

test.each([
  { from: "+15550001111" },
  { phoneNumberId: "42" },
  { hangUpAfterMs: -1 },
  { webhooks: { duplicate: 11 } },
  { digits: [{ afterMs: Number.NaN, digits: "1" }] },
  { digits: [{ afterMs: 0, digits: "12x" }] },
  { digits: [{ afterMs: 0, digits: "1".repeat(257) }] },
])("a call option outside its range is refused: %#", async (options) => {
  await start();
  await expect(simulator.call(options)).rejects.toMatchObject({ code: "OPTION_INVALID" });
});

test.each([
  { phoneNumbers: [] },
  { phoneNumbers: [{ id: "x", displayPhoneNumber: "15550009999" }] },
  { timers: { answerWindowMs: -1 } },
  { webhook: { retryDelaysMs: Array.from({ length: 21 }, () => 1) } },
])("an option of the simulator outside its range is refused: %#", async (options) => {
  await start();
  expect(() => createSimulator(options)).toThrow(expect.objectContaining({ code: "OPTION_INVALID" }));
});
