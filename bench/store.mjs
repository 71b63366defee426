// npm run build && node bench/store.mjs [--seconds 3]: what the store writes in a second, one at a time and 64 at a time, and how long
// one write takes. In SQLite, in a file of a temporary folder; with DATABASE_URL (an empty database) in PostgreSQL as well.
import { mkdtempSync, rmSync } from "node:fs";
import { availableParallelism, cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { createId } from "../dist/core/events/id.js";
import { silentLogger } from "../dist/logger.js";
import { systemClock } from "../dist/platform/clock.js";
import { systemRandom } from "../dist/platform/random.js";
import { systemTimers } from "../dist/platform/timers.js";
import { openStore } from "../dist/store/index.js";

const DEPS = { clock: systemClock, timers: systemTimers, random: systemRandom, logger: silentLogger };
const BODY = new Uint8Array(3_000).fill(120);
const TYPES = ["call.incoming", "call.answered", "call.ended"];

const { values } = parseArgs({ options: { seconds: { type: "string", default: "3" } } });
const runMs = Number(values.seconds) * 1_000;

console.log(`node ${process.version}, ${availableParallelism()} cores, ${cpus()[0]?.model ?? "unknown"}`);
console.table(await measureAll());

async function measureAll() {
  const folder = mkdtempSync(join(tmpdir(), "ringback-bench-store-"));
  const rows = [];
  try {
    rows.push(...(await measureStore({ file: join(folder, "ringback.db") })));
    const url = process.env["DATABASE_URL"];
    if (url) rows.push(...(await measureStore({ url })));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return rows;
}

async function measureStore(place) {
  const openedMs = performance.now();
  const store = await openStore({ ...place, node: "bench" }, DEPS);
  const row = { store: store.backend, work: "open, with an empty database", at_once: 1, per_second: "" };
  const rows = [{ ...row, median_ms: round(performance.now() - openedMs), p99_ms: "" }];
  try {
    for (const atOnce of [1, 64])
      rows.push(await measure(store, "journal a webhook", atOnce, () => append(store)));
    for (const atOnce of [1, 64])
      rows.push(await measure(store, "commit a call, 3 events", atOnce, () => commit(store)));
    const endpointId = await addEndpoint(store);
    for (const atOnce of [1, 64]) {
      rows.push(await measure(store, "commit a call, 3 events and deliveries", atOnce, () => commit(store)));
    }
    rows.push(await drain(store, endpointId));
  } finally {
    await store.close();
  }
  return rows;
}

/** `atOnce` workers, each with its next write as soon as the one before is done. */
async function measure(store, work, atOnce, write) {
  const tookMs = [];
  const begun = process.cpuUsage();
  const begunMs = performance.now();
  const worker = async () => {
    while (performance.now() - begunMs < runMs) {
      const fromMs = performance.now();
      await write();
      tookMs.push(performance.now() - fromMs);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  return summary(store, work, atOnce, tookMs, performance.now() - begunMs, begun);
}

async function append(store) {
  const key = createId("evt", Date.now(), systemRandom);
  const entry = { dedupKey: key, callKey: key, event: "connect", position: 0, subject: "4915112345678" };
  const [written] = await store.journal.append({ receivedAt: Date.now(), body: BODY, entries: [entry] });
  return written.id;
}

async function commit(store) {
  const now = Date.now();
  const callId = createId("call", now, systemRandom);
  const party = { number: "4915112345678", userId: null, name: "Ada", username: null };
  const create = {
    id: callId,
    callKey: callId,
    phoneNumberId: "1",
    whatsappCallId: `wacid.${callId}`,
    direction: "inbound",
  };
  const events = TYPES.map((type, index) => ({
    id: createId("evt", now, systemRandom),
    type,
    at: now,
    seq: index + 1,
    data: { phone_number_id: "1" },
    personal: { caller: { number: party.number } },
  }));
  await store.calls.commit({
    callId,
    create: { ...create, state: "ringing", party, node: "bench", createdAt: now },
    update: { state: "ended", endedAt: now, endReason: "caller-hangup", durationMs: 1_000 },
    events,
  });
}

async function addEndpoint(store) {
  const id = createId("whe", Date.now(), systemRandom);
  const endpoint = { id, url: "https://crm.example/", types: null, phoneNumberId: null, description: "" };
  await store.endpoints.create({
    ...endpoint,
    secrets: [],
    state: "enabled",
    disabledReason: null,
    createdAt: Date.now(),
  });
  return id;
}

/** Takes what is due, 64 at a time, and settles each. */
async function drain(store, endpointId) {
  const tookMs = [];
  const begun = process.cpuUsage();
  const begunMs = performance.now();
  while (performance.now() - begunMs < runMs) {
    const fromMs = performance.now();
    const due = await store.outbox.due(endpointId, { at: Date.now(), limit: 64, exceptCallIds: [] });
    if (due.length === 0) break;
    await Promise.all(due.map((delivery) => store.outbox.settle(delivered(delivery))));
    const eachMs = performance.now() - fromMs;
    for (const _ of due) tookMs.push(eachMs);
  }
  return summary(store, "take what is due and settle it", 64, tookMs, performance.now() - begunMs, begun);
}

function delivered({ id }) {
  const now = Date.now();
  return {
    id,
    state: "delivered",
    attempts: 1,
    nextAt: now,
    deliveredAt: now,
    lastStatus: 200,
    lastError: null,
  };
}

function summary(store, work, atOnce, tookMs, ranMs, begun) {
  const { user, system } = process.cpuUsage(begun);
  const sorted = tookMs.toSorted((one, other) => one - other);
  const at = (share) => round(sorted[Math.floor((sorted.length - 1) * share)] ?? 0);
  return {
    store: store.backend,
    work,
    at_once: atOnce,
    per_second: Math.round((sorted.length / ranMs) * 1_000),
    median_ms: at(0.5),
    p99_ms: at(0.99),
    // The program's own, whatever else the machine has to do.
    cpu_ms_each: round((user + system) / 1_000 / Math.max(1, sorted.length)),
  };
}

function round(ms) {
  return Math.round(ms * 100) / 100;
}
