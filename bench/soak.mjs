// npm run soak: thousands of short calls beside a long one. Memory, handles and timers have to end where they began.
// Exits with 1 when they do not.
import { readdirSync } from "node:fs";
import { parseArgs } from "node:util";
import { nodeProgram } from "./programs.mjs";
import { progress } from "./progress.mjs";
import { delay, Rig } from "./rig.mjs";
import { count } from "./settings.mjs";
import { round, toFigures } from "./side-by-side.mjs";

const HELP = `npm run soak -- [options]

  --calls N         short calls, each with RTP both ways (default: 2000)
  --long-seconds N  length of the long call (default: 600)
  --leak-kb N       what the program is to keep of each call, to see that it is found out (default: 0)
`;

/** With the time that a call lasts, some tens are up at any time. */
const ARRIVAL_MS = 20;
const HOLD_MS = { min: 300, max: 1_000 };
const BATCH = 250;
/** Short calls before the first look: pools are filled and code is compiled. */
const WARM_UP_CALLS = 300;
/** Past every timer that a call leaves behind for a while. */
const SETTLE_MS = 3_000;
/**
 * V8 keeps the pages of a young generation that was busy, 10 to 30 MB of them, and gives them back with collections some
 * time apart. So memory is looked at until it has come down no further this often, or so many times.
 */
const COLLECTIONS = { apartMs: 1_000, inVain: 3, most: 12 };
const COME_DOWN_BYTES = 256 * 1024;
const LAST_LOOK_SECONDS = 5;
/** What the garbage collector and the allocator may keep: 2,000 calls that leak a kilobyte each are past it. */
const HEAP_SLACK_BYTES = 1024 * 1024;
const RSS_SLACK_BYTES = 12 * 1024 * 1024;
/**
 * More rounds, long call and all, when the first one is past RSS_SLACK_BYTES. The allocator takes memory until it has what
 * the load needs, sooner or later by how busy the machine is; a leak takes as much in each round.
 */
const FURTHER_ROUNDS = 3;
const LONG_CALL_LOSS_PERCENT = 0.5;

const { values } = parseArgs({
  options: {
    calls: { type: "string", default: "2000" },
    "long-seconds": { type: "string", default: "600" },
    "leak-kb": { type: "string", default: "0" },
    help: { type: "boolean", short: "h" },
  },
});
if (values.help) console.log(HELP);
else await soak(count("--calls", values.calls), count("--long-seconds", values["long-seconds"]));

async function soak(shortCalls, longSeconds) {
  const { args, ...program } = nodeProgram("ringback");
  const rig = await Rig.start({ ...program, args: [...args, "--leak-kb", values["leak-kb"]] });
  try {
    progress(`warming up with ${WARM_UP_CALLS} short calls`);
    await rig.churn({ count: WARM_UP_CALLS, spacingMs: ARRIVAL_MS, holdMs: HOLD_MS });
    const before = await look(rig);
    const short = await placeBesideLongCall(rig, shortCalls, longSeconds);
    const looks = [before, await look(rig)];
    while (grewInEach(looks) && looks.length < 2 + FURTHER_ROUNDS) {
      progress(`RSS grew: further round ${looks.length - 1} of at most ${FURTHER_ROUNDS}`);
      addTo(short, await placeBesideLongCall(rig, shortCalls, longSeconds));
      looks.push(await look(rig));
    }
    const checks = judge({ before, after: looks.at(-1), looks, ...short });
    console.log(JSON.stringify({ shortCalls, longSeconds, looks, ...short, checks }));
    for (const { text, holds, figure } of checks)
      console.log(`${holds ? "ok  " : "FAIL"} ${text}: ${figure}`);
    const isClean = checks.every(({ holds }) => holds);
    console.log(isClean ? "Everything is where it began." : "Something was left behind.");
    if (!isClean) process.exitCode = 1;
  } finally {
    await rig.stop();
  }
}

