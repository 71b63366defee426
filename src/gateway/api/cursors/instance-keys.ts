import { Cursors } from "../../../core/security/cursor.ts";
import { deriveKey } from "../../../core/security/derive-key.ts";
import type { Store } from "../../../store/types.ts";

/** What is derived from the store's own key, once it is asked for: a store that is down then is asked again the next time. */
export class InstanceKeys {
  readonly #store: Pick<Store, "instanceKey">;
  #master: Promise<Uint8Array> | null = null;

  constructor(store: Pick<Store, "instanceKey">) {
    this.#store = store;
  }

  async cursors(): Promise<Cursors> {
    return new Cursors(deriveKey(await this.#read(), "cursors"));
  }

  /** Key of signed URLs. */
  async urlKey(): Promise<Uint8Array> {
    return deriveKey(await this.#read(), "signed-urls");
  }

  #read(): Promise<Uint8Array> {
    this.#master ??= this.#store.instanceKey().catch((error: unknown) => {
      this.#master = null;
      throw error;
    });
    return this.#master;
  }
}
