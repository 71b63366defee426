import type {
  FlowEndReason,
  FlowInput,
  FlowOutput,
  FlowStepDetails,
  FlowStepRecord,
  FlowTime,
} from "./interpreter-types.ts";
import { FLOW_LIMITS, PAUSE_MS } from "./limits.ts";
import { digitBranches, type FlowOutcome } from "./outcomes.ts";
import { compileFlow, completeGather, FLOW_END, type FlowNode, type FlowProgram } from "./program.ts";
import type { FlowDocument, FlowTagValue, GatherStep } from "./types.ts";

/** The step that is being carried out. */
interface Running {
  readonly node: FlowNode;
  readonly startMs: number;
  /** How often it was begun: a gather asks again. */
  attempts: number;
}

/**
 * One call's way through a flow, without I/O: `handle` takes what happened and says what is to be done next, at most one
 * thing at a time. It ends within its limits, whatever it is told.
 */
export class FlowInterpreter {
  #program: FlowProgram;
  #document = 0;
  #startMs = 0;
  #running: Running | null = null;
  #isStarted = false;
  #endReason: FlowEndReason | null = null;
  #steps = 0;
  #lastStep: FlowStepRecord | null = null;
  /** Steps since the last one that took time, and which ones they were. */
  #quietSteps = 0;
  readonly #quietNodes = new Set<FlowNode>();
  readonly #tags = new Map<string, FlowTagValue>();

  /** @param document One that has passed the checker. */
  constructor(document: FlowDocument) {
    this.#program = compileFlow(document);
  }

  /** Null until the flow is over. */
  get endReason(): FlowEndReason | null {
    return this.#endReason;
  }

  /** Steps so far, skipped ones included. */
  get stepCount(): number {
    return this.#steps;
  }

