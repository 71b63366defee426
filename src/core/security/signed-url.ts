import { createHmac, timingSafeEqual } from "node:crypto";

/** A signed URL is good for this long when nothing else is asked for, in ms. */
export const DEFAULT_URL_LIFE_MS: number = 5 * 60_000;
/** No signed URL is good for longer, in ms, whoever signed it. */
export const MAX_URL_LIFE_MS: number = 60 * 60_000;

export interface UrlToSign {
  readonly method: "GET";
  /** Without host and query. */
  readonly path: string;
  /** Since the Unix epoch; counted in whole seconds, rounded up. */
  readonly expiresAtMs: number;
}

export interface UrlToCheck {
  /** `HEAD` may go wherever `GET` may. */
  readonly method: string;
  readonly path: string;
  readonly expires: string;
  readonly signature: string;
  readonly nowMs: number;
}

/** The query that makes a path readable without a key until it expires. */
export function signUrl(key: Uint8Array, { method, path, expiresAtMs }: UrlToSign): string {
  const expires = String(Math.ceil(expiresAtMs / 1_000));
  return `expires=${expires}&signature=${signatureOf(key, method, path, expires)}`;
}

/** `expired` is told only of URLs that were good: whoever made one up learns nothing. */
export function checkSignedUrl(key: Uint8Array, url: UrlToCheck): "valid" | "expired" | "invalid" {
  const method = url.method === "HEAD" ? "GET" : url.method;
  // As text: the last character of base64 has bits that decoding ignores.
  const expected = Buffer.from(signatureOf(key, method, url.path, url.expires));
  const given = Buffer.from(url.signature);
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) return "invalid";
  const leftMs = Number(url.expires) * 1_000 - url.nowMs;
  if (!(leftMs <= MAX_URL_LIFE_MS + 1_000)) return "invalid";
  return leftMs > 0 ? "valid" : "expired";
}

function signatureOf(key: Uint8Array, method: string, path: string, expires: string): string {
  return createHmac("sha256", key).update(`${method}\n${path}\n${expires}`).digest("base64url");
}
