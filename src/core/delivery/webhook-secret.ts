import type { Random } from "../random.ts";

/** What a signing secret begins with in text (Standard Webhooks 1.0.0, "Signature scheme"). */
const PREFIX = "whsec_";

/** Bounds of the same section: 192 to 512 bits. */
const MIN_BYTES = 24;
const MAX_BYTES = 64;
const NEW_BYTES = 32;

const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/;

/** A new secret: `whsec_` and 32 random bytes in base64. */
export function createWebhookSecret(random: Random): string {
  return PREFIX + toBase64(random(NEW_BYTES));
}

/** The key in a secret; null when the text is not `whsec_` and base64 of 24 to 64 bytes. */
export function readWebhookSecret(secret: string): Uint8Array | null {
  if (!secret.startsWith(PREFIX)) return null;
  const text = secret.slice(PREFIX.length);
  if (text.length > 2 * MAX_BYTES || !BASE64.test(text)) return null;
  // Either with all of the signs at its end, or with none.
  const rest = text.length % 4;
  if (text.endsWith("=") ? rest !== 0 : rest === 1) return null;
  const key = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  return key.length >= MIN_BYTES && key.length <= MAX_BYTES ? key : null;
}

export function isWebhookSecret(secret: string): boolean {
  return readWebhookSecret(secret) !== null;
}

function toBase64(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes));
}
