export { ManualClock } from "./manual-clock.ts";
export {
  type EmulatedDatagram,
  type NetworkCounters,
  NetworkEmulator,
  type NetworkEmulatorOptions,
} from "./network-emulator.ts";
export type { LinkOptions } from "./network-link.ts";
export { ScriptedMediaEngine, ScriptedMediaLeg } from "./scripted-media.ts";
export { SeededRandom } from "./seeded-random.ts";
export { createSignedWebhook, type SignedWebhook } from "./sign-webhook.ts";
