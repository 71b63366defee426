// Our own engine as the gateway runs it: one media worker thread, whose CPU and memory count with the process's.
import { createMediaWorkerPool } from "../dist/media/index.js";
import { serveHost } from "./sut-host.mjs";

const WORKERS = 1;

const host = await createMediaWorkerPool({ workers: WORKERS, bindAddress: "127.0.0.1" });

await serveHost({ host, workers: WORKERS, facts: { name: "ringback", ports: "one a worker" } });
