import { createHash } from "node:crypto";
import { deriveKey } from "../../../core/security/derive-key.ts";
import { isSealed, seal, unseal } from "../../../core/security/seal.ts";
import { RingbackError } from "../../../errors.ts";
import type { Random } from "../../../platform/random.ts";
import type { WebhookEndpoint, WebhookEndpoints } from "../../../store/types.ts";

type Secrets = WebhookEndpoint["secrets"];

/** Fewer would be guessed. */
const MIN_DATA_KEY_CHARACTERS = 32;

/**
 * Endpoints whose secrets are encrypted in the store, and plain for whoever uses them from here. Secrets that were stored before there
 * was a key stay readable, and are encrypted when they change.
 *
 * @param dataKey At least 32 random characters (`DATA_KEY`). Without it, what it has encrypted is lost.
 * @throws {RingbackError} `OPTION_INVALID`, also later for secrets that another key has encrypted.
 */
export function sealEndpoints(
  endpoints: WebhookEndpoints,
  dataKey: string,
  random: Random,
): WebhookEndpoints {
  if (dataKey.length < MIN_DATA_KEY_CHARACTERS) {
    throw invalid(
      `dataKey must have ${MIN_DATA_KEY_CHARACTERS} characters at least, as \`openssl rand -base64 32\` makes them.`,
    );
  }
  const key = deriveKey(createHash("sha256").update(dataKey).digest(), "secrets-at-rest");
  const close = (id: string, secrets: Secrets): Secrets =>
    secrets.map((one) => ({ ...one, secret: seal(key, one.secret, id, random) }));
  const open = (endpoint: WebhookEndpoint): WebhookEndpoint => ({
    ...endpoint,
    secrets: endpoint.secrets.map((one) => ({ ...one, secret: opened(key, one.secret, endpoint.id) })),
  });
  return {
    create: (endpoint) => endpoints.create({ ...endpoint, secrets: close(endpoint.id, endpoint.secrets) }),
    get: async (id) => {
      const endpoint = await endpoints.get(id);
      return endpoint === null ? null : open(endpoint);
    },
    list: async () => (await endpoints.list()).map(open),
    update: async (id, { secrets, ...change }) => {
      const changed = await endpoints.update(id, {
        ...change,
        ...(secrets !== undefined && { secrets: close(id, secrets) }),
      });
      return changed === null ? null : open(changed);
    },
    remove: (id) => endpoints.remove(id),
  };
}

function opened(key: Uint8Array, secret: string, endpointId: string): string {
  if (!isSealed(secret)) return secret;
  const text = unseal(key, secret, endpointId);
  if (text !== null) return text;
  throw invalid("dataKey (DATA_KEY) is not the one that the endpoints' secrets were encrypted with.");
}

function invalid(message: string): RingbackError<"OPTION_INVALID"> {
  return new RingbackError("OPTION_INVALID", message, { details: { option: "dataKey" } });
}
