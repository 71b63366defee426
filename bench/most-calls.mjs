// Calls are added until one core does not carry them any more.
import { progress } from "./progress.mjs";
import { Rig } from "./rig.mjs";
import { toFigures } from "./side-by-side.mjs";

const STEP = 100;
const ARRIVAL_MS = 8;
const WINDOW_SECONDS = 4;
/** Past any of these, calls are not carried well. */
const LIMITS = { lossPercent: 0.5, gapP99Ms: 60, programPercent: 95 };
const LOAD_LIMIT_PERCENT = 90;

/** @param firstCalls Where to begin, by program: the most calls that went well in the side-by-side part. */
export async function mostCalls(programs, firstCalls) {
  const results = [];
  for (const program of programs) results.push(await climb(program, firstCalls.get(program.name) ?? STEP));
  return results;
}

/** The most calls of the rows that a program carried well. */
export function carriedCalls(rows) {
  const carried = new Map();
  for (const row of rows) {
    if (limitOf(row) !== null) continue;
    carried.set(row.program, Math.max(row.calls, carried.get(row.program) ?? 0));
  }
  return carried;
}

async function climb(program, firstCalls) {
  const rig = await Rig.start(program);
  const steps = [];
  try {
    for (let calls = firstCalls; ; calls += STEP) {
      progress(`${program.name}: ${calls} calls, is it too much?`);
      await rig.place({ count: calls - (steps.at(-1)?.calls ?? 0), spacingMs: ARRIVAL_MS });
      const step = await measure(rig, calls);
      steps.push(step);
      if (step.limit !== null) break;
    }
  } catch (error) {
    steps.push({ calls: (steps.at(-1)?.calls ?? 0) + STEP, limit: error.message });
  } finally {
    await rig.stop();
  }
  const last = steps.findLast((step) => step.limit === null) ?? null;
  return { program: program.name, calls: last?.calls ?? 0, limit: steps.at(-1).limit, at: last, steps };
}

/** A step that fails is measured a second time: a machine with other work on it has bad seconds. */
async function measure(rig, calls) {
  const first = await measureOnce(rig, calls);
  return first.limit === null ? first : measureOnce(rig, calls);
}

async function measureOnce(rig, calls) {
  const figures = toFigures(await rig.window({ seconds: WINDOW_SECONDS, calls }));
  return { calls, ...figures, limit: limitOf(figures) };
}

/** What was too much; null when nothing was. */
function limitOf(figures) {
  const isTooMuch =
    figures.lossPercent > LIMITS.lossPercent ||
    figures.inboundLossPercent > LIMITS.lossPercent ||
    figures.gapMs.p99 > LIMITS.gapP99Ms ||
    figures.programPercent > LIMITS.programPercent;
  if (figures.loadPercent > LOAD_LIMIT_PERCENT)
    return `the load itself (${figures.loadPercent} % of its core)`;
  if (!isTooMuch) return null;
  const loss = `loss ${figures.lossPercent} % out, ${figures.inboundLossPercent} % in`;
  return `${loss}, gap p99 ${figures.gapMs.p99} ms, CPU ${figures.programPercent} %`;
}