async function placeBesideLongCall(rig, shortCalls, longSeconds) {
  await rig.place({ count: 1, spacingMs: 0 });
  const beginMs = performance.now();
  const short = await placeShortCalls(rig, shortCalls);
  const leftMs = beginMs + (longSeconds - LAST_LOOK_SECONDS) * 1_000 - performance.now();
  if (leftMs > 0) {
    progress(`the long call for another ${Math.round(leftMs / 1_000)} s`);
    await delay(leftMs);
  }
  const longCall = toFigures(await rig.window({ seconds: LAST_LOOK_SECONDS, calls: 1 }));
  await rig.hangUp();
  return { ...short, longCall };
}

async function placeShortCalls(rig, shortCalls) {
  const sums = { connected: 0, oneWay: 0 };
  while (sums.connected < shortCalls) {
    const batch = Math.min(BATCH, shortCalls - sums.connected);
    const { calls, oneWay } = await rig.churn({ count: batch, spacingMs: ARRIVAL_MS, holdMs: HOLD_MS });
    addTo(sums, { connected: calls.length, oneWay });
    progress(`${sums.connected} of ${shortCalls} short calls`);
  }
  return sums;
}

function addTo(sums, { connected, oneWay }) {
  sums.connected += connected;
  sums.oneWay += oneWay;
}

/** Whether the memory of the process grew by more than the slack in every round so far. */
function grewInEach(looks) {
  return looks.slice(1).every(({ rssBytes }, i) => rssBytes - looks[i].rssBytes >= RSS_SLACK_BYTES);
}

/** What the program holds when it has no calls. */
async function look(rig) {
  await delay(SETTLE_MS);
  const { rssBytes, sample } = await collected(rig);
  const sum = (pick) => sample.threads.reduce((total, thread) => total + pick(thread), 0);
  return {
    rssBytes,
    heapBytes: sum((thread) => thread.heapUsed + thread.external),
    resources: sample.threads.map((thread) => thread.resources.join(" ")),
    files: readdirSync(`/proc/${rig.programPid}/fd`).length,
    legs: sample.status.workers.reduce((total, worker) => total + worker.calls, 0),
    workers: sample.threads.length,
  };
}

/** Memory of the program when it has given back what it can. */
async function collected(rig) {
  let least = await rig.rssBytes();
  let inVain = 0;
  for (let i = 1; i < COLLECTIONS.most && inVain < COLLECTIONS.inVain; i++) {
    await delay(COLLECTIONS.apartMs);
    const now = await rig.rssBytes();
    inVain = now.rssBytes < least.rssBytes - COME_DOWN_BYTES ? 0 : inVain + 1;
    if (now.rssBytes < least.rssBytes) least = now;
  }
  return least;
}

function judge({ before, after, looks, connected, oneWay, longCall }) {
  const same = (text, pick) => ({
    text,
    holds: String(pick(before)) === String(pick(after)),
    figure: `${pick(before)} → ${pick(after)}`,
  });
  const grown = (text, pick, slackBytes) => ({
    text: `${text} grew by less than ${slackBytes / 1024} KB`,
    holds: pick(after) - pick(before) < slackBytes,
    figure: `${kb(pick(before))} → ${kb(pick(after))} KB`,
  });
  return [
    {
      text: "short calls with RTP both ways",
      holds: oneWay === 0,
      figure: `${connected - oneWay} of ${connected}`,
    },
    {
      text: "the long call is up and whole",
      holds: longCall.callsLost === 0 && longCall.lossPercent <= LONG_CALL_LOSS_PERCENT,
      figure: `loss ${longCall.lossPercent} %, gap p99 ${longCall.gapMs?.p99 ?? "-"} ms`,
    },
    same("threads", ({ workers }) => workers),
    same("legs of the worker", ({ legs }) => legs),
    same("handles and timers", ({ resources }) => resources.join(" | ")),
    same("open files", ({ files }) => files),
    grown("heap and buffers of all threads, after a collection,", (at) => at.heapBytes, HEAP_SLACK_BYTES),
    {
      text: `memory of the process (RSS) grew by less than ${RSS_SLACK_BYTES / 1024} KB in a round`,
      holds: !grewInEach(looks),
      figure: `${looks.map(({ rssBytes }) => kb(rssBytes)).join(" → ")} KB`,
    },
  ];
}

function kb(bytes) {
  return round(bytes / 1024, 0);
}
