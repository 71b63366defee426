import { describe, expect, test } from "vitest";
import { envelope, fixtureNames, onlyEvent, parseFixture } from "../../test/support/webhook-fixtures.ts";
import { callEventKey, parseWebhook } from "./webhook.ts";

const anonymous = { phoneNumber: null, userId: null, parentUserId: null, name: null, username: null };

describe("parseWebhook reads connect events", () => {
  test("of a user who calls", () => {
    const parsed = parseFixture("uic-connect");
    const event = onlyEvent(parsed);
    expect(event).toMatchObject({
      type: "connect",
      phoneNumberId: "100000000000001",
      timestampMs: 1_760_681_506_000,
      direction: "user-initiated",
      caller: { ...anonymous, phoneNumber: "15550001111", name: "Zoë Ångström" },
      callbackData: null,
      sdpType: "offer",
      sdp: expect.stringMatching(/^v=0\r\n/),
      deeplinkPayload: null,
    });
    expect(event.raw["event"]).toBe("connect");
    expect(parsed.ignored).toBe(0);
  });

  test("of a user who hides the number, with a number as timestamp and no direction", () => {
    expect(onlyEvent(parseFixture("uic-connect-user-id-only"))).toMatchObject({
      type: "connect",
      timestampMs: 1_760_681_506_000,
      direction: "user-initiated",
      caller: {
        phoneNumber: null,
        userId: "US.1000000000000000001",
        parentUserId: "US.ENT.1000000000000000002",
        name: "Zoë Ångström",
        username: "@zoe",
      },
      deeplinkPayload: "from-website",
      ctaPayload: "button-7",
    });
  });

  test("whose ends are exchanged, by the business's own number", () => {
    const { caller } = onlyEvent(parseFixture("uic-connect-ends-exchanged"));
    expect(caller).toEqual({ ...anonymous, phoneNumber: "15550001111", name: "Zoë Ångström" });
  });

  test.each(["bic-connect", "bic-connect-legacy"])("that answer our own call (%s)", (name) => {
    expect(onlyEvent(parseFixture(name))).toMatchObject({
      type: "connect",
      direction: "business-initiated",
      sdpType: "answer",
      sdp: expect.stringMatching(/^v=0\r\n/),
      caller: { phoneNumber: "15550001111" },
    });
  });

  test.each([
    ["session", { session: { sdp: "v=0" } }],
    ["the legacy field", { connection: { webrtc: { sdp: JSON.stringify({ sdp: "v=0" }) } } }],
  ])("whose SDP type is missing in %s, by the direction", (_, fields) => {
    const call = { id: "wacid.1", event: "connect", direction: "BUSINESS_INITIATED", ...fields };
    expect(onlyEvent(parseWebhook(envelope({ calls: [call] })))).toMatchObject({
      type: "connect",
      sdp: "v=0",
      sdpType: "answer",
    });
  });

  test.each([
    ["text that is no JSON", "v=0"],
    ["JSON without SDP", '{"type":"offer"}'],
    ["JSON null", "null"],
  ])("but not %s in the legacy field", (_, sdp) => {
    const call = { id: "w", event: "connect", direction: "USER_INITIATED", connection: { webrtc: { sdp } } };
    expect(onlyEvent(parseWebhook(envelope({ calls: [call] })))).toMatchObject({
      type: "unknown",
      event: "connect",
    });
  });
});

describe("parseWebhook reads the caller", () => {
  const call = { id: "wacid.1", event: "connect", session: { sdp: "v=0", sdp_type: "offer" } };

  test.each<[string, object, object]>([
    ["by number among several contacts", { from: "+15550001111" }, { phoneNumber: "15550001111", name: "A" }],
    ["by user id among several contacts", { from_user_id: "US.2" }, { userId: "US.2", name: "B" }],
    ["without a contact that fits", { from: "15550009999" }, { phoneNumber: "15550009999", name: null }],
    ["with nothing at all", {}, anonymous],
    ["with ends of the wrong type", { from: { a: 1 }, from_user_id: 7 }, anonymous],
  ])("%s", (_, ends, caller) => {
    const contacts = [
      { wa_id: "15550001111", profile: { name: "A" } },
      5,
      { user_id: "US.2", profile: { name: "B" } },
    ];
    const event = onlyEvent(parseWebhook(envelope({ contacts, calls: [{ ...call, ...ends }] })));
    expect(event.caller).toMatchObject(caller);
  });

  test("from a single contact whose number is written differently", () => {
    const contacts = [{ wa_id: "555000111", profile: { name: "A" } }];
    const event = onlyEvent(parseWebhook(envelope({ contacts, calls: [{ ...call, from: "5559000111" }] })));
    expect(event.caller).toMatchObject({ phoneNumber: "5559000111", name: "A" });
  });

  test("without giving a single contact's name to every caller of a batch", () => {
    const contacts = [{ wa_id: "15550001111", profile: { name: "A" } }];
    const calls = [
      { ...call, from: "15550001111" },
      { ...call, id: "wacid.2", from: "15550003333" },
    ];
    const { events } = parseWebhook(envelope({ contacts, calls }));
    expect(events.map((event) => event.caller.name)).toEqual(["A", null]);
  });
});