  get tags(): Readonly<Record<string, FlowTagValue>> {
    return Object.fromEntries(this.#tags);
  }

  /** What comes before the start or after the end, or answers nothing that was asked, changes nothing. */
  handle(input: FlowInput): readonly FlowOutput[] {
    if (this.#endReason !== null) return [];
    if (input.type === "start") return this.#start(input);
    if (input.type === "call-ended") return this.#callEnded(input, {});
    if (input.type === "abort") return this.#end("aborted");
    const running = this.#running;
    if (running === null) return [];
    const isRedirect = running.node.step.verb === "redirect";
    if (input.type === "step-done") return isRedirect ? [] : this.#stepDone(running, input);
    if (!isRedirect) return [];
    if (input.type === "redirected") return this.#redirected(running, input);
    return this.#leave(running, input, "failed", { reason: input.reason });
  }

  #start(time: FlowTime): readonly FlowOutput[] {
    if (this.#isStarted) return [];
    this.#isStarted = true;
    this.#startMs = time.nowMs;
    return this.#goTo(this.#program.first, time);
  }

  #callEnded(time: FlowTime, details: FlowStepDetails): readonly FlowOutput[] {
    const running = this.#running;
    if (running === null) return this.#end("hangup");
    const { verb } = running.node.step;
    // That the call ends is what these are for.
    if (verb === "hangup" || verb === "reject") {
      return [this.#record(running, time, "completed", {}), ...this.#end("completed")];
    }
    return [this.#record(running, time, "hangup", details), ...this.#end("hangup")];
  }

  #stepDone(running: Running, input: Extract<FlowInput, { type: "step-done" }>): readonly FlowOutput[] {
    const { step } = running.node;
    const { outcome, details = {} } = input;
    if (outcome === "hangup") return this.#callEnded(input, details);
    if (step.verb === "hangup" || (step.verb === "reject" && outcome === "completed")) {
      return [this.#record(running, input, "completed", {}), ...this.#end("completed")];
    }
    if (step.verb === "gather") return this.#gathered(running, step, input);
    return this.#leave(running, input, outcome, details);
  }

  #gathered(
    running: Running,
    step: GatherStep,
    input: Extract<FlowInput, { type: "step-done" }>,
  ): readonly FlowOutput[] {
    const { attempts } = running;
    const details = { ...input.details, ...(attempts > 1 ? { attempts } : {}) };
    const { outcome, branch, isMiss } = judgeGather(step, input.outcome, details.digits ?? "");
    if (!isMiss || attempts > (step.retries ?? 0))
      return this.#leave(running, input, outcome, details, branch);
    running.attempts += 1;
    return [this.#perform(running.node)];
  }

  #redirected(running: Running, input: Extract<FlowInput, { type: "redirected" }>): readonly FlowOutput[] {
    const { document, steps } = input;
    if (document === null || document.steps.length === 0) return this.#leave(running, input, "empty", {});
    const record = this.#record(running, input, "completed", { steps });
    this.#document += 1;
    this.#program = compileFlow(document);
    this.#quietNodes.clear();
    return [record, ...this.#goTo(this.#program.first, input)];
  }

  /** @param branch Key of `on`; default: the outcome. */
  #leave(
    running: Running,
    time: FlowTime,
    outcome: FlowOutcome,
    details: FlowStepDetails,
    branch: string = outcome,
  ): readonly FlowOutput[] {
    const { node } = running;
    const record = this.#record(running, time, outcome, details);
    return [record, ...this.#goTo(node.branches.get(branch) ?? node.next, time)];
  }

  /** From one step to the next that has to be carried out. What the interpreter does by itself is done on the way. */
  #goTo(number: number, time: FlowTime): readonly FlowOutput[] {
    const outputs: FlowOutput[] = [];
    let at = number;
    for (;;) {
      const node = at === FLOW_END ? undefined : this.#program.nodes[at];
      if (node === undefined) return [...outputs, ...this.#end("completed")];
      const limit = this.#limitBefore(node);
      if (limit !== null) return [...outputs, ...this.#end(limit)];
      this.#steps += 1;
      this.#quietSteps += 1;
      this.#quietNodes.add(node);
      const running: Running = { node, startMs: time.nowMs, attempts: 1 };
      this.#running = running;
      const outcome = this.#outcomeWithoutDoing(node, time);
      if (outcome === null) return [...outputs, this.#perform(node)];
      outputs.push(this.#record(running, time, outcome, {}));
      at = node.branches.get(outcome) ?? node.next;
    }
  }

  #limitBefore(node: FlowNode): FlowEndReason | null {
    if (this.#steps >= FLOW_LIMITS.stepsPerCall) return "step-limit";
    const goesRound = this.#quietNodes.has(node);
    if (goesRound && this.#quietSteps >= FLOW_LIMITS.stepsWithoutPause) return "loop-without-pause";
    if (node.step.verb === "redirect" && this.#document >= FLOW_LIMITS.redirects) return "redirect-limit";
    return null;
  }

  /** Null when somebody else has to do it. */
  #outcomeWithoutDoing({ step, holds }: FlowNode, { wallMs }: FlowTime): FlowOutcome | null {
    if (!holds(wallMs)) return "skipped";
    if (step.verb !== "tag") return null;
    for (const [name, value] of Object.entries(step.tags)) {
      if (this.#tags.has(name) || this.#tags.size < FLOW_LIMITS.tags) this.#tags.set(name, value);
    }
    return "completed";
  }

  #perform({ step }: FlowNode): FlowOutput {
    if (step.verb === "redirect") {
      return { type: "redirect", url: step.url, lastStep: this.#lastStep, tags: this.tags };
    }
    if (step.verb === "tag") throw new TypeError("tags are set on the way");
    return {
      type: "perform",
      step: step.verb === "gather" ? completeGather(step) : step,
      isRemote: this.#document > 0,
    };
  }

  #record(running: Running, time: FlowTime, outcome: FlowOutcome, details: FlowStepDetails): FlowOutput {
    const { node, startMs } = running;
    const { step, index } = node;
    const durationMs = Math.max(0, time.nowMs - startMs);
    const record: FlowStepRecord = {
      document: this.#document,
      index,
      id: step.id ?? null,
      verb: step.verb,
      outcome,
      atMs: Math.round(startMs - this.#startMs),
      durationMs: Math.round(durationMs),
      ...details,
    };
    this.#running = null;
    if (durationMs >= PAUSE_MS) {
      this.#quietSteps = 0;
      this.#quietNodes.clear();
    }
    if (step.verb !== "tag" && outcome !== "skipped") this.#lastStep = record;
    return { type: "record", record };
  }

  #end(reason: FlowEndReason): readonly FlowOutput[] {
    this.#endReason = reason;
    this.#running = null;
    return [{ type: "end", reason }];
  }
}

/** What the digits of one try come to, which branch that is, and whether it is worth another try. */
function judgeGather(
  { on = {} }: GatherStep,
  outcome: FlowOutcome,
  digits: string,
): { readonly outcome: FlowOutcome; readonly branch: string; readonly isMiss: boolean } {
  if (outcome !== "digits") return { outcome, branch: outcome, isMiss: outcome === "timeout" };
  const expectsDigits = digitBranches(on).length > 0;
  if (expectsDigits && Object.hasOwn(on, digits)) return { outcome, branch: digits, isMiss: false };
  const isOther = expectsDigits || Object.hasOwn(on, "other");
  return { outcome: isOther ? "other" : "digits", branch: "other", isMiss: expectsDigits };
}
