import { createCipheriv, createDecipheriv } from "node:crypto";
import type { Random } from "../random.ts";

/** What a sealed text begins with. */
const PREFIX = "sealed:v1:";
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/**
 * Encrypts a text for the disk with AES-256-GCM.
 *
 * @param key 32 bytes, of `deriveKey(…, "secrets-at-rest")`.
 * @param context Whose text it is, such as an id: it opens only there.
 */
export function seal(key: Uint8Array, text: string, context: string, random: Random): string {
  const nonce = random(NONCE_BYTES);
  const cipher = createCipheriv("aes-256-gcm", key, nonce).setAAD(Buffer.from(context));
  const bytes = Buffer.concat([nonce, cipher.update(text, "utf8"), cipher.final(), cipher.getAuthTag()]);
  return PREFIX + bytes.toString("base64url");
}

export function isSealed(text: string): boolean {
  return text.startsWith(PREFIX);
}

/** Null when the key or the context is another one, or the text was changed. */
export function unseal(key: Uint8Array, sealed: string, context: string): string | null {
  const bytes = Buffer.from(sealed.slice(PREFIX.length), "base64url");
  if (!isSealed(sealed) || bytes.length < NONCE_BYTES + TAG_BYTES) return null;
  const end = bytes.length - TAG_BYTES;
  const decipher = createDecipheriv("aes-256-gcm", key, bytes.subarray(0, NONCE_BYTES), {
    authTagLength: TAG_BYTES,
  });
  decipher.setAAD(Buffer.from(context)).setAuthTag(bytes.subarray(end));
  try {
    return Buffer.concat([decipher.update(bytes.subarray(NONCE_BYTES, end)), decipher.final()]).toString(
      "utf8",
    );
  } catch {
    return null;
  }
}
