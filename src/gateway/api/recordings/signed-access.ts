import type { FastifyRequest } from "fastify";
import { checkSignedUrl, signUrl } from "../../../core/security/signed-url.ts";
import type { Clock } from "../../../platform/clock.ts";
import type { InstanceKeys } from "../cursors/instance-keys.ts";
import { isoTime } from "../pages.ts";
import { ApiProblem } from "../problems.ts";

/** Makes URLs that are good without a key for a while, and tells good ones. */
export class SignedAccess {
  readonly #keys: InstanceKeys;
  readonly #clock: Clock;
  readonly #publicUrl: string | null;

  constructor(keys: InstanceKeys, clock: Clock, publicUrl: string | null) {
    this.#keys = keys;
    this.#clock = clock;
    this.#publicUrl = publicUrl;
  }

  async sign(path: string, lifeMs: number): Promise<{ readonly url: string; readonly expires_at: string }> {
    const expiresAtMs = Math.ceil((this.#clock.wallMs() + lifeMs) / 1_000) * 1_000;
    const query = signUrl(await this.#keys.urlKey(), { method: "GET", path, expiresAtMs });
    const url = this.#publicUrl === null ? path : new URL(path, this.#publicUrl).href;
    return { url: `${url}?${query}`, expires_at: isoTime(expiresAtMs) };
  }

  /**
   * Whether a request for a path comes with a good signature; false when it comes with none.
   * @throws {ApiProblem} `signature_invalid`, `signature_expired`.
   */
  async check(request: FastifyRequest, path: string): Promise<boolean> {
    const { expires, signature } = request.query as Record<string, unknown>;
    if (expires === undefined && signature === undefined) return false;
    const key = await this.#keys.urlKey();
    const verdict = checkSignedUrl(key, {
      method: request.method,
      path,
      expires: String(expires),
      signature: String(signature),
      nowMs: this.#clock.wallMs(),
    });
    if (verdict === "valid") return true;
    if (verdict === "expired")
      throw new ApiProblem("signature_expired", "Ask for a new URL of this recording.");
    throw new ApiProblem("signature_invalid", "Use the URL exactly as it was given out.");
  }
}
