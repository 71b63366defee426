// npm run bench: tables and JSON on stdout, progress on stderr. docs/benchmarks.md says what the columns mean.
import { durability } from "./durability.mjs";
import { gatewayPart } from "./gateway-part.mjs";
import { junk } from "./junk.mjs";
import { describeMachine } from "./machine.mjs";
import { carriedCalls, mostCalls } from "./most-calls.mjs";
import { preparePrograms } from "./programs.mjs";
import { progress } from "./progress.mjs";
import {
  printDurability,
  printGateway,
  printHeader,
  printJunk,
  printMostCalls,
  printSetup,
  printSideBySide,
  printTalk,
  printVerdicts,
} from "./report.mjs";
import { readSettings } from "./settings.mjs";
import { setup } from "./setup.mjs";
import { sideBySide } from "./side-by-side.mjs";
import { talk } from "./talk.mjs";
import { judge } from "./verdicts.mjs";

const settings = readSettings(process.argv.slice(2));
if (settings !== null) await run(settings);

async function run(settings) {
  progress("preparing the programs");
  const { programs, dispose } = await preparePrograms(settings);
  const machine = describeMachine();
  printHeader(machine, programs, settings);
  try {
    const results = await measure(
      programs.filter(({ missing }) => missing === undefined),
      settings,
    );
    const verdicts = judge(results);
    printVerdicts(verdicts);
    const facts = programs.map(({ name, version, missing }) => ({ name, version, missing }));
    console.log(
      JSON.stringify({ date: new Date().toISOString(), machine, programs: facts, ...results, verdicts }),
    );
  } finally {
    await dispose();
  }
}

async function measure(programs, settings) {
  const has = (part) => settings.parts.includes(part);
  const ours = programs.find(({ name }) => name === "ringback");
  const results = {};
  if (has("side-by-side")) {
    results.sideBySide = await sideBySide(programs, settings);
    printSideBySide(results.sideBySide);
  }
  if (has("setup")) {
    results.setup = await setup(programs);
    printSetup(results.setup);
  }
  if (has("most-calls")) {
    results.mostCalls = await mostCalls(programs, carriedCalls(results.sideBySide ?? []));
    printMostCalls(results.mostCalls);
  }
  if (has("junk") && ours !== undefined) {
    results.junk = await junk(ours, settings);
    printJunk(results.junk);
  }
  if (has("talk") && ours !== undefined) {
    results.talk = await talk(ours, settings);
    printTalk(results.talk);
  }
  if (has("gateway")) {
    results.gateway = await gatewayPart(settings);
    printGateway(results.gateway);
  }
  if (has("durability")) {
    results.durability = await durability(settings);
    printDurability(results.durability);
  }
  return results;
}
