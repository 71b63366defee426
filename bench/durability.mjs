// What it costs that nothing is lost: webhooks that are on the disk before their 200, events through the outbox, the start, and
// calls with the store against calls without.
import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createSimulator } from "ringback/simulator";
import { hangUp, placeCalls, startGateway } from "./gateway-part.mjs";
import { startProgram } from "./gateway-program.mjs";
import { LOAD_CORE, PROGRAM_CORE, pinned } from "./machine.mjs";
import { fillOutbox } from "./outbox-filling.mjs";
import { progress } from "./progress.mjs";
import { delay } from "./rig.mjs";
import { round } from "./side-by-side.mjs";

const CLI = fileURLToPath(new URL("../dist/cli/main.js", import.meta.url));
const RATES = [10, 100, 500];
const WARM_UP = { perSecond: 100, seconds: 3 };
const STARTS = 7;
const START_LIMIT_MS = 30_000;
const DENSITY_CALLS = 30;
/** The gateways change places within a round: what disturbs one half disturbs both. */
const DENSITY_ROUNDS = 3;
const OUTBOX_CALLS = 500;
const SECRET = "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=";

export async function durability({ seconds }) {
  return {
    webhooks: await inFolder((folder) => webhooks(folder, seconds)),
    outbox: await inFolder(outbox),
    start: await inFolder(coldStart),
    density: await inFolder((folder) => density(folder, seconds)),
  };
}

async function webhooks(folder, seconds) {
  const { load, gateway, urls, close } = await startPair();
  try {
    const url = await startRejecting(gateway, urls, { store: { folder } });
    await load.ask({ send: { url, ...WARM_UP } });
    const rows = [];
    for (const [of, perSecond] of ["calls", "statuses"].flatMap((of) => RATES.map((rate) => [of, rate]))) {
      progress(`${perSecond} webhooks a second, of ${of}`);
      const cpuBefore = await gateway.ask({ sample: true });
      const sent = await load.ask({ send: { url, perSecond, seconds, of } });
      const cpuAfter = await gateway.ask({ sample: true });
      rows.push({ of, ...toRow(perSecond, sent, cpuAfter.cpuMs - cpuBefore.cpuMs) });
    }
    return rows;
  } finally {
    await close();
  }
}

function toRow(perSecond, { times, statuses, seconds }, cpuMs) {
  const sorted = times.toSorted((a, b) => a - b);
  const at = (share) => round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))], 2);
  return {
    perSecond,
    webhooks: times.length,
    medianMs: at(0.5),
    p99Ms: at(0.99),
    maxMs: at(1),
    refused: times.length - (statuses[200] ?? 0),
    programPercent: round(cpuMs / seconds / 10, 0),
  };
}

/** Events that wait in the outbox when the gateway starts, to one endpoint. */
async function outbox(folder) {
  progress("events through the outbox");
  const { load, gateway, urls, close } = await startPair();
  try {
    const count = await fillOutbox({ folder, url: urls.endpointUrl, secret: SECRET, calls: OUTBOX_CALLS });
    await startRejecting(gateway, urls, { store: { folder } });
    const received = await load.ask({ receive: { count } });
    const perSecond = Math.round((received.count / received.ms) * 1_000);
    return { events: count, received: received.count, calls: OUTBOX_CALLS, perSecond };
  } finally {
    await close();
  }
}

async function startPair() {
  const load = startProgram("./webhook-load.mjs", LOAD_CORE);
  const gateway = startProgram("./gateway.mjs");
  const urls = await load.ask({ open: true });
  const close = async () => {
    await gateway.stop();
    await load.stop();
  };
  return { load, gateway, urls, close };
}

async function startRejecting(gateway, { graphUrl }, options) {
  const start = { graphUrl, phoneNumberId: "100000000000001", does: "reject", ...options };
  const { url } = await gateway.ask({ start });
  return url;
}

