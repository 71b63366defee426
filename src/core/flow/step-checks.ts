import { FLOW_LIMITS } from "./limits.ts";
import { branchesOf, type LooseStep, looseStepsOf } from "./loose-steps.ts";
import { DIGIT_BRANCH } from "./outcomes.ts";
import { joinPath } from "./scan-json.ts";
import type { PathProblem } from "./schema-mistakes.ts";
import { didYouMean } from "./suggest.ts";

const MAX_SUGGESTIONS = 50;

/** What the schema cannot say: how steps and fields fit together. Bears any document. */
export function checkSteps(document: unknown): readonly PathProblem[] {
  const steps = looseStepsOf(document);
  return [...checkCounts(steps), ...checkIds(steps), ...steps.flatMap(checkStep)];
}

function checkCounts(steps: readonly LooseStep[]): readonly PathProblem[] {
  const problems: PathProblem[] = [];
  if (steps.length > FLOW_LIMITS.steps) {
    const message = `${steps.length} steps are more than ${FLOW_LIMITS.steps}: move some to another document, behind a redirect`;
    problems.push({ path: "steps", message });
  }
  const deepest = steps.find(({ depth }) => depth > FLOW_LIMITS.nesting);
  if (deepest !== undefined) {
    const message = `lies deeper than ${FLOW_LIMITS.nesting} lists of steps: give steps an id and name it in the branch`;
    problems.push({ path: deepest.path, message });
  }
  return problems;
}

function checkIds(steps: readonly LooseStep[]): readonly PathProblem[] {
  const problems: PathProblem[] = [];
  const ownerOf = new Map<string, string>();
  for (const { path, fields } of steps) {
    const { id } = fields;
    if (typeof id !== "string") continue;
    const owner = ownerOf.get(id);
    if (owner === undefined) ownerOf.set(id, path);
    else problems.push({ path: joinPath(path, "id"), message: `${owner} has the same id` });
  }
  return [...problems, ...checkTargets(steps, new Set([...ownerOf.keys(), "next", "end"]))];
}

function checkTargets(steps: readonly LooseStep[], known: ReadonlySet<string>): readonly PathProblem[] {
  const problems: PathProblem[] = [];
  for (const { path, fields } of steps) {
    for (const [outcome, target] of branchesOf(fields)) {
      if (typeof target !== "string" || known.has(target)) continue;
      // No reader wants a thousand suggestions, and each of them takes its time.
      const hint = problems.length < MAX_SUGGESTIONS ? didYouMean(target, known) : "";
      const message = `there is no step with the id ${JSON.stringify(target.slice(0, FLOW_LIMITS.idChars))}${hint}`;
      problems.push({ path: joinPath(joinPath(path, "on"), outcome), message });
    }
  }
  return problems;
}

function checkStep(step: LooseStep): readonly PathProblem[] {
  const { path, fields } = step;
  const problems: PathProblem[] = [];
  const say = (field: string, message: string): void =>
    void problems.push({ path: joinPath(path, field), message });
  if (fields["when"] === undefined && branchesOf(fields).some(([outcome]) => outcome === "skipped")) {
    say("on.skipped", "is never taken: only a step with `when` is skipped");
  }
  if (fields["verb"] === "gather") problems.push(...checkGather(step));
  if (fields["verb"] === "record") {
    const { consent, announcement, consentKey, channels, layout } = fields;
    if ((consent === "announce" || consent === "dtmf") && announcement === undefined) {
      say("announcement", `is missing: consent by ${consent} needs one`);
    }
    if (consentKey !== undefined && consent !== "dtmf") say("consentKey", 'needs "consent": "dtmf"');
    if (layout !== undefined && channels !== "both") say("layout", 'needs "channels": "both"');
  }
  return problems;
}

/** A branch that no digits can take is a slip. */
function checkGather({ path, fields }: LooseStep): readonly PathProblem[] {
  const { maxDigits, finishOnKey } = fields;
  const problems: PathProblem[] = [];
  const keys = branchesOf(fields).map(([key]) => key);
  for (const key of keys.filter((each) => DIGIT_BRANCH.test(each))) {
    const branch = joinPath(joinPath(path, "on"), key);
    if (typeof maxDigits === "number" && key.length > maxDigits) {
      problems.push({ path: branch, message: `is never taken: maxDigits is ${maxDigits}` });
    } else if (typeof finishOnKey === "string" && finishOnKey.length === 1 && key.includes(finishOnKey)) {
      problems.push({ path: branch, message: `is never taken: ${finishOnKey} ends the input (finishOnKey)` });
    }
  }
  return problems;
}
