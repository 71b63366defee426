import type { WallMs, WebhookEndpoint } from "../../store/types.ts";

/** A rotation makes two; more signatures would only make headers that servers refuse. */
const MAX_SECRETS = 4;

/** What an endpoint's deliveries are signed with: the newest secret, and those before it until they run out. */
export function signingSecrets({ secrets }: WebhookEndpoint, now: WallMs): readonly string[] {
  const valid = secrets.filter(
    ({ expiresAt }, index) => index === 0 || (expiresAt !== null && expiresAt > now),
  );
  return valid.slice(0, MAX_SECRETS).map(({ secret }) => secret);
}
