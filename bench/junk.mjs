// Running calls while somebody floods the port: with and without, one after the other.
import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { LOAD_CORE, pinned } from "./machine.mjs";
import { progress } from "./progress.mjs";
import { delay, Rig } from "./rig.mjs";
import { toFigures } from "./side-by-side.mjs";

const SENDER = fileURLToPath(new URL("./load/junk-sender.mjs", import.meta.url));
const CALLS = 100;
const ARRIVAL_MS = 15;
const PER_SECOND = 10_000;
/** Of all junk, that which comes from the calls' own addresses, and so gets as far as the keys. */
const FORGED_SHARE = 0.2;
const SETTLE_MS = 500;

export async function junk(program, { seconds }) {
  progress(`${program.name}: ${CALLS} calls without and with ${PER_SECOND} junk datagrams a second`);
  const rig = await Rig.start(program);
  try {
    const placed = await rig.place({ count: CALLS, spacingMs: ARRIVAL_MS });
    const without = await rig.window({ seconds, calls: CALLS });
    const stop = await flood(rig, placed);
    await delay(SETTLE_MS);
    const during = await rig.window({ seconds, calls: CALLS });
    await stop();
    return {
      program: program.name,
      calls: CALLS,
      perSecond: PER_SECOND,
      forgedPerSecond: PER_SECOND * FORGED_SHARE,
      without: toFigures(without),
      during: { ...toFigures(during), dropsCounted: during.datagramsDropped },
      cpuPercent: Math.round((during.programShare - without.programShare) * 1_000) / 10,
    };
  } finally {
    await rig.stop();
  }
}

async function flood(rig, { program, ufrags }) {
  const [command, args] = pinned(LOAD_CORE, process.execPath, []);
  const sender = fork(SENDER, { execPath: command, execArgv: args });
  const perSecond = PER_SECOND * (1 - FORGED_SHARE);
  sender.send({ to: program, username: `${ufrags.program}:${ufrags.load}`, perSecond });
  await rig.forge(PER_SECOND * FORGED_SHARE);
  return async () => {
    await rig.forge(0);
    sender.disconnect();
    await once(sender, "exit");
  };
}
