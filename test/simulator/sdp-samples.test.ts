import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { conformSdp } from "../../src/core/sdp/index.ts";
import { createSimulator, type PhoneCall, type Simulator } from "../../src/simulator/index.ts";
import { readSample, roleOf, sampleNames } from "../fixtures/sdp/samples.ts";
import { CALLS_PATH, createFakePhones, type Receiver, startReceiver } from "./fixture.ts";

/** What WhatsApp would refuse as it is, and with which details. */
const REFUSED: ReadonlyMap<string, string> = new Map([
  ["aiortc-answer", "Fingerprint algo is not SHA256"],
  ["aiortc-answer-unfixed-3fp", "Fingerprint algo is not SHA256"],
  ["chromium-answer-to-chromium", "Payload type was not offered"],
  ["meta-doc-bic-answer-by-meta", "Payload type was not offered"],
  ["meta-doc-bic-answer-by-meta-webhook-20240824", "Payload type was not offered"],
  ["meta-doc-curl-accept-by-business", "Payload type was not offered"],
  ["meta-doc-sip-bic-sdes-answer-by-meta-202505-masked", "Payload type was not offered"],
]);

/** These answer another offer: mid and payload types are not those of WhatsApp's. */
const TO_ANOTHER_OFFER = new Set([
  "chromium-answer-to-chromium",
  "meta-doc-bic-answer-by-meta",
  "meta-doc-bic-answer-by-meta-webhook-20240824",
  "meta-doc-curl-accept-by-business",
]);

const answers = sampleNames.filter((name) => roleOf(name) === "answer");
const dtlsAnswers = answers.filter((name) => !name.includes("-sdes-"));

let receiver: Receiver;
let simulator: Simulator;
let call: PhoneCall;
let offer: string;

beforeEach(async () => {
  receiver = await startReceiver();
  simulator = createSimulator({
    webhookUrl: receiver.url,
    phoneMediaFactory: createFakePhones().factory,
  });
  await simulator.start();
  call = await simulator.call();
  offer = (receiver.events()[0]!["session"] as { sdp: string }).sdp;
});

afterEach(async () => {
  await simulator.close();
  await receiver[Symbol.asyncDispose]();
});

async function preAccept(sdp: string): Promise<{ readonly status: number; readonly text: string }> {
  const answer = await fetch(`${simulator.graphUrl}${CALLS_PATH}`, {
    method: "POST",
    headers: { authorization: `Bearer ${simulator.token}`, "content-type": "application/json" },
    body: JSON.stringify({
      messaging_product: "whatsapp",
      call_id: call.callId,
      action: "pre_accept",
      session: { sdp_type: "answer", sdp },
    }),
  });
  return { status: answer.status, text: await answer.text() };
}

/** The whole body of a refusal, but for its trace id, as Graph API v24.0 sent it in 2025. */
function refusal(details: string, text: string): string {
  const traceId = /"fbtrace_id":"(A[\w-]{22})"/.exec(text)?.[1];
  return `{"error":{"message":"Invalid parameter","type":"OAuthException","code":100,"error_data":{"messaging_product":"whatsapp","details":"${details}"},"error_subcode":2494010,"is_transient":false,"error_user_title":"Parameter Invalid","error_user_msg":"Check input parameters and retry the request","fbtrace_id":"${traceId}"}}`;
}

const taken = { status: 200, text: '{"messaging_product":"whatsapp","success":true}' };

test("the two answers that WhatsApp took on real calls are among the samples", () => {
  expect(answers.filter((name) => name.includes("-accepted"))).toHaveLength(2);
  expect([...REFUSED.keys()].filter((name) => name.includes("-accepted"))).toEqual([]);
});

test.each(answers)("%s, as it is", async (name) => {
  const details = REFUSED.get(name);
  const result = await preAccept(readSample(name));
  expect(result).toEqual(
    details === undefined ? taken : { status: 400, text: refusal(details, result.text) },
  );
  expect(call.phase).toBe(details === undefined ? "connecting" : "ringing");
});

describe.each(dtlsAnswers)("%s, fixed", (name) => {
  test("with the offer, it is taken", async () => {
    const { sdp } = conformSdp(readSample(name), { as: "answer", offer });
    expect(await preAccept(sdp)).toEqual(taken);
  });

  test("without the offer, it is taken when mid and payload types are those of WhatsApp", async () => {
    const { sdp } = conformSdp(readSample(name), { as: "answer" });
    const result = await preAccept(sdp);
    expect(result).toEqual(
      TO_ANOTHER_OFFER.has(name)
        ? { status: 400, text: refusal("Payload type was not offered", result.text) }
        : taken,
    );
  });
});

test("an SDES answer cannot be fixed", () => {
  const sdp = readSample("meta-doc-sip-bic-sdes-answer-by-meta-202505-masked");
  expect(() => conformSdp(sdp, { as: "answer", offer })).toThrow(
    expect.objectContaining({ code: "SDP_UNUSABLE" }),
  );
});
