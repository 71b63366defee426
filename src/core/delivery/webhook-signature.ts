import { createHmac, timingSafeEqual } from "node:crypto";
import { readWebhookSecret } from "./webhook-secret.ts";

/** The symmetric scheme, HMAC-SHA256 (Standard Webhooks 1.0.0, "Signature scheme"). Others stand beside it and are passed over. */
const VERSION = "v1";

/** How far the sender's clock may be off, and how long a captured request is of use. The libraries of the specification take the same. */
const TOLERANCE_S = 300;

/** Signatures that are looked at: a rotation makes two, and nobody is to make work with thousands. */
const MAX_SIGNATURES = 16;

/** What is signed: the specification's `{msg_id}.{timestamp}.{payload}`. */
export interface SignedContent {
  /** Without a full stop in it. */
  readonly id: string;
  /** Of the attempt, in seconds since the Unix epoch. */
  readonly timestampS: number;
  /** As it is sent, byte for byte. */
  readonly body: string | Uint8Array;
}

/** The headers of a delivery. */
export interface WebhookHeaders {
  readonly "webhook-id": string;
  readonly "webhook-timestamp": string;
  readonly "webhook-signature": string;
}

export type WebhookFault =
  | "missing-header"
  | "malformed-timestamp"
  | "too-old"
  | "too-new"
  | "bad-secret"
  | "no-match";

/**
 * Signs with every secret, in their order; while secrets are changed, receivers try one after the other.
 *
 * @returns null when there is no secret, or one that is none: then nothing is sent.
 */
export function signWebhook(content: SignedContent, secrets: readonly string[]): WebhookHeaders | null {
  const keys = secrets.map(readWebhookSecret);
  if (keys.length === 0) return null;
  const signatures: string[] = [];
  for (const key of keys) {
    if (key === null) return null;
    signatures.push(`${VERSION},${hmacOf(content, key).toString("base64")}`);
  }
  return {
    "webhook-id": content.id,
    "webhook-timestamp": String(content.timestampS),
    "webhook-signature": signatures.join(" "),
  };
}

/**
 * Checks a delivery, as its receiver does.
 *
 * @param headers Names in lower case.
 * @param secrets Any of them will do.
 * @returns null when it is genuine.
 */
export function verifyWebhook(
  headers: Readonly<Record<string, string | undefined>>,
  body: string | Uint8Array,
  options: { readonly secrets: readonly string[]; readonly nowMs: number; readonly toleranceS?: number },
): WebhookFault | null {
  const { "webhook-id": id, "webhook-timestamp": timestamp, "webhook-signature": signatures } = headers;
  if (!id || !timestamp || !signatures) return "missing-header";
  if (!/^\d{1,12}$/.test(timestamp)) return "malformed-timestamp";
  const timestampS = Number(timestamp);
  const { secrets, nowMs, toleranceS = TOLERANCE_S } = options;
  const ageS = Math.floor(nowMs / 1_000) - timestampS;
  if (ageS > toleranceS) return "too-old";
  if (ageS < -toleranceS) return "too-new";
  const given = readSignatures(signatures);
  for (const secret of secrets) {
    const key = readWebhookSecret(secret);
    if (key === null) return "bad-secret";
    const expected = hmacOf({ id, timestampS, body }, key);
    if (given.some((signature) => isEqual(signature, expected))) return null;
  }
  return "no-match";
}

function readSignatures(header: string): readonly Uint8Array[] {
  return header
    .split(" ", MAX_SIGNATURES)
    .filter((signature) => signature.startsWith(`${VERSION},`))
    .map((signature) => Buffer.from(signature.slice(VERSION.length + 1), "base64"));
}

function hmacOf({ id, timestampS, body }: SignedContent, key: Uint8Array): Buffer {
  return createHmac("sha256", key).update(`${id}.${timestampS}.`).update(body).digest();
}

function isEqual(given: Uint8Array, expected: Uint8Array): boolean {
  return given.length === expected.length && timingSafeEqual(given, expected);
}
