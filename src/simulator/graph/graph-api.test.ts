import { afterEach, beforeEach, expect, test } from "vitest";
import {
  act,
  CALLS_PATH,
  createFakePhones,
  detailsOf,
  type FakePhone,
  type Receiver,
  readSdp,
  requestGraph,
  SETTINGS_PATH,
  startReceiver,
} from "../../../test/simulator/fixture.ts";
import { createSimulator, type Simulator } from "../simulator.ts";

let receiver: Receiver;
let simulator: Simulator;
let phones: readonly FakePhone[];

beforeEach(async () => {
  receiver = await startReceiver();
  const fakes = createFakePhones();
  phones = fakes.phones;
  simulator = createSimulator({ webhookUrl: receiver.url, phoneMediaFactory: fakes.factory });
  await simulator.start();
});

afterEach(async () => {
  await simulator.close();
  await receiver[Symbol.asyncDispose]();
});

const answer = readSdp("aiortc-answer-fixed");
const otherAnswer = answer.replace("o=- ", "o=- 1");

test.each([
  { steps: ["pre_accept"], phase: "connecting", last: null },
  { steps: ["pre_accept", "accept"], phase: "active", last: null },
  { steps: ["accept"], phase: "active", last: null },
  { steps: ["pre_accept", "pre_accept"], phase: "connecting", last: null },
  { steps: ["pre_accept", "accept-other"], phase: "connecting", last: "SDP answer differs from pre_accept" },
  {
    steps: ["pre_accept", "pre_accept-other"],
    phase: "connecting",
    last: "SDP answer differs from pre_accept",
  },
  { steps: ["accept", "accept"], phase: "active", last: "Call is already accepted" },
  { steps: ["accept", "pre_accept"], phase: "active", last: "Call is already accepted" },
  { steps: ["accept", "reject"], phase: "active", last: "Call is already accepted" },
  { steps: ["reject"], phase: "ended", last: null },
  { steps: ["pre_accept", "reject"], phase: "ended", last: null },
  { steps: ["reject", "accept"], phase: "ended", last: "Call is already terminated" },
  { steps: ["terminate"], phase: "ended", last: null },
  { steps: ["accept", "terminate"], phase: "ended", last: null },
  { steps: ["accept", "terminate", "terminate"], phase: "ended", last: "Call is already terminated" },
])("after $steps a call is $phase and the last answer says $last", async ({ steps, phase, last }) => {
  const call = await simulator.call();
  let details: unknown = null;
  for (const step of steps) {
    const [action = ""] = step.split("-");
    const result = await act(simulator, action, call.callId, step.endsWith("-other") ? otherAnswer : answer);
    details = detailsOf(result);
    expect(result.status).toBe(details === null ? 200 : 400);
  }
  expect(details).toBe(last);
  expect(call.phase).toBe(phase);
});

test("a call whose report is out still counts as terminated", async () => {
  const call = await simulator.call();
  await act(simulator, "reject", call.callId);
  await call.ended;
  expect(simulator.calls).toEqual([]);
  expect(detailsOf(await act(simulator, "accept", call.callId))).toBe("Call is already terminated");
});

test("an unknown call id is refused", async () => {
  expect(detailsOf(await act(simulator, "accept", "wacid.nobody"))).toBe("Unknown call id");
});

test("three fingerprints are refused with Meta's own body", async () => {
  const call = await simulator.call();
  const { status, body } = await act(
    simulator,
    "pre_accept",
    call.callId,
    readSdp("aiortc-answer-unfixed-3fp"),
  );
  expect(status).toBe(400);
  const traceId = body.error?.["fbtrace_id"];
  expect(traceId).toMatch(/^A[\w-]{22}$/);
  expect(JSON.stringify(body)).toBe(
    `{"error":{"message":"Invalid parameter","type":"OAuthException","code":100,"error_data":{"messaging_product":"whatsapp","details":"Fingerprint algo is not SHA256"},"error_subcode":2494010,"is_transient":false,"error_user_title":"Parameter Invalid","error_user_msg":"Check input parameters and retry the request","fbtrace_id":"${String(traceId)}"}}`,
  );
  expect(call.phase).toBe("ringing");
  expect(phones[0]?.told).toEqual([]);
});

