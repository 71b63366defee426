import {
  type FlowDocument,
  type FlowEndReason,
  type FlowInput,
  FlowInterpreter,
  type FlowOutput,
  type FlowStepRecord,
  type FlowTime,
  type RecordStep,
} from "../../core/flow/index.ts";
import { type Logger, silentLogger } from "../../logger.ts";
import { type Clock, systemClock } from "../../platform/clock.ts";
import { createRequestPolicy, type RequestPolicy } from "../../platform/outgoing-request.ts";
import { systemTimers, type Timers } from "../../platform/timers.ts";
import { keeperOf } from "../call-handle.ts";
import { callTag } from "../call-tag.ts";
import { snakeCase } from "../records/event-data.ts";
import type { RecordingResult } from "../verbs/types.ts";
import { createStepFetcher, readSteps } from "./fetch-steps.ts";
import { flowEvent } from "./flow-event.ts";
import { requireFlow } from "./flow-invalid.ts";
import type { FetchSteps, FlowCall, FlowOptions, FlowResult, FlowSpec } from "./flow-options.ts";
import { performStep, type StepContext, toFlowRecording } from "./perform-step.ts";
import { postRecording } from "./post-recording.ts";

type WithoutTime<T> = T extends unknown ? Omit<T, keyof FlowTime> : never;
type Happening = WithoutTime<FlowInput>;

/** WhatsApp's relay and the phone hold some audio back: hanging up at the last packet would cut the last word. */
const TAIL_MS = 500;
/** A recording of a call that is over is closed by then. */
const RECORDING_END_MS = 10_000;

/**
 * Carries a flow out on a call, to the flow's end or the call's. At its end the call is hung up, unless `atEnd` is `keep`.
 *
 * Rejects only for what the program has given; whatever goes wrong on the way is an outcome of its step.
 * @throws {RingbackError} `FLOW_INVALID`; `OPTION_INVALID` for `requests`.
 */
export async function runFlow(
  call: FlowCall,
  flow: FlowSpec,
  options: FlowOptions = {},
): Promise<FlowResult> {
  return new FlowRun(call, requireFlow(flow), options).run();
}

class FlowRun {
  readonly #call: FlowCall;
  readonly #options: FlowOptions;
  readonly #interpreter: FlowInterpreter;
  readonly #policy: RequestPolicy;
  readonly #fetchSteps: FetchSteps;
  readonly #clock: Clock;
  readonly #timers: Timers;
  readonly #logger: Logger;
  readonly #context: Omit<StepContext, "isRemote">;
  readonly #ending = new AbortController();
  /** Recordings on their way. */
  readonly #posts = new Set<Promise<void>>();
  /** Number of the step at hand: what an earlier one comes to is told to nobody. */
  #turn = 0;
  #isRecording = false;
  #lastStep: FlowStepRecord | null = null;
  #resolveEnd!: (reason: FlowEndReason) => void;
  readonly #end: Promise<FlowEndReason>;

