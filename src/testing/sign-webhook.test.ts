import { expect, test } from "vitest";
import { verifyWebhookSignature } from "../whatsapp/signature.ts";
import { parseWebhook } from "../whatsapp/webhook.ts";
import { createSignedWebhook } from "./sign-webhook.ts";

test("a signed webhook passes the check, is pure ASCII and parses to what went in", () => {
  const contacts = [{ wa_id: "15550001111", profile: { name: "Zoë 😀" } }];
  const calls = [{ id: "wacid.1", from: "15550001111", event: "terminate" }];
  const value = { metadata: { phone_number_id: "1" }, contacts, calls };
  const { body, headers } = createSignedWebhook(
    { entry: [{ changes: [{ field: "calls", value }] }] },
    "secret",
  );
  verifyWebhookSignature(body, headers["x-hub-signature-256"], ["secret"]);
  expect(Math.max(...body)).toBeLessThan(0x7f);
  expect(parseWebhook(body).events[0]?.caller.name).toBe("Zoë 😀");
});

test("an empty secret signs nothing", () => {
  expect(() => createSignedWebhook({}, "")).toThrow(expect.objectContaining({ code: "OPTION_INVALID" }));
});
