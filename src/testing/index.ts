export { ManualClock } from "./manual-clock.ts";
export { ScriptedMediaEngine, ScriptedMediaLeg } from "./scripted-media.ts";
export { createSignedWebhook, type SignedWebhook } from "./sign-webhook.ts";
