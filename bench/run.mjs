// npm run bench: figures for 1, 10 and 50 concurrent calls. The gateway runs in a process of its own;
// the simulated WhatsApp and its phones run in this one. Machines are noisy: compare figures of one run only.
import { fork } from "node:child_process";
import { once } from "node:events";
import { cpus } from "node:os";
import { fileURLToPath } from "node:url";
import { createSimulator } from "ringback/simulator";

const PHONE_NUMBER_ID = "100000000000001";
const SAMPLE = fileURLToPath(new URL("../assets/sample.mp3", import.meta.url));
/** New calls come this far apart, so that the phones' own handshakes do not queue up and count as ours. */
const ARRIVAL_MS = 100;
const STEADY_MS = 10_000;
const RUNS = [
  { concurrent: 1, rounds: 20 },
  { concurrent: 10, rounds: 2 },
  { concurrent: 50, rounds: 1 },
];

const simulator = createSimulator();
await simulator.start();
const gateway = fork(fileURLToPath(new URL("./gateway.mjs", import.meta.url)), { execArgv: ["--expose-gc"] });
gateway.send({ start: { graphUrl: simulator.graphUrl, phoneNumberId: PHONE_NUMBER_ID, file: SAMPLE } });
const [{ url }] = await once(gateway, "message");
simulator.webhookUrl = url;

try {
  process.stderr.write("warming up …\n");
  for (const call of [...(await placeCalls(3)), ...(await placeCalls(3))]) {
    call.hangUp();
    await call.ended;
  }
  const rows = [];
  for (const run of RUNS) {
    process.stderr.write(`${run.concurrent} concurrent …\n`);
    rows.push(await measure(run));
  }
  print(rows);
} finally {
  gateway.send({ stop: true });
  await once(gateway, "exit");
  await simulator.close();
}

/** Several rounds of calls for the times; the last round stays up for the cost of a call in its steady state. */
async function measure({ concurrent, rounds }) {
  const reports = [];
  let cost = null;
  for (let round = 1; round <= rounds; round++) {
    const idle = await sampleGateway({ memory: true });
    const calls = await placeCalls(concurrent);
    if (round === rounds) cost = await measureCost(concurrent, idle);
    for (const call of calls) call.hangUp();
    reports.push(...(await Promise.all(calls.map((call) => call.ended))));
  }
  return row(concurrent, reports, cost);
}

async function measureCost(concurrent, idle) {
  const before = await sampleGateway({ memory: false });
  await delay(STEADY_MS);
  const after = await sampleGateway({ memory: true });
  return {
    cpuMsPerCallSecond: (after.cpuMs - before.cpuMs) / ((concurrent * STEADY_MS) / 1000),
    bytesPerCall: (after.rssBytes - idle.rssBytes) / concurrent,
    slotsSkipped: after.status.mediaSlotsSkipped - before.status.mediaSlotsSkipped,
  };
}

async function placeCalls(count) {
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

function row(concurrent, reports, cost) {
  const since = (pick) => percentiles(reports.map((r) => pick(r.timeline) - r.timeline.webhookSentMs));
  const media = reports.map((r) => r.media);
  return {
    concurrentCalls: concurrent,
    samples: reports.length,
    webhookTo200Ms: since((t) => t.webhookAnsweredMs),
    webhookToAnswerMs: since((t) => t.preAcceptMs),
    webhookToFirstRtpMs: since((t) => t.firstRtpMs),
    cpuMsPerCallSecond: round(cost.cpuMsPerCallSecond),
    // Below ten calls the growth drowns in what the process keeps anyway.
    memoryKbPerCall: concurrent < 10 ? null : Math.round(cost.bytesPerCall / 1024),
    gapP99Ms: round(Math.max(...media.map((m) => m.gapP99Ms))),
    packetsLost: media.reduce((sum, m) => sum + m.packetsLost, 0),
    slotsSkipped: cost.slotsSkipped,
  };
}

function percentiles(values) {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share) => round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]);
  return { median: at(0.5), p95: at(0.95) };
}

function print(rows) {
  console.log(`\nRingback bench, Node ${process.version}, ${cpus().length} x ${cpus()[0]?.model.trim()}`);
  console.log(
    `Calls arrive ${ARRIVAL_MS} ms apart; 50 packets a second each way; SRTP on. Times in ms, median / p95.\n`,
  );
  console.table(
    rows.map((r) => ({
      calls: r.concurrentCalls,
      "webhook -> 200": pair(r.webhookTo200Ms),
      "webhook -> answer": pair(r.webhookToAnswerMs),
      "webhook -> first RTP": pair(r.webhookToFirstRtpMs),
      "CPU ms / call-s": r.cpuMsPerCallSecond,
      "KB / call": r.memoryKbPerCall ?? "-",
      "gap p99": r.gapP99Ms,
      lost: r.packetsLost,
      "slots skipped": r.slotsSkipped,
    })),
  );
  console.log(JSON.stringify(rows));
}

function pair({ median, p95 }) {
  return `${median} / ${p95}`;
}

async function sampleGateway(sample) {
  gateway.send({ sample });
  const [answer] = await once(gateway, "message");
  return answer;
}

function delay(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function round(value) {
  return Math.round(value * 10) / 10;
}
