// The node-datachannel engine (libdatachannel) in its process's one JavaScript thread, with our sessions above it.
import { readFileSync } from "node:fs";
import { register } from "node:module";
import { LocalMediaHost } from "../dist/media/local-media-host.js";
import { systemClock } from "../dist/platform/clock.js";
import { systemRandom } from "../dist/platform/random.js";
import { systemTimers } from "../dist/platform/timers.js";
import { serveHost } from "./sut-host.mjs";

// An interop peer of the tests, in TypeScript.
register("../test/support/typescript-hooks.mjs", import.meta.url);
const { createDatachannelEngine } = await import("../test/support/datachannel/engine.ts");
const { version } = JSON.parse(
  readFileSync(new URL("../node_modules/node-datachannel/package.json", import.meta.url), "utf8"),
);
const host = new LocalMediaHost({
  engine: await createDatachannelEngine({ bindAddress: "127.0.0.1" }),
  clock: systemClock,
  timers: systemTimers,
  random: systemRandom,
});

await serveHost({ host, workers: 0, facts: { name: "node-datachannel", version, ports: "one a call" } });
