// The whole gateway against the simulated WhatsApp: from the webhook on. The gateway runs in a process of its own;
// the simulator and its phones run in this one.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createSimulator } from "ringback/simulator";
import { startProgram } from "./gateway-program.mjs";
import { SAMPLE } from "./programs.mjs";
import { progress } from "./progress.mjs";
import { delay } from "./rig.mjs";
import { percentiles, round } from "./side-by-side.mjs";

const PHONE_NUMBER_ID = "100000000000001";
/** New calls come this far apart, so that the phones' own handshakes do not queue up and count as ours. */
const ARRIVAL_MS = 100;
const RUNS = [
  { concurrent: 1, rounds: 20 },
  { concurrent: 10, rounds: 2 },
  { concurrent: 50, rounds: 1 },
];

export async function gatewayPart({ seconds }) {
  const simulator = createSimulator();
  await simulator.start();
  const gateway = startProgram("./gateway.mjs");
  const folder = await mkdtemp(join(tmpdir(), "ringback-bench-"));
  try {
    simulator.webhookUrl = await startGateway(gateway, simulator, { folder });
    progress("the gateway: warming up");
    await hangUp([...(await placeCalls(simulator, 3)), ...(await placeCalls(simulator, 3))]);
    const rows = [];
    for (const run of RUNS) {
      progress(`the gateway: ${run.concurrent} calls`);
      rows.push(await measure(simulator, gateway, { ...run, seconds }));
    }
    return rows;
  } finally {
    await gateway.stop();
    await simulator.close();
    await rm(folder, { recursive: true, force: true });
  }
}

/** @returns Its URL. */
export async function startGateway(gateway, simulator, store) {
  const start = { graphUrl: simulator.graphUrl, phoneNumberId: PHONE_NUMBER_ID, file: SAMPLE, store };
  const { url } = await gateway.ask({ start });
  return url;
}

/** Several rounds of calls for the times; the last round stays up for the cost of a call in its steady state. */
async function measure(simulator, gateway, { concurrent, rounds, seconds }) {
  const reports = [];
  let cost = null;
  for (let roundNumber = 1; roundNumber <= rounds; roundNumber++) {
    const calls = await placeCalls(simulator, concurrent);
    if (roundNumber === rounds) cost = await measureCost(gateway, { concurrent, seconds });
    reports.push(...(await hangUp(calls)));
  }
  return toRow(concurrent, reports, cost);
}

async function measureCost(gateway, { concurrent, seconds }) {
  const before = await gateway.ask({ sample: true });
  await delay(seconds * 1_000);
  const after = await gateway.ask({ sample: true });
  return {
    cpuMsPerCallSecond: (after.cpuMs - before.cpuMs) / (concurrent * seconds),
    slotsSkipped: after.slotsSkipped - before.slotsSkipped,
  };
}

export async function placeCalls(simulator, count) {
  const calls = [];
  for (let i = 0; i < count; i++) {
    const from = String(15_550_001_000 + i);
    calls.push(await simulator.call({ from, voice: { type: "tone", frequencyHz: 440 }, keepAudioMs: 1_000 }));
    await delay(ARRIVAL_MS);
  }
  const accepted = await Promise.all(calls.map((call) => call.accepted));
  if (accepted.includes(false)) throw new Error("a call was not accepted; the figures would mean nothing");
  await Promise.all(calls.map((call) => call.media.firstRtp));
  return calls;
}

export function hangUp(calls) {
  for (const call of calls) call.hangUp();
  return Promise.all(calls.map((call) => call.ended));
}

function toRow(concurrent, reports, cost) {
  const since = (pick) => percentiles(reports.map((r) => pick(r.timeline) - r.timeline.webhookSentMs));
  const media = reports.map((r) => r.media);
  return {
    calls: concurrent,
    samples: reports.length,
    webhookTo200Ms: since((t) => t.webhookAnsweredMs),
    webhookToAnswerMs: since((t) => t.preAcceptMs),
    webhookToFirstRtpMs: since((t) => t.firstRtpMs),
    cpuMsPerCallSecond: round(cost.cpuMsPerCallSecond, 1),
    gapP99Ms: round(Math.max(...media.map((m) => m.gapP99Ms)), 1),
    packetsLost: media.reduce((sum, m) => sum + m.packetsLost, 0),
    slotsSkipped: cost.slotsSkipped,
  };
}
