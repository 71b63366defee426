import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { type Finding, listFindings, readFinding, writeFinding } from "./findings.ts";
import { runCase } from "./fuzz-case.ts";
import { watchTarget } from "./fuzz-watch.ts";
import { findTarget, TARGETS } from "./targets/index.ts";

const USAGE = `Usage: npm run fuzz -- [options]
  --seconds <n>    how long, all targets together (default 600)
  --seed <n>       where to begin; the same seed gives the same inputs (default: of the day)
  --target <name>  one target alone: ${TARGETS.map(({ name }) => name).join(", ")}
  --replay <file>  carry out a finding again
A finding is written to test/fixtures/fuzz, where the tests replay it from then on.`;

const { values } = parseArgs({
  options: {
    seconds: { type: "string", default: "600" },
    seed: { type: "string", default: String(Math.floor(Date.now() / 86_400_000)) },
    target: { type: "string" },
    replay: { type: "string" },
    help: { type: "boolean", default: false },
  },
});

if (values.help) console.log(USAGE);
else if (values.replay !== undefined) replay(values.replay);
else await fuzzAll();

function replay(path: string): void {
  const { target, steps } = readFinding(path);
  const problem = runCase(findTarget(target), steps);
  console.log(problem === null ? `${target}: nothing goes wrong any more` : `${target}: ${problem}`);
  process.exitCode = problem === null ? 0 : 1;
}

async function fuzzAll(): Promise<void> {
  const names =
    values.target === undefined ? TARGETS.map(({ name }) => name) : [findTarget(values.target).name];
  const threads = Math.min(availableParallelism(), names.length);
  const seed = toNumber("seed", values.seed);
  const seconds = (toNumber("seconds", values.seconds) * threads) / names.length;
  console.log(
    `${names.length} targets, ${seconds.toFixed(1)} s each on one of ${threads} threads, seed ${seed}`,
  );
  const waiting = [...names];
  const findings: Finding[] = [];
  const work = async (): Promise<void> => {
    for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) {
      const { cases, memoryBytes, finding } = await watchTarget(name, seed, seconds);
      const outcome = finding === null ? "ok" : "FOUND";
      console.log(
        `${name.padEnd(20)} ${String(cases).padStart(9)} cases ${(memoryBytes / 2 ** 20).toFixed(1).padStart(7)} MB  ${outcome}`,
      );
      if (finding !== null) findings.push(finding);
    }
  };
  await Promise.all(Array.from({ length: threads }, work));
  for (const finding of findings) {
    console.log(
      `\n${finding.target}: ${finding.problem}\nreplay: npm run fuzz -- --replay ${writeFinding(finding)}`,
    );
  }
  console.log(`${findings.length} findings; ${listFindings().length} kept in test/fixtures/fuzz`);
  process.exitCode = findings.length === 0 ? 0 : 1;
}

function toNumber(option: string, text: string): number {
  const number = Number(text);
  if (text.trim() !== "" && Number.isFinite(number) && number >= 0) return number;
  throw new Error(`--${option} must be a number, got "${text}"\n${USAGE}`);
}