test("the phone learns the answer once and the accept after it", async () => {
  const call = await simulator.call();
  await act(simulator, "pre_accept", call.callId);
  expect(phones[0]?.told).toEqual(["answer active"]);
  expect(call.answerSdp).toBe(answer);
  await act(simulator, "accept", call.callId);
  expect(phones[0]?.told).toEqual(["answer active", "accepted"]);
});

const session = { sdp_type: "answer", sdp: answer };
const accept = { messaging_product: "whatsapp", call_id: "wacid.X", action: "accept", session };

test.each([
  [{ ...accept, messaging_product: undefined }, "messaging_product must be whatsapp"],
  [
    { ...accept, action: "pre-accept" },
    "action must be one of connect, pre_accept, accept, reject, terminate",
  ],
  [{ ...accept, action: undefined }, "action must be one of connect, pre_accept, accept, reject, terminate"],
  [{ ...accept, call_id: undefined }, "call_id is required"],
  [{ ...accept, session: undefined }, "session is required for accept"],
  [{ ...accept, session: { ...session, sdp_type: "offer" } }, "session.sdp_type must be answer for accept"],
  [{ ...accept, session: { sdp_type: "answer" } }, "session.sdp is required for accept"],
  [
    { ...accept, biz_opaque_callback_data: "x".repeat(513) },
    "biz_opaque_callback_data must be a string of at most 512 characters",
  ],
  [{ ...accept, recording: { status: "ON" } }, "recording.status must be ENABLED or DISABLED"],
  [
    { ...accept, recording: { status: "ENABLED", announcement_language: "en_US" } },
    "recording.purpose must be 1 to 250 characters when status is ENABLED",
  ],
  [
    { ...accept, transcription: { status: "ENABLED", purpose: "quality" } },
    "transcription.announcement_language is required when status is ENABLED",
  ],
  [{ messaging_product: "whatsapp", action: "connect", session }, "to or recipient is required for connect"],
  [
    { messaging_product: "whatsapp", action: "connect", to: "15550001111", session },
    "session.sdp_type must be offer for connect",
  ],
  [["accept"], "The request body must be a JSON object"],
])("a malformed request is refused: %#", async (body, details) => {
  const result = await requestGraph(simulator, CALLS_PATH, { body });
  expect(result.status).toBe(400);
  expect(result.body.error).toMatchObject({ code: 100, error_subcode: 2494010 });
  expect(detailsOf(result)).toBe(details);
});

test("a call of ours needs a permission that nobody has given", async () => {
  const offer = { sdp_type: "offer", sdp: "v=0\r\n" };
  const body = { messaging_product: "whatsapp", action: "connect", to: "15550001111", session: offer };
  const result = await requestGraph(simulator, CALLS_PATH, { body });
  expect(result).toMatchObject({ status: 401, body: { error: { code: 138006 } } });
});

test("a wrong token, an unknown number, an unknown path and a torn body are refused as Graph does", async () => {
  expect(await requestGraph(simulator, CALLS_PATH, { body: accept, token: "wrong" })).toMatchObject({
    status: 401,
    body: { error: { code: 190, type: "OAuthException" } },
  });
  expect(await requestGraph(simulator, "/v26.0/42/calls", { body: accept })).toMatchObject({
    status: 400,
    body: { error: { code: 100, error_subcode: 33 } },
  });
  expect(await requestGraph(simulator, "/100000000000001/calls", { body: accept })).toMatchObject({
    status: 404,
    body: { error: { code: 2500 } },
  });
  const torn = await fetch(`${simulator.graphUrl}${CALLS_PATH}`, {
    method: "POST",
    headers: { authorization: `Bearer ${simulator.token}`, "content-type": "application/json" },
    body: '{"action":',
  });
  expect(torn.status).toBe(400);
  expect(await torn.json()).toMatchObject({ error: { code: 100, fbtrace_id: expect.any(String) } });
});

