// The load: plays WhatsApp's relay for many calls, in a process and on a core of its own, and measures what it gets.
// It starts the program under test itself, so that offer and answer take one pipe each and nothing else.
// Driven over IPC: { id, do, ... } comes in, { id, result } or { id, error } goes out.
import { randomBytes } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { createCertificate } from "../dist/core/transport/dtls/dtls-certificate.js";
import { LoadCall } from "./load/call.mjs";
import { Forger } from "./load/forger.mjs";
import { Histogram } from "./load/histogram.mjs";
import { Pacer } from "./load/pacer.mjs";
import { Program } from "./load/program.mjs";

const CONNECT_TIMEOUT_MS = 20_000;
const HOLD_STEPS = 16;
const CERTIFICATE_LIFETIME_MS = 24 * 3_600_000;

const certificate = createCertificate({
  nowMs: Date.now(),
  lifetimeMs: CERTIFICATE_LIFETIME_MS,
  random: randomBytes,
});
const gaps = new Histogram();
const pacer = new Pacer();
const forger = new Forger();
/** Calls that are up, the oldest first. */
const calls = [];
let program = null;
/** By preference. The load is the DTLS server, so the choice is its own, and the same for every program. */
let srtpProfiles = [];
/** Opus packets that all callers say. */
let speech = [];
let nextCall = 1;

const commands = { start, place, churn, window: measure, hangUp, sample, forge, stop };

process.on("message", ({ id, do: name, ...options }) => {
  Promise.resolve(options)
    .then(commands[name])
    .then(
      (result) => process.send({ id, result: result ?? null }),
      (error) => process.send({ id, error: error.message }),
    );
});
// Without the runner nobody would end the program.
process.on("disconnect", () => void stop().finally(() => process.exit()));

async function start({ command, args, env, profiles, speech: packets }) {
  srtpProfiles = profiles;
  speech = packets.map((packet) => Buffer.from(packet, "base64"));
  const started = await Program.start({ command, args, env });
  program = started.program;
  return { pid: program.pid, facts: started.facts };
}

/** Places calls that stay; resolves when each has had RTP. */
async function place({ count, spacingMs }) {
  const placed = await inTurns(count, spacingMs, placeCall);
  calls.push(...placed);
  return { calls: placed.map(toTimes), program: calls[0]?.peer ?? null, ufrags: calls[0]?.ufrags ?? null };
}

/** Places calls that are hung up at their first packet, or so long after it: each a little longer than the one before. */
async function churn({ count, spacingMs, holdMs = { min: 0, max: 0 } }) {
  let begun = 0;
  const placed = await inTurns(count, spacingMs, async () => {
    const share = (begun++ % HOLD_STEPS) / (HOLD_STEPS - 1);
    const call = await placeCall();
    await delay(holdMs.min + share * (holdMs.max - holdMs.min));
    await end(call);
    return call;
  });
  return {
    calls: placed.map(toTimes),
    oneWay: placed.filter((call) => call.packetsSent === 0 || call.authentic === 0).length,
    packetsSent: placed.reduce((sum, call) => sum + call.packetsSent, 0),
  };
}

async function inTurns(count, spacingMs, begin) {
  const begun = [];
  let dueMs = performance.now();
  for (let i = 0; i < count; i++) {
    const waitMs = dueMs - performance.now();
    if (waitMs > 0) await delay(waitMs);
    const call = begin();
    // Told by Promise.all below; a call that fails while others are still to be placed is no unhandled rejection.
    call.catch(() => {});
    begun.push(call);
    dueMs += spacingMs;
  }
  return Promise.all(begun);
}

async function placeCall() {
  const call = new LoadCall({ id: nextCall++, certificate, gaps, speech });
  const offer = await call.open();
  call.times.offerMs = performance.now();
  const { sdp } = await program.request({ do: "answer", call: call.id, sdp: offer });
  call.times.answerMs = performance.now();
  call.applyAnswer(sdp, { srtpProfiles });
  pacer.add(call);
  const timeout = new AbortController();
  await Promise.race([call.firstRtp(), delay(CONNECT_TIMEOUT_MS, null, timeout).catch(() => {})]);
  timeout.abort();
  if (call.times.firstRtpMs === 0) throw new Error(`a call had no RTP: ${call.ended ?? "no connection"}`);
  return call;
}

async function end(call) {
  pacer.remove(call);
  await program.request({ do: "hangUp", call: call.id });
  call.close();
}

async function hangUp() {
  await Promise.all(calls.splice(0).map(end));
}

/** What comes and goes in a stretch of time, all calls together. */
async function measure({ ms }) {
  gaps.clear();
  pacer.lateness.clear();
  const before = { ...totals(), ...(await program.request({ do: "sample", gc: false })) };
  const beginMs = performance.now();
  await delay(ms);
  const seconds = (performance.now() - beginMs) / 1_000;
  const after = { ...totals(), ...(await program.request({ do: "sample", gc: false })) };
  return {
    seconds,
    received: after.received - before.received,
    receivedBytes: after.receivedBytes - before.receivedBytes,
    /** By sequence number. */
    expected: after.expected - before.expected,
    sent: after.sent - before.sent,
    programReceived: after.packetsReceived - before.packetsReceived,
    programSent: after.packetsSent - before.packetsSent,
    /** By sequence number. */
    programLost: after.packetsLost - before.packetsLost,
    datagramsDropped: (after.datagramsDropped ?? 0) - (before.datagramsDropped ?? 0),
    /** Frames of 20 ms that the program has decoded. */
    programHeard: (after.framesHeard ?? 0) - (before.framesHeard ?? 0),
    notAuthentic: after.checked - after.authentic,
    ended: calls.filter((call) => call.ended !== null).length,
    /** By reason, as the program says. */
    down: after.down ?? {},
    gapMs: gaps.summary(),
    loadLatenessMs: pacer.lateness.summary(),
  };
}

function totals() {
  const sums = { received: 0, receivedBytes: 0, expected: 0, sent: 0, checked: 0, authentic: 0 };
  for (const call of calls) {
    sums.received += call.packetsReceived;
    sums.receivedBytes += call.bytesReceived;
    sums.expected += call.packetsExpected;
    sums.sent += call.packetsSent;
    sums.checked += call.checked;
    sums.authentic += call.authentic;
  }
  return sums;
}

async function sample({ gc }) {
  const [call] = calls;
  return {
    ...(await program.request({ do: "sample", gc })),
    srtpProfile: call?.stats()?.srtpProfile ?? null,
  };
}

/** Junk from the calls' own addresses, spread over them; 0 ends it. */
function forge({ perSecond }) {
  if (perSecond > 0) forger.start(calls, perSecond);
  else forger.stop();
}

async function stop() {
  forger.stop();
  pacer.stop();
  await program?.stop();
  program = null;
  for (const call of calls.splice(0)) call.close();
  if (process.connected) setImmediate(() => process.disconnect());
}

function toTimes({ times }) {
  return {
    answerMs: times.answerMs - times.offerMs,
    connectedMs: times.connectedMs - times.offerMs,
    firstRtpMs: times.firstRtpMs - times.offerMs,
  };
}