  constructor(call: FlowCall, document: FlowDocument, options: FlowOptions) {
    this.#call = call;
    this.#options = options;
    this.#interpreter = new FlowInterpreter(document);
    this.#policy = createRequestPolicy(options.requests);
    this.#fetchSteps = options.fetchSteps ?? createStepFetcher(this.#policy);
    this.#clock = options.clock ?? systemClock;
    this.#timers = options.timers ?? systemTimers;
    this.#logger = (options.logger ?? silentLogger).child({ call: callTag(call.id) });
    this.#end = new Promise((resolve) => {
      this.#resolveEnd = resolve;
    });
    this.#context = {
      folder: options.folder ?? null,
      signal: this.#ending.signal,
      wait: (durationMs) => this.#wait(durationMs, this.#ending.signal),
      hangUp: () => this.#hangUp(),
      onPromptFailed: (error) => this.#logger.warn({ err: error }, "a prompt was not played"),
      onRecorded: (step, result) => this.#post(step, result),
    };
  }

  async run(): Promise<FlowResult> {
    const startMs = this.#clock.nowMs();
    const { signal } = this.#options;
    const abort = (): void => this.#feed({ type: "abort" });
    signal?.addEventListener("abort", abort, { once: true });
    void this.#call.ended.then(() => this.#callEnded());
    if (signal?.aborted) abort();
    else this.#feed({ type: "start" });
    const reason = await this.#end;
    signal?.removeEventListener("abort", abort);
    await this.#conclude(reason);
    const steps = this.#interpreter.stepCount;
    const durationMs = Math.round(this.#clock.nowMs() - startMs);
    const ended = { reason: snakeCase(reason), steps, duration_ms: durationMs };
    keeperOf(this.#call)?.record("flow.ended", ended);
    return {
      reason,
      steps,
      durationMs,
      tags: this.#interpreter.tags,
      lastStep: this.#lastStep,
    };
  }

  #feed(happening: Happening): void {
    const time = { nowMs: this.#clock.nowMs(), wallMs: this.#clock.wallMs() };
    for (const output of this.#interpreter.handle({ ...happening, ...time } as FlowInput))
      this.#carryOut(output);
  }

  #carryOut(output: FlowOutput): void {
    switch (output.type) {
      case "record":
        this.#report(output.record);
        return;
      // Whoever is told of a step can have ended the flow by now.
      case "perform":
        if (this.#interpreter.endReason === null) void this.#perform(output);
        return;
      case "redirect":
        if (this.#interpreter.endReason === null) void this.#redirect(output);
        return;
      case "end":
        this.#ending.abort();
        this.#resolveEnd(output.reason);
        return;
    }
  }

  async #perform({ step, isRemote }: Extract<FlowOutput, { type: "perform" }>): Promise<void> {
    const turn = this.#nextTurn();
    this.#isRecording = step.verb === "record";
    const { outcome, details, error } = await performStep(this.#call, step, { ...this.#context, isRemote });
    if (error !== null) this.#logger.warn({ err: error, verb: step.verb }, "a step of the flow failed");
    if (turn !== this.#turn) return;
    this.#isRecording = false;
    this.#feed({ type: "step-done", outcome, details });
  }

  async #redirect({ url, lastStep, tags }: Extract<FlowOutput, { type: "redirect" }>): Promise<void> {
    const turn = this.#nextTurn();
    const happening = await this.#askForSteps(url, flowEvent(this.#call, lastStep, tags));
    if (turn === this.#turn) this.#feed(happening);
  }

  async #askForSteps(url: string, event: Parameters<FetchSteps>[1]): Promise<Happening> {
    try {
      const read = readSteps(await this.#fetchSteps(url, event, this.#ending.signal));
      if (read.document !== null) return { type: "redirected", ...read };
      if (read.reason === null) return { type: "redirected", document: null, steps: 0 };
      this.#logger.warn({ reason: read.reason }, "a redirect of the flow failed");
      return { type: "redirect-failed", reason: read.reason };
    } catch (error) {
      if (!this.#ending.signal.aborted) this.#logger.warn({ err: error }, "a redirect of the flow failed");
      return { type: "redirect-failed", reason: error instanceof Error ? error.message : "unknown reason" };
    }
  }

  #nextTurn(): number {
    this.#turn += 1;
    return this.#turn;
  }

  #callEnded(): void {
    if (!this.#isRecording) {
      this.#feed({ type: "call-ended" });
      return;
    }
    // Its step tells what was recorded, once the file is closed.
    void this.#wait(RECORDING_END_MS, this.#ending.signal).then(() => this.#feed({ type: "call-ended" }));
  }

  #report(record: FlowStepRecord): void {
    this.#lastStep = record;
    const { index, verb, outcome, atMs, reason = null } = record;
    this.#logger.debug({ index, verb, outcome, atMs, reason }, "flow step");
    if (verb === "tag" && outcome === "completed") this.#call.tag(this.#interpreter.tags);
    try {
      this.#options.onStep?.(record);
    } catch (error) {
      this.#logger.error({ err: error }, "onStep failed");
    }
  }

  /** Goes on while the flow does: the caller need not wait for it. */
  #post(step: RecordStep, result: RecordingResult): void {
    const { postTo, id = null } = step;
    if (postTo === undefined) return;
    const isDeclined = result.consent.state === "declined";
    const event = {
      ...flowEvent(this.#call, null, this.#interpreter.tags),
      step: {
        id,
        verb: step.verb,
        outcome: isDeclined ? ("declined" as const) : result.status,
        recording: toFlowRecording(result),
      },
    };
    const wait = (ms: number): Promise<void> => this.#wait(ms);
    const posting = postRecording({ url: postTo, event, files: result.files }, this.#policy, wait)
      .catch((error: unknown) =>
        this.#logger.error({ err: error }, "a recording was not posted: its files are where they were"),
      )
      .finally(() => this.#posts.delete(posting));
    this.#posts.add(posting);
  }

  async #conclude(reason: FlowEndReason): Promise<void> {
    const isAtLimit = reason !== "completed" && reason !== "hangup" && reason !== "aborted";
    if (isAtLimit) this.#logger.error({ reason }, "the flow was ended at a limit (docs/flows.md)");
    const isOver = reason === "aborted" || this.#call.phase === "ended";
    if (!isOver && this.#options.atEnd !== "keep") await this.#hangUp();
    await Promise.all(this.#posts);
  }

  async #hangUp(): Promise<void> {
    if (this.#call.phase === "active") await Promise.race([this.#wait(TAIL_MS), this.#call.ended]);
    await this.#call.hangUp();
  }

  #wait(durationMs: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const stop = (): void => {
        this.#timers.clearTimer(timer);
        signal?.removeEventListener("abort", stop);
        resolve();
      };
      const timer = this.#timers.setTimer(durationMs, stop);
      signal?.addEventListener("abort", stop, { once: true });
      if (signal?.aborted) stop();
    });
  }
}
