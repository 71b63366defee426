import { readdirSync, readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { RingbackError } from "../errors.ts";
import type { CallEvent } from "./call-event.ts";
import { callEventKey, type ParsedWebhook, parseWebhook } from "./webhook.ts";

const FIXTURES = new URL("../../test/fixtures/webhooks/", import.meta.url);
const fixtureNames = readdirSync(FIXTURES)
  .filter((name) => name.endsWith(".json"))
  .map((name) => name.slice(0, -".json".length));

const encode = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));
const readFixture = (name: string): Uint8Array => readFileSync(new URL(`${name}.json`, FIXTURES));
const parseFixture = (name: string): ParsedWebhook => parseWebhook(readFixture(name));

function onlyEvent(parsed: ParsedWebhook): CallEvent {
  expect(parsed.events).toHaveLength(1);
  return parsed.events[0]!;
}

function envelope(value: object): Uint8Array {
  const metadata = { display_phone_number: "15550002222", phone_number_id: "100000000000001" };
  return encode({ entry: [{ changes: [{ field: "calls", value: { metadata, ...value } }] }] });
}

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

  test("whose SDP type is missing, by the direction", () => {
    const call = {
      id: "wacid.1",
      event: "connect",
      direction: "BUSINESS_INITIATED",
      session: { sdp: "v=0" },
    };
    expect(onlyEvent(parseWebhook(envelope({ calls: [call] })))).toMatchObject({
      type: "connect",
      sdpType: "answer",
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

describe("parseWebhook withstands", () => {
  test.each([
    ["text", "hello", "not-json"],
    ["nothing", "", "not-json"],
    ["half a body", '{"entry":[', "not-json"],
    ["nesting without end", "[".repeat(200_000), "not-json"],
    ["an array", "[]", "not-an-envelope"],
    ["null", "null", "not-an-envelope"],
    ["an object without entries", "{}", "not-an-envelope"],
    ["entries that are no array", '{"entry":{}}', "not-an-envelope"],
  ])("%s", (_, text, reason) => {
    expect(() => parseWebhook(new TextEncoder().encode(text))).toThrow(
      expect.objectContaining({ code: "WEBHOOK_BODY_INVALID", details: { reason } }),
    );
  });

  test("bytes that are no UTF-8", () => {
    expect(() => parseWebhook(Uint8Array.of(0x7b, 0xff, 0x7d))).toThrow(
      expect.objectContaining({ details: { reason: "not-json" } }),
    );
  });

  test("more elements than it reads, and counts them", () => {
    const calls = Array.from({ length: 5000 }, (_, index) => ({ id: `w${index}`, event: "terminate" }));
    const { events, ignored } = parseWebhook(envelope({ calls }));
    expect(events.length).toBe(998);
    expect(events.length + ignored).toBe(5000);
    expect(parseWebhook(encode({ entry: Array(5000).fill(0) }))).toMatchObject({ ignored: 5000 });
  });

  test("ids that are too long to be kept", () => {
    expect(parseWebhook(envelope({ calls: [{ id: "w".repeat(513), event: "terminate" }] }))).toMatchObject({
      events: [],
      ignored: 1,
    });
  });

  test("keys that would change prototypes", () => {
    const text = new TextDecoder()
      .decode(envelope({ calls: [{ id: "w", event: "x", proto: { polluted: true } }] }))
      .replace('"proto"', '"\\u005f_proto__"');
    const event = onlyEvent(parseWebhook(new TextEncoder().encode(text)));
    const copy: Record<string, unknown> = Object.assign({}, event.raw);
    expect(copy["polluted"]).toBeUndefined();
    expect(Object.getPrototypeOf(event.raw)).toBe(Object.prototype);
  });

  test("any bytes: it gives events or a RingbackError", () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 500 }), (bytes) => isParsedOrRefused(bytes)));
  });

  test("any JSON", () => {
    fc.assert(fc.property(fc.jsonValue(), (value) => isParsedOrRefused(encode(value))));
    fc.assert(
      fc.property(fc.jsonValue(), (value) =>
        isParsedOrRefused(envelope({ calls: [value], statuses: [value] })),
      ),
    );
  });

  test("real envelopes of which any value is replaced by any other", () => {
    fc.assert(
      fc.property(fc.constantFrom(...fixtureNames), fc.nat(), fc.jsonValue(), (name, at, value) => {
        return isParsedOrRefused(encode(replaceNode(JSON.parse(readFixture(name).toString()), at, value)));
      }),
      { numRuns: 1000 },
    );
  });

  test("every prefix of every fixture", () => {
    for (const name of fixtureNames) {
      const bytes = readFixture(name);
      for (let length = 0; length < bytes.length - 2; length += 7) {
        expect(() => parseWebhook(bytes.subarray(0, length))).toThrow(RingbackError);
      }
    }
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

function isParsedOrRefused(bytes: Uint8Array): boolean {
  try {
    const parsed = parseWebhook(bytes);
    for (const event of parsed.events) callEventKey(event);
    return parsed.ignored >= 0;
  } catch (error) {
    return error instanceof RingbackError && error.code === "WEBHOOK_BODY_INVALID";
  }
}

/** Replaces one value of a JSON tree, chosen by its number. */
function replaceNode(root: unknown, at: number, value: unknown): unknown {
  const places: [Record<string, unknown>, string][] = [];
  const visit = (node: unknown): void => {
    if (typeof node !== "object" || node === null) return;
    for (const key of Object.keys(node)) {
      const parent = node as Record<string, unknown>;
      places.push([parent, key]);
      visit(parent[key]);
    }
  };
  visit(root);
  const [parent, key] = places[at % places.length]!;
  parent[key] = value;
  return root;
}
