import { basename } from "node:path";
import { describe, expect, test } from "vitest";
import { listFindings, readFinding } from "./findings.ts";
import { generateCases, runCase } from "./fuzz-case.ts";
import { findTarget, TARGETS } from "./targets/index.ts";

/** Some seconds for all targets; `npm run fuzz` takes as long as it is given. */
const CASES = 40;
const SEED = 1;

describe.each(TARGETS.map((target) => ({ name: target.name, target })))("$name", ({ target }) => {
  test("bears mutated input", () => {
    for (const steps of generateCases(SEED, CASES)) expect(runCase(target, steps)).toBeNull();
  });
});

describe("what was found once", () => {
  test.each(listFindings().map((path) => ({ name: basename(path), path })))("$name", ({ path }) => {
    const { target, steps } = readFinding(path);
    expect(runCase(findTarget(target), steps)).toBeNull();
  });

  test("stays found: each file names a target that there is", () => {
    for (const path of listFindings()) expect(() => findTarget(readFinding(path).target)).not.toThrow();
  });
});
