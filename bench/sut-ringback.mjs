// Our own engine.
import { LocalMediaHost } from "../dist/media/local-media-host.js";
import { createTransportEngine } from "../dist/media/transport-engine.js";
import { systemClock } from "../dist/platform/clock.js";
import { systemRandom } from "../dist/platform/random.js";
import { systemTimers } from "../dist/platform/timers.js";
import { serveHost } from "./sut-host.mjs";

const host = new LocalMediaHost({
  engine: await createTransportEngine({ bindAddress: "127.0.0.1" }),
  clock: systemClock,
  timers: systemTimers,
  random: systemRandom,
});

await serveHost({ host, workers: 0, facts: { name: "ringback", ports: "one for all" } });
