// Short calls only: what it costs to bring one up and to end it, by itself.
import { progress } from "./progress.mjs";
import { Rig } from "./rig.mjs";
import { percentiles, round } from "./side-by-side.mjs";

/** A gateway lives for days: V8 is still compiling a thousand calls after the start, and that is not what a call costs. */
const WARM_UP = { count: 2_000, spacingMs: 9 };
const CALLS = { count: 500, spacingMs: 15 };
const ROUNDS = 2;

export async function setup(programs) {
  const rows = [];
  for (const program of programs) {
    progress(`${program.name}: ${CALLS.count} short calls after ${WARM_UP.count}`);
    rows.push(await measure(program));
  }
  return rows;
}

/** The better of two rounds: what disturbs can only add. */
async function measure(program) {
  const rig = await Rig.start(program);
  try {
    await rig.churn(WARM_UP);
    const rounds = [];
    for (let i = 0; i < ROUNDS; i++) rounds.push(await rig.churn(CALLS));
    const [best] = rounds.toSorted((a, b) => a.cpuMsPerCall - b.cpuMsPerCall);
    return {
      program: program.name,
      setupCpuMs: round(best.cpuMsPerCall, 2),
      answerMs: percentiles(best.calls.map((call) => call.answerMs)),
      connectedMs: percentiles(best.calls.map((call) => call.connectedMs)),
      firstRtpMs: percentiles(best.calls.map((call) => call.firstRtpMs)),
    };
  } finally {
    await rig.stop();
  }
}
