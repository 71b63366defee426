import { joinPath } from "./scan-json.ts";

/** A step as it is in a document that may be full of mistakes. */
export interface LooseStep {
  readonly path: string;
  /** Lists of steps around it: 1 in the document's own. */
  readonly depth: number;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** Every object that stands where a step is expected, in the order of the document. */
export function looseStepsOf(document: unknown): readonly LooseStep[] {
  const found: LooseStep[] = [];
  if (isObject(document)) collect(document["steps"], "steps", 1, found);
  return found;
}

function collect(list: unknown, path: string, depth: number, found: LooseStep[]): void {
  if (!Array.isArray(list)) return;
  for (const [index, fields] of list.entries()) {
    if (!isObject(fields)) continue;
    const stepPath = joinPath(path, index);
    found.push({ path: stepPath, depth, fields });
    for (const [outcome, target] of branchesOf(fields)) {
      collect(target, joinPath(joinPath(stepPath, "on"), outcome), depth + 1, found);
    }
  }
}

export function branchesOf(fields: LooseStep["fields"]): readonly (readonly [string, unknown])[] {
  const { on } = fields;
  return isObject(on) ? Object.entries(on) : [];
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
