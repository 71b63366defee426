import type { ApiKeyRecord, WebhookEndpoint } from "../../../store/types.ts";
import type { ApiContext } from "../context.ts";
import { isOfKey } from "../cursors/own-number.ts";
import { ApiProblem } from "../problems.ts";

/** Each commit of an event looks at all of them. */
export const MAX_ENDPOINTS = 50;
/** Old secrets beside the newest. */
const MAX_OLD_SECRETS = 3;

/** @throws {ApiProblem} `not_found`, also for one of another number than the key's. */
export async function findEndpoint(
  { store }: ApiContext,
  id: string,
  key: ApiKeyRecord,
): Promise<WebhookEndpoint> {
  const endpoint = await store.endpoints.get(id);
  if (endpoint !== null && isOfKey(key, endpoint.phoneNumberId)) return endpoint;
  throw notFound();
}

export function notFound(): ApiProblem {
  return new ApiProblem("not_found", "There is no such endpoint.");
}

/** @throws {ApiProblem} `too_many_endpoints`. */
export async function requireRoom({ store }: ApiContext): Promise<void> {
  if ((await store.endpoints.list()).length < MAX_ENDPOINTS) return;
  throw new ApiProblem("too_many_endpoints", `There may be ${MAX_ENDPOINTS}: remove one that is not needed.`);
}

/** The new secret before the old ones, which sign until `untilMs`, or as long as they would have if that is shorter. */
export function rotate(
  secrets: WebhookEndpoint["secrets"],
  secret: string,
  untilMs: number,
  wallMs: number,
): WebhookEndpoint["secrets"] {
  const old = secrets
    .map((one) => ({ secret: one.secret, expiresAt: Math.min(one.expiresAt ?? untilMs, untilMs) }))
    .filter(({ expiresAt }) => expiresAt > wallMs)
    .slice(0, MAX_OLD_SECRETS);
  return [{ secret, expiresAt: null }, ...old];
}
