/** `secret`: also as `NAME_FILE`, and never shown. `url`: shown without what may be secret in it. `secret-url`: a URL that holds a password, both of these. */
export type SettingKind = "text" | "url" | "secret" | "secret-url";

export interface SettingInfo {
  readonly name: string;
  readonly kind: SettingKind;
  /** What holds when it is not set, in words; null: nothing does, or it must be set. */
  readonly fallback: string | null;
}

const text = (name: string, fallback: string | null = null): SettingInfo => ({
  name,
  kind: "text",
  fallback,
});
const url = (name: string, fallback: string | null = null): SettingInfo => ({ name, kind: "url", fallback });
const secret = (name: string): SettingInfo => ({ name, kind: "secret", fallback: null });

/** Every setting of `ringback serve`, in the order of the README. A test compares this with what is read. */
export const SETTINGS: readonly SettingInfo[] = [
  secret("WHATSAPP_TOKEN"),
  text("WHATSAPP_PHONE_NUMBER_ID"),
  secret("WHATSAPP_APP_SECRET"),
  secret("WHATSAPP_WEBHOOK_VERIFICATION_TOKEN"),
  url("GRAPH_API_URL", "https://graph.facebook.com"),
  text("GRAPH_API_VERSION", "v26.0"),
  text("HOST", "127.0.0.1"),
  text("PORT", "3000"),
  text("API_HOST", "127.0.0.1"),
  text("API_PORT", "3001"),
  text("API_PUBLIC_URL"),
  text("API_TRUSTED_PROXIES"),
  text("API_ALLOWED_ORIGINS"),
  text("MAX_CALLS", "1000"),
  text("DRAIN_TIMEOUT_SECONDS", "900"),
  text("MEDIA_WORKERS", "1"),
  text("MEDIA_PORT", "any free ones"),
  text("MEDIA_PUBLIC_ADDRESS", "the machine's own"),
  text("SPEECH_COMMAND"),
  text("SPEECH_ARGS"),
  url("SPEECH_URL"),
  text("SPEECH_MODEL"),
  secret("SPEECH_API_KEY"),
  text("SPEECH_VOICE"),
  text("SPEECH_LANGUAGE"),
  text("REQUESTS_ALLOW"),
  text("REQUESTS_ALLOW_HTTP", "no"),
  text("REQUESTS_ALLOW_ONLY", "no"),
  text("DATA_DIR", "data"),
  { name: "DATABASE_URL", kind: "secret-url", fallback: "SQLite, ringback.db in DATA_DIR" },
  secret("DATA_KEY"),
  text("NODE_NAME", "ringback; with DATABASE_URL the host's name"),
  text("SOUNDS_DIR"),
  url("EVENTS_URL"),
  secret("EVENTS_SECRET"),
  text("RETENTION_RECORDINGS_DAYS", "30"),
  text("RETENTION_CALLS_DAYS", "396"),
  text("RETENTION_EVENTS_DAYS", "30"),
  text("RETENTION_DELIVERIES_DAYS", "30"),
  text("RETENTION_WEBHOOKS_DAYS", "8"),
  text("RETENTION_AUDIT_DAYS", "731"),
  text("LOG_LEVEL", "info"),
];

export function isSecret({ kind }: SettingInfo): boolean {
  return kind === "secret" || kind === "secret-url";
}

/** Names as they may stand in the environment or in a file of settings: secrets also with `_FILE` behind them. */
export const SETTING_NAMES: ReadonlySet<string> = new Set(
  SETTINGS.flatMap((setting) =>
    isSecret(setting) ? [setting.name, `${setting.name}_FILE`] : [setting.name],
  ),
);