test("refused requests stand in the report too, also malformed ones and those with another token", async () => {
  const call = await simulator.call({
    onGraphRequest: () => {
      throw new Error("a listener that fails");
    },
  });
  const about = { ...accept, call_id: call.callId };
  for (const [body, token] of [
    [about, "wrong"],
    [{ ...about, session: { ...session, sdp_type: "offer" } }, simulator.token],
    [{ ...about, action: "pre-accept" }, simulator.token],
  ] as const) {
    expect((await requestGraph(simulator, CALLS_PATH, { body, token })).status).toBeGreaterThan(399);
  }
  expect((await act(simulator, "reject", call.callId)).status).toBe(200);
  expect((await call.ended).graphRequests).toMatchObject([
    { action: "accept", status: 401, details: expect.stringMatching(/access token/), fault: null },
    { action: "accept", status: 400, details: "session.sdp_type must be answer for accept" },
    { action: "unknown", status: 400, details: expect.stringMatching(/^action must be/) },
    { action: "reject", status: 200, details: null },
  ]);
});

test.each([{ status: Number.NaN }, { status: 200 }, { status: 400.5 }])(
  "a refusal with the impossible status $status is no fault",
  async ({ status }) => {
    const fault = { action: "accept", kind: "refuse", status, code: 1, details: "" } as const;
    expect(() => simulator.faults.add(fault)).toThrow(expect.objectContaining({ code: "OPTION_INVALID" }));
  },
);

test("a call with disabled calling is impossible in both directions", async () => {
  const call = await simulator.call();
  await requestGraph(simulator, SETTINGS_PATH, { body: { calling: { status: "DISABLED" } } });
  expect(await act(simulator, "accept", call.callId)).toMatchObject({
    status: 401,
    body: { error: { code: 138000 } },
  });
  await expect(simulator.call()).rejects.toMatchObject({ code: "SIMULATOR_WRONG_STATE" });
});

test.each([
  [{ kind: "refuse", status: 500, code: 138004, details: "Connection error" }, 500, 138004],
  [{ kind: "server-error" }, 500, 1],
] as const)("a fault answers one request in place of the call: %#", async (fault, status, code) => {
  const call = await simulator.call();
  simulator.faults.add({ action: "accept", ...fault });
  expect(await act(simulator, "accept", call.callId)).toMatchObject({ status, body: { error: { code } } });
  expect(call.phase).toBe("ringing");
  expect((await act(simulator, "accept", call.callId)).status).toBe(200);
  call.hangUp();
  const { graphRequests } = await call.ended;
  expect(graphRequests.map((request) => [request.action, request.status, request.fault])).toEqual([
    ["accept", status, fault.kind],
    ["accept", 200, null],
  ]);
});

test("a fault may cut the connection, answer garbage, or come late", async () => {
  const call = await simulator.call();
  simulator.faults.add({ action: "pre_accept", kind: "disconnect" });
  await expect(act(simulator, "pre_accept", call.callId)).rejects.toThrow(TypeError);
  simulator.faults.add({ action: "pre_accept", kind: "garbage" });
  await expect(act(simulator, "pre_accept", call.callId)).rejects.toThrow(SyntaxError);
  simulator.faults.add({ action: "pre_accept", kind: "delay", ms: 50, times: 2 });
  for (let time = 0; time < 2; time += 1) {
    const startedAtMs = performance.now();
    expect((await act(simulator, "pre_accept", call.callId)).status).toBe(200);
    expect(performance.now() - startedAtMs).toBeGreaterThan(45);
  }
});

test("a request that hangs is let go when the simulator closes", async () => {
  const call = await simulator.call();
  simulator.faults.add({ action: "accept", kind: "hang" });
  const hanging = act(simulator, "accept", call.callId);
  const refused = expect(hanging).rejects.toThrow(TypeError);
  await expect.poll(() => simulator.calls.length).toBe(1);
  await simulator.close();
  await refused;
});

