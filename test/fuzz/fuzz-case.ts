import fc from "fast-check";
import { type Mutation, mutate, pick } from "./mutation.ts";
import type { FuzzStep, FuzzTarget } from "./target.ts";

/** More than what the heaviest handshake takes, on a machine that does something else as well. */
const BUDGET_MS_PER_CASE = 1_000;
const BUDGET_MS_PER_STEP = 20;
/** A stall that comes every time is the input's. */
const ATTEMPTS = 3;
/** A smaller case is nice to have. */
const SHRINKING_MS = 15_000;

const place = fc.nat(0xffff);
const byte = fc.nat(255);
const hex = (maxLength: number) =>
  fc.uint8Array({ maxLength }).map((bytes) => Buffer.from(bytes).toString("hex"));
/** What has a meaning somewhere: line ends, separators, numbers at their limits. */
const TEXTS = [
  "\r\n",
  "\n",
  "\r",
  "\0",
  "*",
  " ",
  ":",
  "=",
  "-1",
  "0",
  "65536",
  "4294967296",
  "1e9",
  "NaN",
  "é",
  "😀",
];
const text = fc.constantFrom(...TEXTS).map((chosen) => Buffer.from(chosen).toString("hex"));

const mutation: fc.Arbitrary<Mutation> = fc.oneof(
  { weight: 4, arbitrary: fc.tuple(fc.constant("flip" as const), place, fc.nat(7)) },
  { weight: 2, arbitrary: fc.tuple(fc.constant("set" as const), place, byte) },
  { weight: 2, arbitrary: fc.tuple(fc.constant("cut" as const), place) },
  { weight: 1, arbitrary: fc.tuple(fc.constant("remove" as const), place, fc.nat(64)) },
  { weight: 1, arbitrary: fc.tuple(fc.constant("repeat" as const), place, fc.nat(64)) },
  { weight: 1, arbitrary: fc.tuple(fc.constant("insert" as const), place, fc.oneof(hex(32), text)) },
  { weight: 1, arbitrary: fc.tuple(fc.constant("replace" as const), hex(200)) },
  { weight: 6, arbitrary: fc.tuple(fc.constant("field" as const), fc.nat(255), fc.oneof(fc.nat(12), place)) },
  { weight: 1, arbitrary: fc.tuple(fc.constant("removePart" as const), fc.nat(255)) },
  {
    weight: 1,
    arbitrary: fc.tuple(fc.constant("repeatPart" as const), fc.nat(255), fc.oneof(fc.nat(3), fc.nat(200))),
  },
  { weight: 1, arbitrary: fc.tuple(fc.constant("exchangeParts" as const), fc.nat(255), fc.nat(255)) },
  { weight: 1, arbitrary: fc.tuple(fc.constant("splice" as const), place, fc.nat(255), place) },
);

const step: fc.Arbitrary<FuzzStep> = fc.record({
  sample: fc.nat(255),
  mutations: fc.array(mutation, { maxLength: 4 }),
  choice: byte,
  waitMs: fc.oneof({ weight: 8, arbitrary: fc.nat(40) }, { weight: 1, arbitrary: fc.nat(4_000) }),
});

const fuzzCase: fc.Arbitrary<readonly FuzzStep[]> = fc.array(step, { minLength: 1, maxLength: 24 });

/** The same for the same seed. */
export function generateCases(seed: number, count: number): readonly (readonly FuzzStep[])[] {
  return fc.sample(fuzzCase, { seed, numRuns: count });
}

/**
 * Carries out one case on a new subject.
 * @returns What went wrong; null when nothing did.
 */
export function runCase(target: FuzzTarget, steps: readonly FuzzStep[]): string | null {
  const budgetMs = BUDGET_MS_PER_CASE + steps.length * BUDGET_MS_PER_STEP;
  for (let attempt = 1; ; attempt += 1) {
    const startMs = performance.now();
    try {
      const subject = target.open();
      takeSteps(target, subject, steps);
      subject.check();
    } catch (error) {
      return error instanceof Error ? (error.stack ?? error.message) : String(error);
    }
    const tookMs = performance.now() - startMs;
    if (tookMs < budgetMs) return null;
    if (attempt === ATTEMPTS) return `took ${Math.round(tookMs)} ms, more than ${budgetMs} ms`;
  }
}

export function takeSteps(
  target: FuzzTarget,
  subject: ReturnType<FuzzTarget["open"]>,
  steps: readonly FuzzStep[],
): void {
  for (const each of steps) {
    const { samples } = subject;
    const sample = pick(samples, each.sample);
    if (sample === undefined) throw new Error(`${target.name} has no samples`);
    subject.take(mutate(sample, each.mutations, samples, target.layoutOf), each);
  }
}

/** Leaves out steps and mutations as long as it still fails. */
export function shrinkCase(
  steps: readonly FuzzStep[],
  stillFails: (steps: readonly FuzzStep[]) => boolean,
): readonly FuzzStep[] {
  const untilMs = performance.now() + SHRINKING_MS;
  const fails = (candidate: readonly FuzzStep[]): boolean =>
    performance.now() < untilMs && stillFails(candidate);
  let current = shrinkList(steps, fails);
  for (let index = 0; index < current.length; index += 1) {
    const each = current[index];
    if (each === undefined) continue;
    const within = (mutations: readonly Mutation[]): readonly FuzzStep[] =>
      current.with(index, { ...each, mutations });
    current = within(shrinkList(each.mutations, (mutations) => fails(within(mutations))));
  }
  return current;
}

/** Takes out ever smaller pieces. */
function shrinkList<T>(list: readonly T[], stillFails: (list: readonly T[]) => boolean): readonly T[] {
  let current = list;
  for (let piece = Math.ceil(list.length / 2); piece >= 1; piece = piece === 1 ? 0 : Math.ceil(piece / 2)) {
    for (let start = 0; start < current.length; ) {
      const candidate = current.toSpliced(start, piece);
      if (stillFails(candidate)) current = candidate;
      else start += piece;
    }
  }
  return current;
}
