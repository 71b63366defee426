import { getHeapStatistics, setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import type { Finding } from "./findings.ts";
import { generateCases, runCase, shrinkCase, takeSteps } from "./fuzz-case.ts";
import type { FuzzStep, FuzzTarget } from "./target.ts";

/** Cases of one seed. */
export const BATCH_CASES = 100;
/** Cases that one subject takes one after the other, to see whether it grows. */
const LONG_CASES = 300;
/** Batches between two of these. */
const BATCHES_BETWEEN_LONG = 20;
/** How often it takes the second half of them, if that does not take too long. */
const LONG_ROUNDS = 40;
const LONG_MS = 1_500;
/** What a subject may keep more at the end of a long life than at its beginning; freed memory comes back late. */
const MAX_SUBJECT_GROWTH_BYTES = 1024 * 1024;
/** The same of everything, from the first long life to the end. */
const MAX_TOTAL_GROWTH_BYTES = 8 * 1024 * 1024;
/** Growth that is the subject's comes back every time. */
const GROWTH_ATTEMPTS = 3;

export interface FuzzRunOptions {
  readonly seed: number;
  /** `performance.now()` at which it ends. */
  readonly untilMs: number;
  /** Before each case: a watcher can make the same case of it when this one never ends. */
  readonly onCase: (batchSeed: number, index: number) => void;
}

export interface FuzzRunResult {
  readonly cases: number;
  /** Memory in use after garbage collection, in bytes. */
  readonly memoryBytes: number;
  readonly finding: Finding | null;
}

/** Runs cases of one target until the time is over or one fails. */
export function fuzz(target: FuzzTarget, { seed, untilMs, onCase }: FuzzRunOptions): FuzzRunResult {
  let cases = 0;
  let firstMemoryBytes: number | null = null;
  const finish = (problem: string | null, steps: readonly FuzzStep[]): FuzzRunResult => ({
    cases,
    memoryBytes: usedMemoryBytes(),
    finding: problem === null ? null : { target: target.name, problem, steps },
  });

  for (let batch = 0; performance.now() < untilMs; batch += 1) {
    const batchSeed = (seed + batch) | 0;
    if (batch % BATCHES_BETWEEN_LONG === 1) {
      const steps = generateCases(batchSeed, LONG_CASES).flat();
      onCase(batchSeed, LONG_CASES);
      const problem = runCase(target, steps) ?? findGrowth(target, steps);
      if (problem !== null) return finish(problem, shrinkFailing(target, steps));
      cases += LONG_CASES;
      firstMemoryBytes ??= usedMemoryBytes();
    }
    const batchCases = generateCases(batchSeed, BATCH_CASES);
    for (const [index, steps] of batchCases.entries()) {
      if (performance.now() >= untilMs) break;
      onCase(batchSeed, index);
      const problem = runCase(target, steps);
      if (problem !== null) return finish(problem, shrinkFailing(target, steps));
      cases += 1;
    }
  }
  const result = finish(null, []);
  const grownBytes = result.memoryBytes - (firstMemoryBytes ?? result.memoryBytes);
  return grownBytes <= MAX_TOTAL_GROWTH_BYTES
    ? result
    : finish(`the process grew by ${grownBytes} bytes`, []);
}

/** The case that `onCase` named. */
export function caseOf(batchSeed: number, index: number): readonly FuzzStep[] {
  if (index === LONG_CASES) return generateCases(batchSeed, LONG_CASES).flat();
  return generateCases(batchSeed, BATCH_CASES)[index] ?? [];
}

function shrinkFailing(target: FuzzTarget, steps: readonly FuzzStep[]): readonly FuzzStep[] {
  // Growth needs them all.
  if (runCase(target, steps) === null) return steps;
  return shrinkCase(steps, (fewer) => runCase(target, fewer) !== null);
}

function findGrowth(target: FuzzTarget, steps: readonly FuzzStep[]): string | null {
  const half = steps.length / 2;
  let problem: string | null = null;
  for (let attempt = 0; attempt < GROWTH_ATTEMPTS; attempt += 1) {
    const subject = target.open();
    takeSteps(target, subject, steps.slice(0, half));
    const beforeBytes = usedMemoryBytes();
    const untilMs = performance.now() + LONG_MS;
    let round = 0;
    for (; round < LONG_ROUNDS && performance.now() < untilMs; round += 1) {
      takeSteps(target, subject, steps.slice(half));
    }
    const grownBytes = usedMemoryBytes() - beforeBytes;
    if (grownBytes <= MAX_SUBJECT_GROWTH_BYTES) return null;
    problem = `grew by ${grownBytes} bytes in ${Math.floor(round * half)} steps`;
  }
  return problem;
}

let collectGarbage: (() => void) | null = null;

function usedMemoryBytes(): number {
  if (collectGarbage === null) {
    setFlagsFromString("--expose-gc");
    collectGarbage = runInNewContext("gc") as () => void;
  }
  collectGarbage();
  // The first one hands buffers to be freed to a thread, the second one waits for it.
  collectGarbage();
  return getHeapStatistics().used_heap_size + process.memoryUsage().external;
}
