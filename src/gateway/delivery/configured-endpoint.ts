import { isWebhookSecret } from "../../core/delivery/webhook-secret.ts";
import { RingbackError } from "../../errors.ts";
import type { Clock } from "../../platform/clock.ts";
import type { Store, WallMs, WebhookEndpoint } from "../../store/types.ts";

/** The endpoint that the settings name. There is one, and it keeps its id whatever its URL is. */
export const CONFIGURED_ENDPOINT_ID = "whe_00000000000000000000000000000001";

/** How long the secret before signs beside a new one: receivers and Ringback are not set anew in the same moment. */
const ROTATION_MS = 24 * 3_600_000;

export interface ConfiguredEndpoint {
  readonly url: string;
  /** `whsec_` and base64 of 24 to 64 bytes. */
  readonly secret: string;
}

/**
 * Makes the endpoint of the settings (`EVENTS_URL`, `EVENTS_SECRET`), or makes the one from before what they say now. It is enabled
 * whatever disabled it. Without one in the settings, the one from before is disabled, and keeps what waits for it.
 *
 * @throws {RingbackError} `OPTION_INVALID`, `STORE_UNAVAILABLE`.
 */
export async function ensureConfiguredEndpoint(
  store: Pick<Store, "endpoints">,
  configured: ConfiguredEndpoint | null,
  { clock }: { readonly clock: Clock },
): Promise<void> {
  if (configured !== null) check(configured);
  const now = clock.wallMs();
  const known = await store.endpoints.get(CONFIGURED_ENDPOINT_ID);
  if (configured === null) {
    if (known?.state === "enabled") await disable(store);
  } else if (known === null) await create(store, configured, now);
  else await update(store, known, configured, now);
}

async function disable({ endpoints }: Pick<Store, "endpoints">): Promise<void> {
  await endpoints.update(CONFIGURED_ENDPOINT_ID, { state: "disabled", disabledReason: "operator" });
}

async function create(
  store: Pick<Store, "endpoints">,
  configured: ConfiguredEndpoint,
  now: WallMs,
): Promise<void> {
  const { url, secret } = configured;
  const endpoint: WebhookEndpoint = {
    id: CONFIGURED_ENDPOINT_ID,
    url,
    types: null,
    phoneNumberId: null,
    secrets: [{ secret, expiresAt: null }],
    state: "enabled",
    disabledReason: null,
    description: "EVENTS_URL",
    createdAt: now,
  };
  try {
    await store.endpoints.create(endpoint);
  } catch (error) {
    // Another node of the same settings may have been first.
    const known = await store.endpoints.get(CONFIGURED_ENDPOINT_ID);
    if (known === null) throw error;
    await update(store, known, configured, now);
  }
}

async function update(
  { endpoints }: Pick<Store, "endpoints">,
  known: WebhookEndpoint,
  { url, secret }: ConfiguredEndpoint,
  now: WallMs,
): Promise<void> {
  const [current] = known.secrets;
  const isSame = current?.secret === secret;
  const previous =
    current === undefined || isSame ? [] : [{ secret: current.secret, expiresAt: now + ROTATION_MS }];
  const secrets = isSame ? known.secrets : [{ secret, expiresAt: null }, ...previous];
  if (isSame && known.url === url && known.state === "enabled") return;
  await endpoints.update(CONFIGURED_ENDPOINT_ID, { url, secrets, state: "enabled", disabledReason: null });
}

function check({ url, secret }: ConfiguredEndpoint): void {
  const isUrl = URL.canParse(url) && /^https?:$/.test(new URL(url).protocol);
  if (!isUrl)
    throw invalid("events.url", "EVENTS_URL must be an absolute URL, such as https://app.example/events");
  if (isWebhookSecret(secret)) return;
  const hint = "such as whsec_$(openssl rand -base64 32) makes";
  throw invalid("events.secret", `EVENTS_SECRET must be whsec_ and 24 to 64 bytes in base64, ${hint}`);
}

function invalid(option: string, message: string): RingbackError<"OPTION_INVALID"> {
  return new RingbackError("OPTION_INVALID", message, { details: { option } });
}
