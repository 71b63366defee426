import { checkGraph } from "./graph-checks.ts";
import { FLOW_LIMITS } from "./limits.ts";
import { looseStepsOf } from "./loose-steps.ts";
import { compileFlow } from "./program.ts";
import { findJsonFault, placesInJson, type TextPlace } from "./scan-json.ts";
import { flowDocumentSchema } from "./schema.ts";
import { describeIssues, type PathProblem } from "./schema-mistakes.ts";
import { checkSteps } from "./step-checks.ts";
import type { FlowDocument } from "./types.ts";

/** A mistake or a warning about a flow. */
export interface FlowProblem extends PathProblem {
  /** Where it stands in the text; null when the flow was no text. */
  readonly place: TextPlace | null;
}

export interface FlowCheck {
  /** Null when there are mistakes. */
  readonly document: FlowDocument | null;
  /** Those of branches included. */
  readonly stepCount: number;
  /** In the order of the text, at most 50. */
  readonly mistakes: readonly FlowProblem[];
  /** What is allowed, but hardly meant. Looked for when there is no mistake. */
  readonly warnings: readonly FlowProblem[];
}

const MAX_PROBLEMS = 50;

/** Checks the text of a flow: JSON, and then all that `checkFlow` does. Never throws. */
export function checkFlowText(text: string): FlowCheck {
  const { root, ...check } = checkText(text);
  const paths = new Set([...check.mistakes, ...check.warnings].map(({ path }) => path));
  if (paths.size === 0 || root === null) return check;
  const places = placesInJson(text, withParents(paths), root);
  const place = (problem: FlowProblem): FlowProblem => ({
    ...problem,
    place: nearestPlace(problem.path, places),
  });
  return {
    ...check,
    mistakes: inOrder(check.mistakes.map(place)),
    warnings: inOrder(check.warnings.map(place)),
  };
}

/**
 * Checks a flow that is a value: a document, a list of steps, or whatever becomes one as JSON, such as a builder. Never throws.
 */
export function checkFlow(value: unknown): FlowCheck {
  const text = toJson(value);
  if (text === null) return failed("", "cannot be written as JSON");
  const check = checkFlowText(text);
  // Nobody has seen that text.
  return { ...check, mistakes: placeless(check.mistakes), warnings: placeless(check.warnings) };
}

/** @returns `root`: the path of the whole text; null when it is no JSON. */
function checkText(text: string): FlowCheck & { readonly root: string | null } {
  // Most texts are far below, and need not be encoded to be measured.
  const isTooLong =
    text.length * 3 > FLOW_LIMITS.documentBytes && utf8Bytes(text) > FLOW_LIMITS.documentBytes;
  if (isTooLong) return failed("", `is larger than ${FLOW_LIMITS.documentBytes} bytes`);
  const fault = findJsonFault(text);
  if (fault !== null) {
    const { message, line, column } = fault;
    return { ...failed("", `no JSON: ${message}`, { line, column }) };
  }
  const value: unknown = JSON.parse(text);
  const root = Array.isArray(value) ? "steps" : "";
  return { ...checkValue(Array.isArray(value) ? { version: 1, steps: value } : value), root };
}

function checkValue(value: unknown): FlowCheck {
  const stepCount = looseStepsOf(value).length;
  const structure = checkSteps(value);
  // What is far too large is not looked at more closely.
  const parsed =
    stepCount > FLOW_LIMITS.steps ? null : flowDocumentSchema.safeParse(value, { reportInput: false });
  const issues = parsed?.success === false ? parsed.error.issues.slice(0, MAX_PROBLEMS) : [];
  const mistakes = withoutRepetition([...describeIssues(issues, value), ...structure]);
  if (mistakes.length > 0 || parsed?.data === undefined)
    return { document: null, stepCount, mistakes: placeless(mistakes), warnings: [] };
  const { mistakes: loops, warnings } = checkGraph(compileFlow(parsed.data));
  const none =
    stepCount === 0 ? [{ path: "steps", message: "there are no steps: the flow ends at once" }] : [];
  return {
    document: loops.length > 0 ? null : parsed.data,
    stepCount,
    mistakes: placeless(loops),
    warnings: placeless([...none, ...warnings]),
  };
}

function toJson(value: unknown): string | null {
  try {
    return JSON.stringify(value) ?? null;
  } catch {
    return null;
  }
}

function failed(
  path: string,
  message: string,
  place: TextPlace | null = null,
): FlowCheck & { readonly root: null } {
  return { document: null, stepCount: 0, mistakes: [{ path, message, place }], warnings: [], root: null };
}

/** The first problem of a field is the one to mend; the second says the same in other words. */
function withoutRepetition(problems: readonly PathProblem[]): readonly PathProblem[] {
  const byPath = new Map<string, PathProblem>();
  for (const problem of problems) if (!byPath.has(problem.path)) byPath.set(problem.path, problem);
  return [...byPath.values()];
}

function placeless(problems: readonly PathProblem[]): readonly FlowProblem[] {
  return problems.slice(0, MAX_PROBLEMS).map((problem) => ({ ...problem, place: null }));
}

/** What is missing has no place of its own: the nearest around it has. */
function withParents(paths: ReadonlySet<string>): ReadonlySet<string> {
  const all = new Set<string>();
  for (const path of paths) for (let at = path; at !== ""; at = parentOf(at)) all.add(at);
  return all;
}

function nearestPlace(path: string, places: ReadonlyMap<string, TextPlace>): TextPlace {
  for (let at = path; at !== ""; at = parentOf(at)) {
    const place = places.get(at);
    if (place !== undefined) return place;
  }
  return { line: 1, column: 1 };
}

function parentOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf("."), path.lastIndexOf("[")));
}

function inOrder(problems: readonly FlowProblem[]): readonly FlowProblem[] {
  const rank = ({ place }: FlowProblem): number => (place === null ? 0 : place.line * 1e7 + place.column);
  return [...problems].sort((a, b) => rank(a) - rank(b));
}

/** Of a text in UTF-8, in which a surrogate has its half of four bytes. */
function utf8Bytes(text: string): number {
  let bytes = 0;
  for (let i = 0; i < text.length; i += 1) {
    const code = text.charCodeAt(i);
    if (code < 0x80) bytes += 1;
    else if (code < 0x800 || (code >= 0xd800 && code < 0xe000)) bytes += 2;
    else bytes += 3;
  }
  return bytes;
}
