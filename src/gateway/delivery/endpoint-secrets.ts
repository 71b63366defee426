import { deriveKey } from "../../core/security/derive-key.ts";
import { isSealed, unseal } from "../../core/security/seal.ts";
import type { Store, WallMs, WebhookEndpoint } from "../../store/types.ts";

/** A rotation makes two; more signatures would only make headers that servers refuse. */
const MAX_SECRETS = 4;

/** Reads what an endpoint's deliveries are signed with: the newest secret, and those before it until they run out. */
export class EndpointSecrets {
  readonly #store: Store;
  #key: Uint8Array | null = null;

  constructor(store: Store) {
    this.#store = store;
  }

  /** Null when one of them cannot be read. */
  async read({ id, secrets }: WebhookEndpoint, now: WallMs): Promise<readonly string[] | null> {
    const valid = secrets.filter(
      ({ expiresAt }, index) => index === 0 || (expiresAt !== null && expiresAt > now),
    );
    const texts: string[] = [];
    for (const { secret } of valid.slice(0, MAX_SECRETS)) {
      const text = isSealed(secret) ? unseal(await this.#sealKey(), secret, id) : secret;
      if (text === null) return null;
      texts.push(text);
    }
    return texts;
  }

  async #sealKey(): Promise<Uint8Array> {
    this.#key ??= deriveKey(await this.#store.instanceKey(), "secrets-at-rest");
    return this.#key;
  }
}