describe("parseWebhook reads terminate events", () => {
  test("of completed calls", () => {
    expect(onlyEvent(parseFixture("terminate-completed"))).toMatchObject({
      type: "terminate",
      status: "completed",
      startTimeMs: 1_760_681_513_000,
      endTimeMs: 1_760_681_533_000,
      durationSeconds: 20,
      callbackData: "order-42",
      errors: [],
    });
  });

  test("with the same error in both places once", () => {
    const parsed = parseFixture("terminate-failed-errors-twice");
    expect(onlyEvent(parsed)).toMatchObject({
      status: "failed",
      durationSeconds: 20,
      errors: [{ code: 138021, details: "No media was received.", title: expect.any(String) }],
    });
    expect(parsed.errors).toEqual([]);
  });

  test("with the errors that stand beside the call", () => {
    expect(onlyEvent(parseFixture("terminate-failed-value-errors"))).toMatchObject({
      status: "failed",
      direction: "business-initiated",
      startTimeMs: null,
      durationSeconds: null,
      caller: { phoneNumber: "15550001111" },
      errors: [{ code: 138020, title: null, details: "Relay unreachable." }],
    });
  });

  test("and joins two halves of one error, and keeps two that differ", () => {
    const own = [
      { code: "1", title: "t" },
      { code: 2, error_data: { details: "a" } },
      { title: "no code" },
      null,
    ];
    const beside = [
      { code: 1, message: "m" },
      { code: 2, error_data: { details: "b" } },
    ];
    const event = onlyEvent(
      parseWebhook(envelope({ calls: [{ id: "w", event: "Terminate", errors: own }], errors: beside })),
    );
    expect(event).toMatchObject({
      status: "unknown",
      errors: [
        { code: 1, title: "t", message: "m", details: null },
        { code: 2, details: "a" },
        { code: 2, details: "b" },
      ],
    });
  });

  test("and does not guess whose the errors beside two ended calls are", () => {
    const calls = ["a", "b"].map((id) => ({ id, event: "terminate" }));
    const parsed = parseWebhook(envelope({ calls, errors: [{ code: 138021 }] }));
    expect(parsed.events).toMatchObject([{ errors: [] }, { errors: [] }]);
    expect(parsed.errors).toMatchObject([{ code: 138021 }]);
  });
});

describe("parseWebhook reads the rest", () => {
  test.each(["ringing", "accepted", "rejected"])("status %s in any case", (status) => {
    expect(onlyEvent(parseFixture(`bic-status-${status}`))).toMatchObject({
      type: "status",
      status,
      direction: "business-initiated",
      callbackData: "order-42",
      caller: { phoneNumber: "15550001111", userId: "US.1000000000000000001" },
    });
  });

  test.each([
    [{ status: "BUSY" }, { type: "status", status: "unknown" }],
    [{ status: 5 }, { type: "unknown", event: "status" }],
    [
      { status: "RINGING", type: "message" },
      { type: "unknown", event: "status" },
    ],
  ])("status %j", (fields, expected) => {
    expect(onlyEvent(parseWebhook(envelope({ statuses: [{ id: "w", ...fields }] })))).toMatchObject(expected);
  });

  test("events that it does not know, with all their fields", () => {
    const event = onlyEvent(parseFixture("recording-available"));
    expect(event).toMatchObject({ type: "unknown", event: "call_recording_available" });
    expect(event.raw["call_recording"]).toMatchObject({ type: "audio" });
  });

  test("errors without a call", () => {
    expect(parseFixture("account-error")).toMatchObject({
      events: [],
      errors: [{ code: 131044 }],
      ignored: 0,
    });
  });

  test("every element of a batch in order, around those that cannot be read", () => {
    const { events, ignored } = parseFixture("batch-with-bad-elements");
    expect(events.map((event) => [event.type, event.caller.name])).toEqual([
      ["connect", "Zoë Ångström"],
      ["connect", "Bo"],
      ["unknown", null],
      ["status", null],
    ]);
    // Two other fields, an element without an id, and a text.
    expect(ignored).toBe(4);
  });

  test.each<[unknown, number | null]>([
    ["1760681506", 1_760_681_506_000],
    [1760681506, 1_760_681_506_000],
    [1760681506.5, 1_760_681_506_500],
    ["1760681506000", null],
    ["soon", null],
    ["", null],
    [-1, null],
    [null, null],
    [undefined, null],
    [{}, null],
  ])("timestamp %j as %j", (timestamp, expected) => {
    const event = onlyEvent(parseWebhook(envelope({ calls: [{ id: "w", event: "terminate", timestamp }] })));
    expect(event.timestampMs).toBe(expected);
  });
});

describe("callEventKey", () => {
  test("is the same for a repeated delivery and different for every other event of the fixtures", () => {
    const keys = fixtureNames.flatMap((name) => parseFixture(name).events.map(callEventKey));
    const again = fixtureNames.flatMap((name) => parseFixture(name).events.map(callEventKey));
    expect(again).toEqual(keys);
    const byKey = new Map<string, number>();
    for (const key of keys) byKey.set(key, (byKey.get(key) ?? 0) + 1);
    // The batch repeats one connect and one status, and both ended calls are of one call at one time.
    expect([...byKey.values()].filter((count) => count > 1)).toEqual([2, 2, 2]);
  });

  test("tells states of one call at one time apart, and ids that hold separators", () => {
    const parse = (calls: object[], statuses: object[] = []): string[] =>
      parseWebhook(envelope({ calls, statuses })).events.map(callEventKey);
    const keys = [
      ...parse([
        { id: 'a","b', event: "x" },
        { id: "a", event: 'b","x' },
        { id: "a", event: "terminate" },
      ]),
      ...parse(
        [],
        [
          { id: "a", status: "RINGING" },
          { id: "a", status: "ACCEPTED" },
        ],
      ),
    ];
    expect(new Set(keys).size).toBe(5);
  });
});
