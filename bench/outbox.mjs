// npm run build && node bench/outbox.mjs [--events 10000]: how many events a second leave the outbox for webhook endpoints, and what
// one costs. The receivers are a process of their own. With DATABASE_URL (an empty database) PostgreSQL is measured, too.
import { fork } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { availableParallelism, cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { createId } from "../dist/core/events/id.js";
import { createDeliveries } from "../dist/gateway/delivery/index.js";
import { silentLogger } from "../dist/logger.js";
import { systemClock } from "../dist/platform/clock.js";
import { createRequestPolicy } from "../dist/platform/outgoing-request.js";
import { systemRandom } from "../dist/platform/random.js";
import { systemTimers } from "../dist/platform/timers.js";
import { openStore } from "../dist/store/index.js";

const EVENTS_PER_CALL = 10;
const SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const DEPS = { clock: systemClock, timers: systemTimers, random: systemRandom, logger: silentLogger };

const { values } = parseArgs({
  options: { events: { type: "string", default: "10000" }, receiver: { type: "boolean" } },
});
if (values.receiver) receive();
else await measureAll(Number(values.events));

async function measureAll(events) {
  const rows = [];
  const backends = process.env["DATABASE_URL"] ? ["sqlite", "postgres"] : ["sqlite"];
  for (const backend of backends) {
    for (const [consumers, keepAlive] of [
      [1, true],
      [1, false],
      [10, true],
    ]) {
      rows.push(await measure({ backend, consumers, keepAlive, events }));
    }
  }
  const [cpu] = cpus();
  console.log(`# Outbox, ${availableParallelism()} x ${cpu?.model.trim()}, Node ${process.version}\n`);
  console.table(rows);
  console.log(JSON.stringify(rows));
}

/** Fills an outbox, then delivers it. Events are counted once for each consumer that gets them. */
async function measure({ backend, consumers, keepAlive, events }) {
  const folder = mkdtempSync(join(tmpdir(), "ringback-outbox-"));
  const place =
    backend === "sqlite" ? { file: join(folder, "ringback.db") } : { url: process.env["DATABASE_URL"] };
  const store = await openStore({ ...place, node: "bench" }, DEPS);
  const receiver = await startReceiver(consumers, keepAlive);
  for (const url of receiver.urls) await store.endpoints.create(endpointOf(url));
  const deliveries = consumers * Math.ceil(events / consumers / EVENTS_PER_CALL) * EVENTS_PER_CALL;
  const filledMs = await time(() => fill(store, deliveries / consumers));
  const delivered = await drain(store, deliveries);
  for (const { id } of await store.endpoints.list()) await store.endpoints.remove(id);
  await store.close();
  receiver.stop();
  rmSync(folder, { recursive: true });
  return {
    backend,
    consumers,
    "keep-alive": keepAlive,
    deliveries,
    "events/s": Math.round((deliveries * 1_000) / delivered.ms),
    "CPU ms/event": Number((delivered.cpuMs / deliveries).toFixed(3)),
    "MB more": Number(delivered.mb.toFixed(1)),
    "written/s": Math.round((deliveries * 1_000) / filledMs),
  };
}

async function fill(store, events) {
  const calls = Array.from({ length: events / EVENTS_PER_CALL }, () => addCall(store));
  await Promise.all(calls);
}

function addCall(store) {
  const at = Date.now();
  const callId = createId("call", at, systemRandom);
  const party = { number: null, userId: null, name: null, username: null };
  const create = {
    id: callId,
    callKey: callId,
    phoneNumberId: "100000000000001",
    whatsappCallId: null,
    direction: "inbound",
    state: "ringing",
    party,
    node: "bench",
    createdAt: at,
  };
  const events = Array.from({ length: EVENTS_PER_CALL }, (_, index) => ({
    id: createId("evt", at, systemRandom),
    type: "call.dtmf",
    at,
    seq: index + 1,
    data: { digit: "5" },
    personal: null,
  }));
  return store.calls.commit({ callId, create, events });
}

async function drain(store, deliveries) {
  const requests = createRequestPolicy({ allowHttp: true, allowedHosts: ["127.0.0.1"] });
  const sender = createDeliveries({ ...DEPS, store, requests });
  const rss = process.memoryUsage().rss;
  const cpu = process.cpuUsage();
  const ms = await time(async () => {
    sender.start();
    while (sender.status().delivered < deliveries) await new Promise((resolve) => setTimeout(resolve, 10));
  });
  const { user, system } = process.cpuUsage(cpu);
  const mb = (process.memoryUsage().rss - rss) / 2 ** 20;
  await sender.stop();
  return { ms, cpuMs: (user + system) / 1_000, mb };
}

async function time(work) {
  const startedMs = performance.now();
  await work();
  return performance.now() - startedMs;
}

function endpointOf(url) {
  const createdAt = Date.now();
  return {
    id: createId("whe", createdAt, systemRandom),
    url,
    types: null,
    phoneNumberId: null,
    secrets: [{ secret: SECRET, expiresAt: null }],
    state: "enabled",
    disabledReason: null,
    description: "",
    createdAt,
  };
}

function startReceiver(consumers, keepAlive) {
  const child = fork(fileURLToPath(import.meta.url), ["--receiver"]);
  return new Promise((resolve) => {
    child.once("message", (urls) => resolve({ urls, stop: () => child.disconnect() }));
    child.send({ consumers, keepAlive });
  });
}

/** In the child: reads each body, and says that it was taken. */
function receive() {
  process.once("message", ({ consumers, keepAlive }) => {
    const listening = Array.from({ length: consumers }, () => listen(keepAlive));
    void Promise.all(listening).then((urls) => process.send(urls));
  });
  process.once("disconnect", () => process.exit());
}

function listen(keepAlive) {
  const server = createServer((request, response) => {
    request.resume().on("end", () => response.writeHead(204, keepAlive ? {} : { connection: "close" }).end());
  });
  return new Promise((resolve) => {
    server.listen(0, "127.0.0.1", () => resolve(`http://127.0.0.1:${server.address().port}/`));
  });
}