test("settings keep what they know, and nothing else", async () => {
  const known = {
    call_icons: { restrict_to_user_countries: ["US", "BR"] },
    sip: { status: "DISABLED", servers: [] },
    voicemail: { status: "ENABLED", triggers: ["TIMEOUT"] },
    audio: { additional_codecs: ["PCMA"] },
  };
  const body = { calling: { ...known, field_of_a_later_version: 1 } };
  expect((await requestGraph(simulator, SETTINGS_PATH, { body })).status).toBe(200);
  const { calling } = (await requestGraph(simulator, SETTINGS_PATH)).body;
  expect(calling).toMatchObject(known);
  expect(Object.keys(calling as object)).not.toContain("field_of_a_later_version");
});

test("settings start as NOT_SET, and call_hours replaces what was stored", async () => {
  expect((await requestGraph(simulator, SETTINGS_PATH)).body).toEqual({
    calling: { status: "ENABLED", call_icon_visibility: "NOT_SET", callback_permission_status: "NOT_SET" },
  });
  const week = [{ day_of_week: "MONDAY", open_time: "0400", close_time: "1020" }];
  const hours = { status: "ENABLED", timezone_id: "America/Manaus", weekly_operating_hours: week };
  const holidays = [{ date: "2999-12-25", start_time: "0000", end_time: "2359" }];
  for (const callHours of [{ ...hours, holiday_schedule: holidays }, hours]) {
    const body = { calling: { call_hours: callHours, call_icon_visibility: "DISABLE_ALL" } };
    expect((await requestGraph(simulator, SETTINGS_PATH, { body })).body).toEqual({ success: true });
    expect((await requestGraph(simulator, SETTINGS_PATH)).body).toEqual({
      calling: {
        status: "ENABLED",
        call_icon_visibility: "DISABLE_ALL",
        callback_permission_status: "NOT_SET",
        call_hours: callHours,
      },
    });
  }
});

const monday = { day_of_week: "MONDAY", open_time: "0400", close_time: "1020" };
const hours = { status: "ENABLED", timezone_id: "America/Manaus", weekly_operating_hours: [monday] };

test.each([
  [{}, /^calling: /],
  [{ calling: { status: "ON" } }, /^calling\.status: /],
  [{ calling: { srtp_key_exchange_protocol: "SDES" } }, /SDES calls are not simulated/],
  [{ calling: { call_icons: { restrict_to_user_countries: ["Brazil"] } } }, /must be ISO 3166/],
  [{ calling: { sip: { status: "ENABLED" } } }, /SIP calls are not simulated/],
  [{ calling: { audio: { additional_codecs: ["G722"] } } }, /^calling\.audio\.additional_codecs\.0: /],
  [{ calling: { call_hours: { ...hours, timezone_id: "Mars/Olympus" } } }, /time zone/],
  [{ calling: { call_hours: { ...hours, weekly_operating_hours: [] } } }, /weekly_operating_hours: /],
  [{ calling: { call_hours: { ...hours, weekly_operating_hours: [monday, monday] } } }, /overlap/],
  [
    { calling: { call_hours: { ...hours, weekly_operating_hours: [monday, monday, monday] } } },
    /more than 2/,
  ],
  [
    { calling: { call_hours: { ...hours, weekly_operating_hours: [{ ...monday, close_time: "0300" }] } } },
    /open_time must be before close_time/,
  ],
  [
    {
      calling: {
        call_hours: {
          ...hours,
          holiday_schedule: [{ date: "2020-12-25", start_time: "0000", end_time: "2359" }],
        },
      },
    },
    /past/,
  ],
])("settings outside their range are refused: %#", async (body, details) => {
  const result = await requestGraph(simulator, SETTINGS_PATH, { body });
  expect(result.status).toBe(400);
  expect(detailsOf(result)).toMatch(details);
});