/** `ringback serve` from the command line to `/readyz`, with a database that is new the first time. */
async function coldStart(folder) {
  progress(`${STARTS} starts`);
  const times = [];
  for (let i = 0; i < STARTS; i++) times.push(await startOnce(folder));
  const [first, ...others] = times;
  const sorted = others.toSorted((a, b) => a - b);
  return {
    starts: STARTS,
    firstMs: round(first, 0),
    medianMs: round(sorted[sorted.length >> 1], 0),
    worstMs: round(sorted.at(-1), 0),
  };
}

async function startOnce(folder) {
  const [port, apiPort] = [await freePort(), await freePort()];
  const [command, args] = pinned(PROGRAM_CORE, process.execPath, [CLI, "serve"]);
  const env = {
    ...process.env,
    WHATSAPP_TOKEN: "token",
    WHATSAPP_APP_SECRET: "secret",
    WHATSAPP_PHONE_NUMBER_ID: "100000000000001",
    WHATSAPP_WEBHOOK_VERIFICATION_TOKEN: "verify",
    GRAPH_API_URL: "http://127.0.0.1:9",
    PORT: String(port),
    API_PORT: String(apiPort),
    DATA_DIR: folder,
    LOG_LEVEL: "error",
  };
  const startMs = performance.now();
  const child = spawn(command, args, { env, stdio: ["ignore", "inherit", "inherit"] });
  const exited = new Promise((resolve) => child.once("exit", resolve));
  try {
    await untilReady(`http://127.0.0.1:${port}/readyz`, startMs + START_LIMIT_MS);
    return performance.now() - startMs;
  } finally {
    child.kill("SIGTERM");
    await exited;
  }
}

async function untilReady(url, deadlineMs) {
  for (;;) {
    const status = await fetch(url).then(
      (answer) => answer.status,
      () => null,
    );
    if (status === 200) return;
    if (performance.now() > deadlineMs)
      throw new Error(`${url} was not ready in time (last answer: ${status})`);
    await delay(5);
  }
}

/** Two gateways with the same calls at the same time on the same core: one with a file, one that keeps nothing. */
async function density(folder, seconds) {
  const sides = [await startSide({ folder }), await startSide("memory")];
  try {
    for (const side of sides) await hangUp(await placeCalls(side.simulator, 3));
    const rounds = [];
    for (let i = 1; i <= DENSITY_ROUNDS; i++) {
      progress(`${DENSITY_CALLS} calls with the store, and as many without: ${i} of ${DENSITY_ROUNDS}`);
      rounds.push(await densityRound(i % 2 === 0 ? sides : sides.toReversed(), seconds));
    }
    const [withMs, withoutMs] = ["with", "without"].map(
      (side) => sum(rounds.map((one) => one[side])) / rounds.length,
    );
    return {
      calls: DENSITY_CALLS,
      withMs: round(withMs, 2),
      withoutMs: round(withoutMs, 2),
      ratio: round(withMs / withoutMs, 3),
      rounds: rounds.map((one) => round(one.with / one.without, 3)),
    };
  } finally {
    for (const { gateway, simulator } of sides) {
      await gateway.stop();
      await simulator.close();
    }
  }
}

async function startSide(store) {
  const simulator = createSimulator();
  await simulator.start();
  const gateway = startProgram("./gateway.mjs");
  simulator.webhookUrl = await startGateway(gateway, simulator, store);
  return { simulator, gateway, name: store === "memory" ? "without" : "with" };
}

async function densityRound(sides, seconds) {
  const calls = [];
  for (const { simulator } of sides) calls.push(...(await placeCalls(simulator, DENSITY_CALLS)));
  const before = await cpuOf(sides);
  await delay(seconds * 1_000);
  const after = await cpuOf(sides);
  await hangUp(calls);
  const cost = (side) => (after[side] - before[side]) / (DENSITY_CALLS * seconds);
  return { with: cost("with"), without: cost("without") };
}

async function cpuOf(sides) {
  const samples = await Promise.all(
    sides.map(async ({ gateway, name }) => [name, (await gateway.ask({ sample: true })).cpuMs]),
  );
  return Object.fromEntries(samples);
}

async function inFolder(work) {
  const folder = await mkdtemp(join(tmpdir(), "ringback-bench-"));
  try {
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function freePort() {
  const server = createServer();
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

function sum(values) {
  return values.reduce((total, value) => total + value, 0);
}
