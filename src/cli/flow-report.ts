import type { FlowCheck, FlowEndReason, FlowProblem, FlowStepRecord } from "../core/flow/index.ts";
import type { FlowResult } from "../gateway/flow/flow-options.ts";

/** What the checker found, in lines. */
export function describeCheck({ stepCount, mistakes, warnings }: FlowCheck): readonly string[] {
  if (mistakes.length > 0) {
    return [
      ...mistakes.map((mistake) => describeProblem(mistake)),
      "",
      `${plural(mistakes.length, "mistake")}.`,
    ];
  }
  return [
    ...warnings.map((warning) => describeProblem(warning, "warning: ")),
    ...(warnings.length > 0 ? [""] : []),
    `${plural(stepCount, "step")}, no mistakes${warnings.length > 0 ? `, ${plural(warnings.length, "warning")}` : ""}.`,
  ];
}

/** A step that is over, in a line. */
export function describeStep(step: FlowStepRecord): string {
  const { document, index, id, verb, outcome, atMs, durationMs } = step;
  const place = (document === 0 ? "" : `${document}:`) + (id ?? index);
  const facts = [`${durationMs} ms`, ...describeDetails(step)].join(", ");
  return printable(
    `${(atMs / 1_000).toFixed(2).padStart(7)} s  ${place.padEnd(16)} ${verb.padEnd(9)} ${outcome.padEnd(11)} ${facts}`,
  );
}

function describeDetails(step: FlowStepRecord): readonly string[] {
  const { digits, attempts, interruptedBy, recording, steps, reason } = step;
  return [
    ...(digits === undefined ? [] : [`digits ${digits === "" ? "none" : digits}`]),
    ...(attempts === undefined ? [] : [`asked ${attempts} times`]),
    ...(interruptedBy === undefined ? [] : [`by ${interruptedBy}`]),
    ...(recording === undefined
      ? []
      : [`${recording.durationMs} ms recorded`, ...recording.files.map(({ name }) => name)]),
    ...(steps === undefined ? [] : [plural(steps, "step")]),
    ...(reason === undefined ? [] : [reason]),
  ];
}

const END_TEXT: Readonly<Record<FlowEndReason, string>> = {
  completed: "The flow reached its end",
  hangup: "The caller hung up, or the call broke off, before the flow reached its end",
  aborted: "The flow was ended from outside",
  "step-limit": "The flow was ended: no call performs more steps",
  "redirect-limit": "The flow was ended: no call follows more redirects",
  "loop-without-pause": "The flow was ended: it goes round without any time passing",
};

/** How a flow ended, in a line. */
export function describeEnd({ reason, steps, durationMs }: FlowResult): string {
  return `${END_TEXT[reason]}: ${plural(steps, "step")} in ${(durationMs / 1_000).toFixed(1)} s.`;
}

function describeProblem({ place, path, message }: FlowProblem, kind = ""): string {
  const where = place === null ? "" : `line ${place.line}, column ${place.column}: `;
  const what = path === "" ? message : `${path}: ${message}`;
  return printable(`${where}${kind}${what}`);
}

/** Names and reasons come from outside, and a terminal acts on control characters. */
function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, "?");
}

function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}
