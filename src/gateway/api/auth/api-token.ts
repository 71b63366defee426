import { createHash, timingSafeEqual } from "node:crypto";
import type { Random } from "../../../platform/random.ts";

const SECRET_BYTES = 32;
const TOKEN = /^rbk_([0-9a-f]{32})_([A-Za-z0-9_-]{43})$/;

export interface TokenParts {
  /** `key_…` */
  readonly keyId: string;
  readonly secret: string;
}

/** 256 random bits: they need no slow hash, as nobody guesses them. */
export function createSecret(random: Random): string {
  return Buffer.from(random(SECRET_BYTES)).toString("base64url");
}

/** `rbk_<key id without key_>_<secret>`: what a program sends, and what a scanner for leaked secrets can find. */
export function formatToken(keyId: string, secret: string): string {
  return `rbk_${keyId.slice("key_".length)}_${secret}`;
}

/** Null when it is no token. */
export function parseToken(text: string): TokenParts | null {
  const [, id, secret] = TOKEN.exec(text) ?? [];
  return id === undefined || secret === undefined ? null : { keyId: `key_${id}`, secret };
}

/** What is stored of a secret: sha-256 in hex. */
export function hashSecret(secret: string): string {
  return createHash("sha256").update(secret).digest("hex");
}

/** In constant time, for one length. */
export function isSecretOf(secret: string, secretHash: string): boolean {
  const expected = Buffer.from(secretHash, "hex");
  const given = Buffer.from(hashSecret(secret), "hex");
  return expected.length === given.length && timingSafeEqual(expected, given);
}
