import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  encode,
  envelope,
  fixtureNames,
  onlyEvent,
  readFixture,
} from "../../test/support/webhook-fixtures.ts";
import { RingbackError } from "../errors.ts";
import { callEventKey, parseWebhook } from "./webhook.ts";

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
