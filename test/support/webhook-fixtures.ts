import { readdirSync, readFileSync } from "node:fs";
import { expect } from "vitest";
import type { CallEvent } from "../../src/whatsapp/call-event.ts";
import { type ParsedWebhook, parseWebhook } from "../../src/whatsapp/webhook.ts";

const FIXTURES = new URL("../fixtures/webhooks/", import.meta.url);

/** Names of all webhook fixtures, without `.json`. */
export const fixtureNames: readonly string[] = readdirSync(FIXTURES)
  .filter((name) => name.endsWith(".json"))
  .map((name) => name.slice(0, -".json".length));

export const encode = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));
export const readFixture = (name: string): Uint8Array => readFileSync(new URL(`${name}.json`, FIXTURES));
export const parseFixture = (name: string): ParsedWebhook => parseWebhook(readFixture(name));

export function onlyEvent(parsed: ParsedWebhook): CallEvent {
  expect(parsed.events).toHaveLength(1);
  const [event] = parsed.events;
  if (event === undefined) throw new Error("there is no event");
  return event;
}

/** A webhook body with one change of the field `calls`. */
export function envelope(value: object): Uint8Array {
  const metadata = { display_phone_number: "15550002222", phone_number_id: "100000000000001" };
  return encode({ entry: [{ changes: [{ field: "calls", value: { metadata, ...value } }] }] });
}
