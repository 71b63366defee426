import { compileHours } from "./hours.ts";
import { digitBranches } from "./outcomes.ts";
import { joinPath } from "./scan-json.ts";
import type { FlowCondition, FlowDocument, FlowStep, FlowTarget, GatherStep } from "./types.ts";

/** Where a flow is over. */
export const FLOW_END = -1;

/** A step and what can follow it, by number. */
export interface FlowNode {
  readonly step: FlowStep;
  /** In the document: `steps[3].on.1[0]`. */
  readonly path: string;
  /** For people who follow a call: `3`, `menu.on.1[0]`. */
  readonly index: string;
  /** Whether its condition holds at a time, in ms since 1970. */
  readonly holds: (wallMs: number) => boolean;
  /** The step after it, or after the step whose branch it closes; `FLOW_END`. */
  readonly next: number;
  /** What `on` says. */
  readonly branches: ReadonlyMap<string, number>;
}

/** A document without nesting: branches are jumps. */
export interface FlowProgram {
  /** Number of the first step; `FLOW_END` when there is none. */
  readonly first: number;
  readonly nodes: readonly FlowNode[];
}

interface Draft {
  readonly step: FlowStep;
  readonly path: string;
  readonly index: string;
  readonly holds: (wallMs: number) => boolean;
  readonly next: number;
  readonly branches: Map<string, number>;
}

/** Compiles a document that has passed the checker. */
export function compileFlow(document: FlowDocument): FlowProgram {
  return new Compiler().compile(document);
}

class Compiler {
  readonly #drafts: Draft[] = [];
  readonly #numberOf = new Map<string, number>();
  /** Branches to ids, which may be those of later steps. */
  readonly #jumps: { readonly from: Map<string, number>; readonly outcome: string; readonly id: string }[] =
    [];

  compile({ steps }: FlowDocument): FlowProgram {
    const first = this.#list(steps, FLOW_END, (index) => ({
      path: joinPath("steps", index),
      index: String(index),
    }));
    for (const { from, outcome, id } of this.#jumps) from.set(outcome, this.#numberOf.get(id) ?? FLOW_END);
    return { first, nodes: this.#drafts };
  }

  /** @returns The number of the first, or of what follows when there is none. */
  #list(
    steps: readonly FlowStep[],
    after: number,
    nameOf: (index: number) => { readonly path: string; readonly index: string },
  ): number {
    // From the last to the first: each has to know what follows it.
    let next = after;
    for (let i = steps.length - 1; i >= 0; i -= 1) {
      const step = steps[i];
      if (step !== undefined) next = this.#step(step, next, nameOf(i));
    }
    return next;
  }

  #step(
    step: FlowStep,
    next: number,
    { path, index }: { readonly path: string; readonly index: string },
  ): number {
    const number = this.#drafts.length;
    const branches = new Map<string, number>();
    this.#drafts.push({ step, path, index, holds: questionOf(step.when), next, branches });
    if (step.id !== undefined) this.#numberOf.set(step.id, number);
    const name = step.id ?? index;
    for (const [outcome, target] of Object.entries(step.on ?? {}) as [string, FlowTarget][]) {
      if (target === "next") branches.set(outcome, next);
      else if (target === "end") branches.set(outcome, FLOW_END);
      else if (typeof target === "string") this.#jumps.push({ from: branches, outcome, id: target });
      else {
        const first = this.#list(target, next, (i) => ({
          path: joinPath(`${path}.on.${outcome}`, i),
          index: joinPath(`${name}.on.${outcome}`, i),
        }));
        branches.set(outcome, first);
      }
    }
    return number;
  }
}

/** Compiled when it is asked first: zones are slow to set up, and most steps of a long document are never come to. */
function questionOf(condition: FlowCondition | undefined): (wallMs: number) => boolean {
  if (condition === undefined) return () => true;
  const { hours, not = false } = condition;
  let isOpen: ((wallMs: number) => boolean) | null = null;
  return (wallMs) => {
    isOpen ??= compileHours(hours);
    return isOpen(wallMs) !== not;
  };
}

/** A gather with the defaults that depend on its branches. */
export function completeGather(step: GatherStep): GatherStep & { readonly finishOnKey: string | null } {
  const digits = digitBranches(step.on);
  const longest = Math.max(0, ...digits.map((key) => key.length));
  const finishOnKey =
    step.finishOnKey === undefined
      ? digits.some((key) => key.includes("#"))
        ? null
        : "#"
      : step.finishOnKey;
  return { ...step, ...(longest > 0 ? { maxDigits: step.maxDigits ?? longest } : {}), finishOnKey };
}
