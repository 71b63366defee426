import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isRingbackError } from "../errors.ts";
import { createSignedWebhook } from "../testing/sign-webhook.ts";
import { escapeNonAscii, signWebhook, verifySubscription, verifyWebhookSignature } from "./signature.ts";

const SECRET = "app-secret";
const encode = (text: string): Uint8Array => new TextEncoder().encode(text);

function reasonOf(run: () => void): string {
  try {
    run();
  } catch (error) {
    if (isRingbackError(error, "WEBHOOK_SIGNATURE_INVALID")) return error.details.reason;
    if (isRingbackError(error, "OPTION_INVALID")) return "option";
    throw error;
  }
  return "accepted";
}

describe("verifyWebhookSignature", () => {
  test("accepts the signature of a known vector", () => {
    // RFC 4231 test case 2.
    const header = "sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
    const body = encode("what do ya want for nothing?");
    expect(signWebhook(body, "Jefe")).toBe(header);
    expect(reasonOf(() => verifyWebhookSignature(body, header, ["Jefe"]))).toBe("accepted");
  });

  test.each([
    ["no header", undefined, "missing"],
    ["an empty header", "", "missing"],
    ["a header without the algorithm", "0".repeat(64), "malformed"],
    ["another algorithm", `sha1=${"0".repeat(40)}`, "malformed"],
    ["upper-case hex", `sha256=${"A".repeat(64)}`, "malformed"],
    ["a digest that is too short", `sha256=${"0".repeat(63)}`, "malformed"],
    ["a digest that is too long", `sha256=${"0".repeat(65)}`, "malformed"],
    ["a line end after the digest", `sha256=${"0".repeat(64)}\n`, "malformed"],
    ["two headers joined by the server", `sha256=${"0".repeat(64)}, sha256=${"0".repeat(64)}`, "malformed"],
    ["a wrong digest", `sha256=${"0".repeat(64)}`, "mismatch"],
  ])("refuses %s", (_, header, reason) => {
    expect(reasonOf(() => verifyWebhookSignature(encode("{}"), header, [SECRET]))).toBe(reason);
  });

  test("accepts each of several secrets while one is being replaced, and no other", () => {
    const body = encode("{}");
    for (const secret of ["old", "new"]) {
      const header = signWebhook(body, secret);
      expect(reasonOf(() => verifyWebhookSignature(body, header, ["old", "new"]))).toBe("accepted");
    }
    expect(reasonOf(() => verifyWebhookSignature(body, signWebhook(body, "x"), ["old", "new"]))).toBe(
      "mismatch",
    );
  });

  test.each([[[]], [[""]], [[SECRET, ""]]])("refuses to work with the secrets %j", (secrets) => {
    const body = encode("{}");
    const header = signWebhook(body, SECRET);
    expect(reasonOf(() => verifyWebhookSignature(body, header, secrets))).toBe("option");
    expect(reasonOf(() => signWebhook(body, ""))).toBe("option");
  });

  test("fails when any bit of body or digest is flipped", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 300 }), fc.nat(), fc.nat(7), (body, at, bit) => {
        const header = signWebhook(body, SECRET);
        const flipped = Uint8Array.from(body);
        flipped[at % body.length]! ^= 1 << bit;
        expect(reasonOf(() => verifyWebhookSignature(body, header, [SECRET]))).toBe("accepted");
        expect(reasonOf(() => verifyWebhookSignature(flipped, header, [SECRET]))).toBe("mismatch");
        const headerBytes = encode(header);
        headerBytes[at % header.length]! ^= 1 << bit;
        const bent = new TextDecoder("latin1").decode(headerBytes);
        expect(reasonOf(() => verifyWebhookSignature(body, bent, [SECRET]))).not.toBe("accepted");
      }),
    );
  });

  test("fails for a body that was parsed and serialised again when a name has an accent", () => {
    const { body, headers } = createSignedWebhook({ name: "Zoë", mime: "audio/ogg" }, SECRET);
    const header = headers["x-hub-signature-256"];
    const again = encode(JSON.stringify(JSON.parse(new TextDecoder().decode(body))));
    expect(reasonOf(() => verifyWebhookSignature(body, header, [SECRET]))).toBe("accepted");
    expect(reasonOf(() => verifyWebhookSignature(again, header, [SECRET]))).toBe("mismatch");
  });
});

describe("escapeNonAscii", () => {
  test("writes accents, emoji and slashes as Meta does", () => {
    expect(escapeNonAscii('{"é/😀":"\\/\\\\"}')).toBe('{"\\u00e9\\/\\ud83d\\ude00":"\\/\\\\"}');
  });

  test("keeps the value, leaves ASCII only, and changes nothing the second time", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const json = JSON.stringify(value);
        const escaped = escapeNonAscii(json);
        expect(JSON.parse(escaped)).toEqual(JSON.parse(json));
        expect(escaped).toMatch(/^[\x20-\x7e]*$/);
        expect(escapeNonAscii(escaped)).toBe(escaped);
      }),
    );
  });
});

describe("verifySubscription", () => {
  const query = { "hub.mode": "subscribe", "hub.challenge": "1158863600", "hub.verify_token": "T" };

  test("gives the challenge back for a known token", () => {
    expect(verifySubscription(query, ["T"])).toBe("1158863600");
    expect(verifySubscription(query, ["S", "T"])).toBe("1158863600");
  });

  test.each([
    ["another token", { ...query, "hub.verify_token": "U" }],
    ["no token", { ...query, "hub.verify_token": undefined }],
    ["a token given twice", { ...query, "hub.verify_token": ["T", "T"] }],
    ["another mode", { ...query, "hub.mode": "unsubscribe" }],
    ["no challenge", { ...query, "hub.challenge": undefined }],
    ["an empty challenge", { ...query, "hub.challenge": "" }],
    ["an endless challenge", { ...query, "hub.challenge": "1".repeat(5000) }],
    ["an empty query", {}],
  ])("refuses %s", (_, bad) => {
    expect(verifySubscription(bad, ["T"])).toBeNull();
  });

  test("never works without a token", () => {
    expect(reasonOf(() => verifySubscription({ ...query, "hub.verify_token": "" }, [""]))).toBe("option");
    expect(reasonOf(() => verifySubscription(query, []))).toBe("option");
  });
});
