export { ManualClock } from "./manual-clock.ts";
export { createSignedWebhook, type SignedWebhook } from "./sign-webhook.ts";
