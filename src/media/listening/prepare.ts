import { loadOpus } from "../opus-codec.ts";
import { loadVoiceDetector } from "./voice-detector.ts";

/** Compiles what listening needs for this thread: from then on no listener misses a packet of its beginning. */
export async function prepareListening(): Promise<void> {
  await Promise.all([loadOpus(), loadVoiceDetector()]);
}
