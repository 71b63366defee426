import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { eventsDocument } from "../../../test/support/asyncapi-document.ts";
import { EVENT_TYPES } from "./event-types.ts";
import { EVENT_DATA, eventMistakes } from "./schemas.ts";

const text = readFileSync(new URL("../../../docs/asyncapi.json", import.meta.url), "utf8");

test("docs/asyncapi.json is what the schemas make; else run npm run api-docs", () => {
  expect(JSON.parse(text)).toEqual(eventsDocument());
});

test("every reference in the document leads to something", () => {
  const document = JSON.parse(text) as Record<string, unknown>;
  const pointers = [...text.matchAll(/"\$ref": "#\/([^"]+)"/g)].map((match) => match[1] ?? "");
  expect(pointers.length).toBeGreaterThan(100);
  for (const pointer of new Set(pointers)) {
    const found = pointer
      .split("/")
      .reduce<unknown>((value, key) => (value as Record<string, unknown>)?.[key], document);
    expect(found, pointer).toBeDefined();
  }
});

test("every type of event has its schema, and says what it is", () => {
  expect(Object.keys(EVENT_DATA).sort()).toEqual([...EVENT_TYPES].sort());
  for (const type of EVENT_TYPES) expect(EVENT_DATA[type].description, type).toMatch(/\.$/);
});

test("an event that is not as it should be is told where", () => {
  const event = {
    id: `evt_${"0".repeat(32)}`,
    type: "playback.ended",
    time: "2026-11-26T01:00:00.000Z",
    call_id: `call_${"0".repeat(32)}`,
    seq: 1,
    attempt: 1,
    data: { outcome: "completed", played_ms: 20, later_addition: true },
  };
  expect(eventMistakes(event)).toEqual([]);
  expect(eventMistakes({ ...event, data: { outcome: "completed" } })).toEqual([
    expect.stringMatching(/^data\.played_ms: /),
  ]);
  expect(eventMistakes({ ...event, time: "2026-11-26" })).toEqual([expect.stringMatching(/^time: /)]);
  expect(eventMistakes({ ...event, type: "call.nothing" })).toEqual([expect.stringMatching(/^type: /)]);
  expect(eventMistakes({ ...event, seq: -1, attempt: 0 })).toHaveLength(2);
});
