import type { Logger } from "../../../logger.ts";
import type { Clock } from "../../../platform/clock.ts";
import type { ApiKeyRecord, ApiKeys } from "../../../store/types.ts";
import { ApiProblem, type ProblemCode } from "../problems.ts";
import { isSecretOf, parseToken } from "./api-token.ts";

/** How fresh `lastUsedAt` is kept, in ms. */
const TOUCH_EVERY_MS = 60_000;
/** Compared with when there is no such key: an unknown key must not be answered sooner than a wrong secret. */
const NO_HASH = "0".repeat(64);

export interface AuthenticatorDeps {
  readonly apiKeys: ApiKeys;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Tells whose a token is. */
export class Authenticator {
  readonly #deps: AuthenticatorDeps;
  /** Keys whose use is being noted. */
  readonly #touching = new Set<string>();

  constructor(deps: AuthenticatorDeps) {
    this.#deps = deps;
  }

  /** @throws {ApiProblem} `key_missing`, `key_invalid`, `key_revoked`, `key_expired`. */
  async authenticate(token: string | null): Promise<ApiKeyRecord> {
    if (token === null) throw refusal("key_missing", "Send a key: `Authorization: Bearer rbk_…`.");
    const parts = parseToken(token);
    const key = parts === null ? null : await this.#deps.apiKeys.get(parts.keyId);
    const isRight = isSecretOf(parts?.secret ?? "", key?.secretHash ?? NO_HASH);
    if (key === null || !isRight) throw refusal("key_invalid", "This is none of this gateway's keys.");
    // Said to those alone who have the secret.
    const wallMs = this.#deps.clock.wallMs();
    if (key.revokedAt !== null) throw refusal("key_revoked", "The key was revoked: ask for another one.");
    if (key.expiresAt !== null && key.expiresAt <= wallMs)
      throw refusal("key_expired", "The key has expired: ask for another one.");
    this.#noteUse(key, wallMs);
    return key;
  }

  #noteUse(key: ApiKeyRecord, wallMs: number): void {
    const { id, lastUsedAt } = key;
    if (lastUsedAt !== null && Math.abs(wallMs - lastUsedAt) < TOUCH_EVERY_MS) return;
    if (this.#touching.has(id)) return;
    this.#touching.add(id);
    void this.#deps.apiKeys
      .touch(id, wallMs)
      .catch((error: unknown) => this.#deps.logger.warn({ err: error }, "the use of a key was not noted"))
      .finally(() => this.#touching.delete(id));
  }
}

function refusal(code: ProblemCode, detail: string): ApiProblem {
  return new ApiProblem(code, detail, { headers: { "www-authenticate": 'Bearer realm="ringback"' } });
}
