import { expect, test } from "vitest";
import { toEnvelope } from "./envelope.ts";

test("an envelope has the event's facts in the order that the documents have them", () => {
  const event = {
    position: 7,
    id: "evt_1",
    type: "call.dtmf" as const,
    at: 1_700_000_000_123,
    callId: "call_1",
    phoneNumberId: "1",
    seq: 3,
    data: { digit: "5" },
  };
  expect(JSON.stringify(toEnvelope(event, 2))).toBe(
    '{"id":"evt_1","type":"call.dtmf","time":"2023-11-14T22:13:20.123Z","call_id":"call_1","seq":3,"attempt":2,"data":{"digit":"5"}}',
  );
});
