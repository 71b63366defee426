// The same calls with each program in turn: what a call costs, and what it gets.
import { progress } from "./progress.mjs";
import { Rig } from "./rig.mjs";

/** Calls arrive this far apart, so that the load's own handshakes do not queue up and count as the program's. */
export const ARRIVAL_MS = 15;
/** More than this of the core for others, and a figure says more about them than about the program. */
const DISTURBED_SHARE = 0.15;
const WINDOWS = 3;

export async function sideBySide(programs, { calls, seconds }) {
  const rows = [];
  for (const count of calls) {
    for (const program of programs) {
      progress(`${program.name}: ${count} calls`);
      rows.push(await measure(program, count, seconds));
    }
  }
  return rows;
}

async function measure(program, calls, seconds) {
  const rig = await Rig.start(program);
  try {
    const idleRssBytes = await rig.idleRssBytes();
    const placed = await rig.place({ count: calls, spacingMs: ARRIVAL_MS });
    const steady = await measureSteady(rig, { seconds, calls });
    const busy = await rig.rssBytes();
    return {
      program: program.name,
      calls,
      ...steady,
      answerMs: percentiles(placed.calls.map((call) => call.answerMs)),
      firstRtpMs: percentiles(placed.calls.map((call) => call.firstRtpMs)),
      kbPerCall: Math.round((busy.rssBytes - idleRssBytes) / 1024 / calls),
      srtpProfile: busy.sample.srtpProfile,
    };
  } finally {
    await rig.stop();
  }
}

/** Another window when others were at work in the first one. */
export async function measureSteady(rig, options) {
  let figures = toFigures(await rig.window(options));
  for (let left = WINDOWS - 1; left > 0 && figures.isDisturbed; left--) {
    progress("other programs were at work: once more");
    figures = toFigures(await rig.window(options));
  }
  return figures;
}

/** What a steady window says, in the table's units. */
export function toFigures(window) {
  return {
    cpuMsPerCallSecond: round(window.cpuMsPerCallSecond, 3),
    callsPerCore: Math.round(window.callsPerCore),
    gapMs: window.gapMs,
    lossPercent: round(window.lossShare * 100, 3),
    inboundLossPercent: round(window.inboundLossShare * 100, 3),
    packetsPerSecond: Math.round(window.received / window.seconds),
    bytesPerPacket: Math.round(window.receivedBytes / window.received),
    heardPercent: round((window.programHeard / window.sent) * 100, 1),
    programPercent: Math.round(window.programShare * 100),
    loadPercent: Math.round(window.loadShare * 100),
    loadLatenessP99Ms: window.loadLatenessMs.p99,
    isDisturbed:
      window.programCoreShare - window.programShare > DISTURBED_SHARE ||
      window.loadCoreShare - window.loadShare > DISTURBED_SHARE,
    notAuthentic: window.notAuthentic,
    callsLost: Math.max(window.ended, ...Object.values(window.down)),
    down: window.down,
  };
}

export function percentiles(values) {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share) => round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))], 2);
  return { p50: at(0.5), p95: at(0.95) };
}

export function round(value, digits) {
  return Math.round(value * 10 ** digits) / 10 ** digits;
}
