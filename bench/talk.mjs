// What a call costs by what is done with its audio: our engine alone.
import { progress } from "./progress.mjs";
import { Rig } from "./rig.mjs";
import { ARRIVAL_MS, measureSteady } from "./side-by-side.mjs";

/** By what `--talk` calls them in a program under test. */
const KINDS = [
  { kind: "prompt", name: "shared prompt" },
  { kind: "record", name: "prompt, recorded both ways" },
  { kind: "listen", name: "prompt, decoded" },
  { kind: "live", name: "live encode and decode" },
  { kind: "live-vad", name: "the same and voice activity" },
  { kind: "bridge", name: "bridge of two calls" },
];

export async function talk(program, { talkCalls, seconds }) {
  const rows = [];
  for (const calls of talkCalls) {
    for (const { kind, name } of KINDS) {
      progress(`${program.name}: ${name}, ${calls} calls`);
      rows.push({ kind, name, calls, ...(await measure(program, kind, { calls, seconds })) });
    }
  }
  return rows;
}

async function measure(program, kind, { calls, seconds }) {
  const rig = await Rig.start({ ...program, args: [...program.args, "--talk", kind] });
  try {
    await rig.place({ count: calls, spacingMs: ARRIVAL_MS });
    return await measureSteady(rig, { seconds, calls });
  } finally {
    await rig.stop();
  }
}
