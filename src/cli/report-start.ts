import type { ServeConfig } from "../gateway/config.ts";
import type { Logger } from "../logger.ts";

/** Where a gateway listens. */
export interface Opened {
  readonly url: string;
  /** Origin of the API; null: there is none. */
  readonly apiUrl: string | null;
  /** Somebody can get into the API. */
  readonly hasKeys: boolean;
}

/** Says at the start where everything is, and what is still to be done. */
export function reportStart(config: ServeConfig, opened: Opened, logger: Logger): void {
  const { url: database, folder, node } = config.store;
  const store = database === undefined ? `SQLite in ${folder}` : `PostgreSQL at ${hostOf(database)}`;
  logger.info({ store, node, recordings: config.gateway.recordingsFolder }, "store open");
  if (opened.apiUrl !== null) reportApi(config, opened.apiUrl, opened.hasKeys, logger);
  if (config.events !== null) logger.info({ host: hostOf(config.events.url) }, "events are delivered");
  logger.info({ url: opened.url, numbers: config.gateway.phoneNumbers }, "waiting for calls");
}

function reportApi({ api }: ServeConfig, url: string, hasKeys: boolean, logger: Logger): void {
  logger.info({ api: `${url}/v1`, docs: `${url}/docs`, metrics: `${url}/metrics` }, "API open");
  if (!hasKeys) {
    const command = "ringback keys create --name my-program --scope calls:read calls:write events:read";
    logger.warn({ command }, "there is no API key yet: nobody can use the API until one is made");
  }
  if (!isLoopback(api?.host ?? "")) {
    logger.warn(
      { setting: "API_HOST" },
      "the API can be reached from other machines: put TLS in front of it",
    );
  }
}

/** Without user, password and path. */
function hostOf(url: string): string {
  return URL.canParse(url) ? new URL(url).host : "";
}

function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || host.startsWith("127.");
}
