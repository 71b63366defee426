import { expect, test } from "vitest";
import { explainEnd } from "./explain-end.ts";

test("a call without media is told apart by how far it came", () => {
  const before = explainEnd("media-timeout", { iceConnected: false, mediaDown: null });
  const after = explainEnd("media-timeout", { iceConnected: true, mediaDown: null });
  expect(before.nextStep).toContain("outbound UDP");
  expect(after.meaning).toContain("DTLS");
});

test("ordinary ends ask for nothing, faults name the next step", () => {
  const facts = { iceConnected: true, mediaDown: null };
  for (const reason of ["caller-hangup", "local-hangup", "rejected", "gateway-closed"] as const) {
    expect(explainEnd(reason, facts).nextStep).toBeNull();
  }
  for (const reason of ["graph-refused", "remote-failed", "offer-expired", "overloaded"] as const) {
    expect(explainEnd(reason, facts).nextStep).not.toBeNull();
  }
});
