import { readFileSync } from "node:fs";
import { asyncApiDocument } from "../../src/core/events/asyncapi.ts";
import { STREAM_SCHEMAS } from "../../src/gateway/api/events/ws-messages.ts";

/** What docs/asyncapi.json is to be. */
export function eventsDocument(): unknown {
  const manifest = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as {
    readonly version: string;
  };
  return JSON.parse(JSON.stringify(asyncApiDocument(manifest.version, STREAM_SCHEMAS)));
}
