import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import { RingbackError } from "../errors.ts";

/** Meta's test challenge is a number of about ten digits; anything far longer is not echoed. */
const MAX_CHALLENGE_CHARS = 256;
const SIGNATURE_FORM = /^sha256=([0-9a-f]{64})$/;

/**
 * Signs a webhook body as Meta does.
 *
 * @param rawBody The bytes as they travel, not a re-serialised object.
 * @param appSecret The app's secret (Meta for Developers, App settings, Basic).
 * @returns The value of `X-Hub-Signature-256`: `sha256=` and 64 lower-case hex digits.
 * @throws {RingbackError} `OPTION_INVALID` when the secret is empty.
 */
export function signWebhook(rawBody: Uint8Array, appSecret: string): string {
  return `sha256=${hmac(rawBody, appSecret).toString("hex")}`;
}

/**
 * Checks `X-Hub-Signature-256` over the raw bytes of a webhook, and returns only when it is right.
 *
 * Meta signs the bytes that it sends, in which every non-ASCII character is escaped, so a body that went through
 * `JSON.parse` and `JSON.stringify` fails as soon as a caller's name has an accent. There is no switch to skip this.
 *
 * @param header The header's value; undefined when it is absent.
 * @param appSecrets One secret, or several while one is being replaced. Every one is tried, also after a match.
 * @throws {RingbackError} `WEBHOOK_SIGNATURE_INVALID`; `OPTION_INVALID` when there is no secret or an empty one.
 * @see Meta Webhooks, "Create a webhook endpoint", validating payloads (read 2026-11-22)
 */
export function verifyWebhookSignature(
  rawBody: Uint8Array,
  header: string | undefined,
  appSecrets: readonly string[],
): void {
  requireSecrets(appSecrets, "appSecrets", "an app secret");
  const claimed = readSignature(header);
  let isValid = false;
  for (const secret of appSecrets) {
    isValid = timingSafeEqual(hmac(rawBody, secret), claimed) || isValid;
  }
  if (!isValid) {
    throw signatureError(
      "mismatch",
      "X-Hub-Signature-256 does not match the body; check the app secret, and that the raw bytes are hashed",
    );
  }
}

/**
 * Answers Meta's verification of a webhook address, `GET ?hub.mode=subscribe&hub.challenge=…&hub.verify_token=…`.
 *
 * @param query The decoded query parameters.
 * @param verifyTokens The tokens that the operator may have entered at Meta.
 * @returns The challenge, to be sent back as `text/plain` with status 200; null to refuse with 403.
 * @throws {RingbackError} `OPTION_INVALID` when there is no token or an empty one.
 * @see Meta Webhooks, "Create a webhook endpoint", verification requests (read 2026-11-22)
 */
export function verifySubscription(
  query: Readonly<Record<string, unknown>>,
  verifyTokens: readonly string[],
): string | null {
  requireSecrets(verifyTokens, "verifyTokens", "a webhook verification token");
  const token = query["hub.verify_token"];
  const challenge = query["hub.challenge"];
  if (query["hub.mode"] !== "subscribe" || typeof token !== "string" || typeof challenge !== "string")
    return null;
  if (challenge.length === 0 || challenge.length > MAX_CHALLENGE_CHARS) return null;
  const claimed = sha256(token);
  let isKnown = false;
  for (const known of verifyTokens) {
    isKnown = timingSafeEqual(sha256(known), claimed) || isKnown;
  }
  return isKnown ? challenge : null;
}

/**
 * Rewrites JSON text into the form in which Meta sends and signs it: `\uXXXX` for every non-ASCII character and `\/` for
 * every slash. The value stays the same, the bytes do not; that is what a receiver that re-serialises trips over.
 *
 * @param json Valid JSON text. Text that is escaped already comes back unchanged.
 */
export function escapeNonAscii(json: string): string {
  // The first alternative steps over escape sequences, so that `\\/` and `\/` are told apart.
  return json.replace(/\\[\s\S]|\/|[\u007f-\uffff]/g, (found) => {
    if (found.length === 2) return found;
    return found === "/" ? "\\/" : `\\u${found.charCodeAt(0).toString(16).padStart(4, "0")}`;
  });
}

function hmac(rawBody: Uint8Array, appSecret: string): Buffer {
  requireSecrets([appSecret], "appSecret", "an app secret");
  return createHmac("sha256", appSecret).update(rawBody).digest();
}

function sha256(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}

function readSignature(header: string | undefined): Buffer {
  if (header === undefined || header === "") {
    throw signatureError("missing", "the request has no X-Hub-Signature-256 header; Meta always sends one");
  }
  const hex = SIGNATURE_FORM.exec(header)?.[1];
  if (hex === undefined) {
    throw signatureError("malformed", "X-Hub-Signature-256 must be sha256= and 64 lower-case hex digits");
  }
  return Buffer.from(hex, "hex");
}

// An empty list or an empty secret would make anybody's signature right, so it is refused as a fault of the operator.
function requireSecrets(secrets: readonly string[], option: string, what: string): void {
  if (secrets.length > 0 && secrets.every((secret) => typeof secret === "string" && secret !== "")) return;
  throw new RingbackError("OPTION_INVALID", `${option} needs ${what} that is not empty`, {
    details: { option },
  });
}

function signatureError(
  reason: "missing" | "malformed" | "mismatch",
  message: string,
): RingbackError<"WEBHOOK_SIGNATURE_INVALID"> {
  return new RingbackError("WEBHOOK_SIGNATURE_INVALID", message, { details: { reason } });
}
