import { possibleOutcomes, VERB_OUTCOMES, VERBS_TO_COME } from "./outcomes.ts";
import { FLOW_END, type FlowNode, type FlowProgram } from "./program.ts";
import type { PathProblem } from "./schema-mistakes.ts";
import type { FlowVerb } from "./types.ts";

export interface GraphProblems {
  readonly mistakes: readonly PathProblem[];
  readonly warnings: readonly PathProblem[];
}

/** Verbs that the caller hears something of, or is heard in: they take the call when nothing has before. */
export const ANSWERING_VERBS: ReadonlySet<FlowVerb> = new Set<FlowVerb>([
  "answer",
  "play",
  "say",
  "gather",
  "record",
  "tone",
  "dtmf",
]);

/** What follows from the ways that a flow can take. */
export function checkGraph(program: FlowProgram): GraphProblems {
  const reachable = reachableFrom(program, [program.first]);
  const certain = findCertainLoops(program, reachable);
  return {
    mistakes: certain.map((loop) => ({
      path: loop[0]?.path ?? "",
      message: `goes round for ever without a pause: ${namesOf(loop)}`,
    })),
    warnings: [
      ...unreachableSteps(program, reachable),
      ...(certain.length > 0 ? [] : possibleLoops(program, reachable)),
      ...lateRejects(program, reachable),
      ...program.nodes.flatMap(checkNode),
    ],
  };
}

function successors(node: FlowNode, outcomes: readonly string[]): readonly number[] {
  return outcomes
    .map((outcome) => node.branches.get(outcome) ?? node.next)
    .filter((next) => next !== FLOW_END);
}

function reachableFrom({ nodes }: FlowProgram, starts: readonly number[]): ReadonlySet<number> {
  const reached = new Set(starts.filter((start) => start !== FLOW_END));
  // A set that grows while it is walked is walked to its end.
  for (const number of reached) {
    const node = nodes[number];
    if (node === undefined) continue;
    for (const next of successors(node, possibleOutcomes(node.step))) reached.add(next);
  }
  return reached;
}

/** Of steps in a row that are never reached, the first. */
function unreachableSteps({ nodes }: FlowProgram, reachable: ReadonlySet<number>): readonly PathProblem[] {
  const unreached = new Set(nodes.filter((_, number) => !reachable.has(number)).map(({ path }) => path));
  const isFirst = (path: string): boolean => {
    const before = path.replace(/\[(\d+)\]$/, (_, index: string) => `[${Number(index) - 1}]`);
    return !unreached.has(before) && !unreached.has(path.slice(0, Math.max(0, path.lastIndexOf(".on."))));
  };
  return [...unreached].filter(isFirst).map((path) => ({ path, message: "is never reached" }));
}

/** Rounds of steps that can come to nothing else, and in which no time passes. */
function findCertainLoops(
  { nodes }: FlowProgram,
  reachable: ReadonlySet<number>,
): readonly (readonly FlowNode[])[] {
  const onlyNext = (number: number): number => {
    const node = nodes[number];
    if (node === undefined) return FLOW_END;
    const [outcome, ...others] = possibleOutcomes(node.step);
    const isCertain = others.length === 0 && outcome !== undefined && isInstant(node, outcome);
    return isCertain ? (node.branches.get(outcome) ?? node.next) : FLOW_END;
  };
  const loops: FlowNode[][] = [];
  const done = new Set<number>();
  for (const start of [...reachable].sort((a, b) => a - b)) {
    const way: number[] = [];
    for (let at = start; at !== FLOW_END && !done.has(at); at = onlyNext(at)) {
      done.add(at);
      way.push(at);
      const round = way.indexOf(onlyNext(at));
      if (round !== -1) loops.push(nodesOf(nodes, way.slice(round)));
    }
  }
  return loops;
}

/** Rounds in which no time passes when steps fail or are skipped. One for each step that closes one. */
function possibleLoops({ nodes }: FlowProgram, reachable: ReadonlySet<number>): readonly PathProblem[] {
  const problems: PathProblem[] = [];
  const way: number[] = [];
  const done = new Set<number>();
  const visit = (number: number): void => {
    const node = nodes[number];
    if (node === undefined || done.has(number)) return;
    done.add(number);
    way.push(number);
    const instant = possibleOutcomes(node.step).filter((outcome) => isInstant(node, outcome));
    for (const next of new Set(successors(node, instant))) {
      const round = way.indexOf(next);
      if (round === -1) visit(next);
      else problems.push({ path: node.path, message: loopWarning(nodesOf(nodes, way.slice(round))) });
    }
    way.pop();
  };
  for (const number of reachable) visit(number);
  return problems;
}

function loopWarning(loop: readonly FlowNode[]): string {
  return `may go round without a pause, which ends the flow, when steps fail or are skipped: ${namesOf(loop)}`;
}

function isInstant({ step }: FlowNode, outcome: string): boolean {
  if (outcome === "skipped") return true;
  // They will take their time.
  if (VERBS_TO_COME.has(step.verb)) return false;
  return VERB_OUTCOMES[step.verb].instant.some((each) => each === outcome);
}

/** `reject` is for calls that ring. */
function lateRejects(program: FlowProgram, reachable: ReadonlySet<number>): readonly PathProblem[] {
  const { nodes } = program;
  const behindAnswer = [...reachable].flatMap((number) => {
    const node = nodes[number];
    if (node === undefined || !ANSWERING_VERBS.has(node.step.verb)) return [];
    return successors(
      node,
      possibleOutcomes(node.step).filter((outcome) => outcome !== "skipped"),
    );
  });
  const message = "the call may be answered here, and reject then fails: use hangup";
  return nodesOf(nodes, [...reachableFrom(program, behindAnswer)])
    .filter(({ step }) => step.verb === "reject")
    .map(({ path }) => ({ path, message }));
}

function checkNode({ step, path }: FlowNode): readonly PathProblem[] {
  if (VERBS_TO_COME.has(step.verb)) {
    return [{ path, message: `${step.verb} is not carried out yet: its outcome is "unsupported"` }];
  }
  const plain = [
    ...(step.verb === "redirect" ? [["url", step.url] as const] : []),
    ...(step.verb === "record" && step.postTo !== undefined ? [["postTo", step.postTo] as const] : []),
  ].filter(([, url]) => /^http:/i.test(url));
  return plain.map(([field]) => ({
    path: `${path}.${field}`,
    message: "is plain http, which is refused unless requests.allowHttp (REQUESTS_ALLOW_HTTP) is set",
  }));
}

function nodesOf(nodes: readonly FlowNode[], numbers: readonly number[]): FlowNode[] {
  return numbers.flatMap((number) => nodes[number] ?? []);
}

function namesOf(loop: readonly FlowNode[]): string {
  const names = loop.map(({ step, path }) => step.id ?? path);
  const shown = names.length > 6 ? [...names.slice(0, 5), "…"] : names;
  return [...shown, names[0]].join(" → ");
}
