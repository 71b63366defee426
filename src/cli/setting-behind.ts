import { isRingbackError } from "../errors.ts";

/** By the names that `createGateway` and `listen` have for them. */
const SETTING_OF_OPTION: Readonly<Record<string, string>> = {
  host: "HOST",
  port: "PORT",
  "api.host": "API_HOST",
  "api.port": "API_PORT",
  dataKey: "DATA_KEY",
  soundsFolder: "SOUNDS_DIR",
  "events.url": "EVENTS_URL",
  "events.secret": "EVENTS_SECRET",
  publicAddress: "MEDIA_PUBLIC_ADDRESS",
};

/** What the system says of a media port that cannot be had. */
const PORT_REASONS: readonly string[] = ["EADDRINUSE", "EACCES"];

/** The setting of `ringback serve` that a failed start goes back to; null when there is none. */
export function settingBehind(error: unknown): string | null {
  if (isRingbackError(error, "OPTION_INVALID")) return SETTING_OF_OPTION[error.details.option] ?? null;
  const isPort = isRingbackError(error, "MEDIA_ENGINE_FAILED") && PORT_REASONS.includes(error.details.reason);
  return isPort ? "MEDIA_PORT" : null;
}
