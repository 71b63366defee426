import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { SeededRandom } from "../seeded-random.ts";
import { createWebhookSecret, isWebhookSecret } from "./webhook-secret.ts";
import { type SignedContent, signWebhook, verifyWebhook } from "./webhook-signature.ts";

// The vector of the specification's own libraries (standard-webhooks/standard-webhooks, libraries/javascript/src/webhook.test.ts).
const SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const CONTENT: SignedContent = {
  id: "msg_p5jXN8AQM9LWM0D4loKWxJek",
  timestampS: 1_614_265_330,
  body: '{"test": 2432232314}',
};
const SIGNATURE = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
const NOW_MS = CONTENT.timestampS * 1_000;
const OTHER = createWebhookSecret(new SeededRandom(1).bytes);

function verify(
  headers: Record<string, string | undefined>,
  options: Partial<{ secrets: string[]; nowMs: number }> = {},
) {
  return verifyWebhook(headers, CONTENT.body, { secrets: [SECRET], nowMs: NOW_MS, ...options });
}

const SIGNED = { ...signWebhook(CONTENT, [SECRET]) };

describe("a signature", () => {
  test("is the one of the specification's vector", () => {
    expect(SIGNED).toEqual({
      "webhook-id": CONTENT.id,
      "webhook-timestamp": "1614265330",
      "webhook-signature": SIGNATURE,
    });
    expect(verify(SIGNED)).toBeNull();
  });

  test("is the same over bytes as over text", () => {
    const bytes = new TextEncoder().encode("grüße");
    expect(signWebhook({ ...CONTENT, body: bytes }, [SECRET])).toEqual(
      signWebhook({ ...CONTENT, body: "grüße" }, [SECRET]),
    );
  });

  test("is made with each secret while they are changed, and either alone verifies it", () => {
    const headers = { ...signWebhook(CONTENT, [OTHER, SECRET]) };
    expect(headers["webhook-signature"]?.split(" ")[1]).toBe(SIGNATURE);
    expect(verify(headers, { secrets: [SECRET] })).toBeNull();
    expect(verify(headers, { secrets: [OTHER] })).toBeNull();
    expect(verify(SIGNED, { secrets: [OTHER] })).toBe("no-match");
    expect(verify(SIGNED, { secrets: [OTHER, SECRET] })).toBeNull();
  });

  test("is not made without a secret, or with one that is none", () => {
    expect(signWebhook(CONTENT, [])).toBeNull();
    expect(signWebhook(CONTENT, [SECRET, "secret"])).toBeNull();
  });
});

describe("a delivery is not taken", () => {
  test.each(["webhook-id", "webhook-timestamp", "webhook-signature"])("without %s", (name) => {
    expect(verify({ ...SIGNED, [name]: undefined })).toBe("missing-header");
  });

  test.each(["hello", "-1", "1614265330.5", "0x10", "9".repeat(13)])("at the time %s", (timestamp) => {
    expect(verify({ ...SIGNED, "webhook-timestamp": timestamp })).toBe("malformed-timestamp");
  });

  test("after five minutes, or five minutes before its time", () => {
    expect(verify(SIGNED, { nowMs: NOW_MS + 300_000 })).toBeNull();
    expect(verify(SIGNED, { nowMs: NOW_MS + 301_000 })).toBe("too-old");
    expect(verify(SIGNED, { nowMs: NOW_MS - 300_000 })).toBeNull();
    expect(verify(SIGNED, { nowMs: NOW_MS - 301_000 })).toBe("too-new");
  });

  test.each([
    "v1,",
    "v1,g0hM",
    "v1,dawfeoifkpqwoekfpqoekf",
    SIGNATURE.replace("v1", "v2"),
    SIGNATURE.slice(3),
    ",",
  ])("with the signature %j", (signature) => {
    expect(verify({ ...SIGNED, "webhook-signature": signature })).toBe("no-match");
  });

  test("with the right signature behind hundreds of others", () => {
    const header = `${"v1,AAAA ".repeat(500)}${SIGNATURE}`;
    expect(verify({ ...SIGNED, "webhook-signature": header })).toBe("no-match");
  });

  test("when anything of it was changed", () => {
    fc.assert(
      fc.property(fc.nat(), fc.integer({ min: 1, max: 255 }), (at, mask) => {
        const body = new TextEncoder().encode(String(CONTENT.body));
        const index = at % body.length;
        body[index] = (body[index] ?? 0) ^ mask;
        expect(verifyWebhook(SIGNED, body, { secrets: [SECRET], nowMs: NOW_MS })).toBe("no-match");
      }),
    );
    expect(verify({ ...SIGNED, "webhook-id": "msg_other" })).toBe("no-match");
    expect(verify({ ...SIGNED, "webhook-timestamp": "1614265331" })).toBe("no-match");
  });
});

test("it is taken among signatures of other schemes", () => {
  const header = `v1,Ceo5qEr07ixe2NLpvHk3FH9bwy/WavXrAFQ/9tdO6mc= v1a,hnO3f9T8Ytu9 ${SIGNATURE}`;
  expect(verify({ ...SIGNED, "webhook-signature": header })).toBeNull();
});

describe("a secret", () => {
  test("is new each time, and is one", () => {
    const random = new SeededRandom(7);
    const secrets = Array.from({ length: 100 }, () => createWebhookSecret(random.bytes));
    expect(new Set(secrets).size).toBe(100);
    expect(secrets.every(isWebhookSecret)).toBe(true);
    expect(secrets[0]).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
  });

  test("may be without the signs at its end", () => {
    expect(isWebhookSecret(OTHER.replace(/=+$/, ""))).toBe(true);
  });

  test.each([
    "",
    "whsec_",
    "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    "whsec_c2hvcnQ=",
    "whsec_not base64 at all, but long enough to be",
    `whsec_${btoa("x".repeat(65))}`,
    `whsec_${btoa("x".repeat(10_000))}`,
    "whsk_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwA",
    "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw=",
    "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwAA=",
  ])("is not %j", (text) => {
    expect(isWebhookSecret(text)).toBe(false);
  });
});
