import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { explainEnd } from "./explain-end.ts";
import type { MediaDownReason } from "./types.ts";

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

/** Every one of them, by the type. */
const MEDIA_DOWN_REASONS = Object.keys({
  "ice-no-pair": 0,
  "ice-consent-expired": 0,
  "dtls-timeout": 0,
  "dtls-fingerprint-mismatch": 0,
  "dtls-no-common-parameters": 0,
  "dtls-protocol-error": 0,
  "dtls-peer-alert": 0,
  "dtls-peer-closed": 0,
  "worker-crashed": 0,
  "engine-error": 0,
} satisfies Record<MediaDownReason, 0>) as MediaDownReason[];

test("every reason for which media goes down has a meaning of its own and a next step, in docs/errors.md, too", () => {
  const document = readFileSync(new URL("../../../docs/errors.md", import.meta.url), "utf8");
  const section = document.slice(document.indexOf("## MEDIA_LOST"), document.indexOf("## REQUEST_REFUSED"));
  const documented = [...section.matchAll(/^\| `([a-z-]+)` \|/gm)].map((match) => match[1]);
  expect(new Set(documented)).toEqual(new Set([...MEDIA_DOWN_REASONS, "unknown"]));
  const explained = MEDIA_DOWN_REASONS.map((mediaDown) =>
    explainEnd("media-failed", { iceConnected: true, mediaDown }),
  );
  expect(new Set(explained.map((each) => each.meaning)).size).toBe(MEDIA_DOWN_REASONS.length);
  expect(explained.every((each) => each.nextStep !== null)).toBe(true);
});

test("why media went down explains an end by media, and no other", () => {
  const facts = { iceConnected: false, mediaDown: "dtls-peer-closed" } as const;
  expect(explainEnd("media-timeout", facts).meaning).toContain("closed the media connection");
  expect(explainEnd("caller-hangup", facts).nextStep).toBeNull();
});
