import { parseArgs } from "node:util";
import { openChaosDatabase } from "./chaos-database.ts";
import { ChaosRun } from "./chaos-run.ts";
import { judge } from "./judge.ts";
import { figuresOf, printReport } from "./report.ts";
import { takeSnapshot } from "./snapshot.ts";

const USAGE = `Usage: npm run chaos -- [options]
  --calls <n>      calls, light ones: without a network (default 1000)
  --kills <n>      how often the gateway is killed and started again (default 20)
  --real <n>       calls by simulated phones besides, with ICE, DTLS and packets (default 6)
  --seed <n>       the same seed gives the same calls and kills, as far as the machine lets it (default: of the time)
  --backend <name> sqlite (default), postgres
  --outage <s>     PostgreSQL is killed, and back so many seconds later, under the last calls (default 30 with postgres)
  --keep           leave the folder with the database and the log of the gateway
Exit code 0: everything holds.`;

const { values } = parseArgs({
  options: {
    calls: { type: "string", default: "1000" },
    kills: { type: "string", default: "20" },
    real: { type: "string", default: "6" },
    seed: { type: "string", default: String(Date.now() % 1_000_000) },
    backend: { type: "string", default: "sqlite" },
    outage: { type: "string" },
    keep: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});

if (values.help) console.log(USAGE);
else await main();

async function main(): Promise<void> {
  const { backend } = values;
  if (backend !== "sqlite" && backend !== "postgres")
    throw new Error(`--backend: "${backend}" is none of sqlite, postgres`);
  const beginMs = performance.now();
  const seconds = (): number => (performance.now() - beginMs) / 1_000;
  const database = await openChaosDatabase(backend);
  const run = await ChaosRun.prepare({
    calls: count("calls", values.calls),
    kills: count("kills", values.kills),
    realCalls: count("real", values.real),
    seed: count("seed", values.seed),
    outageMs: 1_000 * count("outage", values.outage ?? (backend === "postgres" ? "30" : "0")),
    database,
    progress: (text) => console.error(`[${seconds().toFixed(0).padStart(4)} s] ${text}`),
  });
  console.error(`seed ${values.seed}, ${backend}, folder ${database.folder}`);
  let isGood = false;
  try {
    await run.storm();
    await run.settle();
    const settled = await takeSnapshot(run);
    const refusedInReplay = await run.replay();
    const replayed = await takeSnapshot(run);
    await run.closeGateway();
    const evidence = { run, settled, replayed, refusedInReplay };
    const verdicts = judge(evidence);
    printReport(figuresOf(evidence, seconds()), verdicts);
    isGood = verdicts.every(({ holds }) => holds);
  } finally {
    await run.dispose();
    if (!isGood) console.error(`The database and the gateway's log are in ${database.folder}`);
    await database.dispose(values.keep || !isGood);
  }
  process.exitCode = isGood ? 0 : 1;
}

function count(option: string, text: string): number {
  const number = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(number)) return number;
  throw new Error(`--${option} must be a whole number, got "${text}"\n${USAGE}`);
}
