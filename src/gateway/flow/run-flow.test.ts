import { afterEach, describe, expect, test } from "vitest";
import { type FlowStepRecord, flow } from "../../core/flow/index.ts";
import { RingbackError } from "../../errors.ts";
import { type Logger, silentLogger } from "../../logger.ts";
import { ManualClock } from "../../testing/manual-clock.ts";
import type { CallEnd } from "../call.ts";
import type { GatherResult, PlayResult, RecordingResult } from "../verbs/types.ts";
import type { FlowCall, FlowEvent, FlowOptions, FlowSpec } from "./flow-options.ts";
import { runFlow } from "./run-flow.ts";

const PLAYED: PlayResult = { outcome: "completed", playedMs: 1_000, interruptedBy: null };
const RECORDED: RecordingResult = {
  status: "completed",
  endedBy: "finish-key",
  files: [],
  durationMs: 3_000,
  pausedMs: 0,
  concealedMs: 0,
  consent: { mode: "none", state: "not-asked", atMs: null, digit: null },
  error: null,
};

type Verb = "answer" | "reject" | "hangUp" | "play" | "say" | "gather" | "record" | "tone" | "sendDigits";

/** A call that does what it is told, and writes down what was asked of it. */
class ScriptedCall {
  readonly id = "wacid.HBgLMTU1NTAwMDExMTEVAgASGBQzQTE";
  readonly phoneNumberId = "106540352242922";
  readonly caller = {
    phoneNumber: "15550001111",
    userId: null,
    parentUserId: null,
    name: "Zoë",
    username: null,
  };
  phase: FlowCall["phase"] = "ringing";
  readonly asked: unknown[][] = [];
  tags: object = {};
  readonly ended: Promise<CallEnd>;
  /** What verbs come to, instead of success; a function is called. */
  readonly script: Partial<Record<Verb, readonly unknown[]>>;
  #end!: (end: CallEnd) => void;

  constructor(script: ScriptedCall["script"] = {}) {
    this.script = script;
    this.ended = new Promise((resolve) => {
      this.#end = resolve;
    });
  }

  /** The verbs in their order. */
  get verbs(): string {
    return this.asked.map(([verb]) => String(verb)).join(" ");
  }

  end(): void {
    this.phase = "ended";
    this.#end({} as CallEnd);
  }

  tag(tags: object): void {
    this.tags = tags;
  }

  async answer(): Promise<void> {
    if (this.phase !== "active") this.asked.push(["answer"]);
    await this.#next("answer", undefined);
    if (this.phase !== "ended") this.phase = "active";
  }

  async reject(): Promise<void> {
    this.asked.push(["reject"]);
    await this.#next("reject", undefined);
    this.end();
  }

  async hangUp(): Promise<void> {
    this.asked.push(["hangUp"]);
    await this.#next("hangUp", undefined);
    this.end();
  }

  play = (...given: unknown[]) => this.#do("play", given, PLAYED);
  say = (...given: unknown[]) => this.#do("say", given, PLAYED);
  tone = (...given: unknown[]) => this.#do("tone", given, PLAYED);
  gather = (...given: unknown[]) =>
    this.#do("gather", given, { outcome: "timeout", digits: "", finishedBy: null });
  record = (...given: unknown[]) => this.#do("record", given, RECORDED);
  sendDigits = (...given: unknown[]) => this.#do("sendDigits", given, "sent");

  #do(verb: Verb, given: unknown[], usual: unknown): Promise<unknown> {
    this.asked.push([verb, ...given]);
    return this.#next(verb, usual);
  }

  readonly #used = new Map<Verb, number>();
  async #next(verb: Verb, usual: unknown): Promise<unknown> {
    const used = this.#used.get(verb) ?? 0;
    this.#used.set(verb, used + 1);
    const scripted = this.script[verb]?.[used] ?? usual;
    if (scripted instanceof Error) throw scripted;
    return typeof scripted === "function" ? scripted() : scripted;
  }
}

const never = (): Promise<never> => new Promise(() => {});
const digits = (pressed: string): GatherResult => ({
  outcome: "digits",
  digits: pressed,
  finishedBy: "max-digits",
});
const missing = new RingbackError("MEDIA_FILE_UNUSABLE", "a.mp3 does not exist.", {
  details: { path: "a.mp3", reason: "missing" },
});

const unhandled: unknown[] = [];
const note = (reason: unknown): void => void unhandled.push(reason);
process.on("unhandledRejection", note);
afterEach(() => expect(unhandled).toEqual([]));

interface Run {
  readonly clock: ManualClock;
  readonly steps: FlowStepRecord[];
  readonly result: ReturnType<typeof runFlow>;
}

/** Starts a flow; time passes only when the test says so. */
function start(call: ScriptedCall, spec: FlowSpec, options: FlowOptions = {}): Run {
  const clock = new ManualClock();
  const steps: FlowStepRecord[] = [];
  const result = runFlow(call as unknown as FlowCall, spec, {
    clock,
    timers: clock,
    onStep: (step) => void steps.push(step),
    ...options,
  });
  return { clock, steps, result };
}

/** The same, to its end. */
async function run(call: ScriptedCall, spec: FlowSpec, options: FlowOptions = {}) {
  const { clock, steps, result } = start(call, spec, options);
  await clock.advanceAsync(60_000);
  expect(clock.pendingTimers).toBe(0);
  return {
    records: steps,
    outcomes: steps.map(({ verb, outcome }) => `${verb} ${outcome}`),
    ...(await result),
  };
}

describe("steps on a call", () => {
  test("each verb is asked with its fields, and the call is hung up at the end", async () => {
    const call = new ScriptedCall();
    const spec = flow()
      .answer()
      .play(["a.mp3", "https://example.com/b.mp3", { silenceMs: 500 }], {
        loop: 2,
        gain: 0.5,
        interruptOn: "digit",
      })
      .say("Hello.", { voice: "anna", language: "de" })
      .gather({ prompt: "menu.mp3", maxDigits: 3, timeoutMs: 4_000, interDigitTimeoutMs: 2_000, retries: 1 })
      .record({ consent: "announce", announcement: "c.mp3", maxMs: 60_000, finishOnKey: null })
      .tone({ frequencyHz: 440, durationMs: 200 })
      .dtmf("12#", { inBand: true })
      .pause(700);
    const { reason, records, durationMs } = await run(call, spec, { folder: "/flows" });
    expect(reason).toBe("completed");
    expect(records).toHaveLength(8);
    expect(durationMs).toBe(1_200);
    const signal = expect.any(AbortSignal);
    const gather = {
      retries: 0,
      signal,
      prompt: ["/flows/menu.mp3"],
      maxDigits: 3,
      finishOnKey: "#",
      timeoutMs: 4_000,
      interDigitTimeoutMs: 2_000,
    };
    expect(call.asked).toEqual([
      ["answer"],
      [
        "play",
        ["/flows/a.mp3", "https://example.com/b.mp3", { silenceMs: 500 }],
        { signal, loop: 2, gain: 0.5, interruptOn: "digit" },
      ],
      ["say", "Hello.", { signal, voice: "anna", language: "de" }],
      ["gather", gather],
      ["gather", gather],
      [
        "record",
        { consent: "announce", announcement: ["/flows/c.mp3"], maxMs: 60_000, finishOnKey: null, signal },
      ],
      ["tone", { frequencyHz: 440, durationMs: 200 }, { signal }],
      ["sendDigits", "12#", { inBand: true }],
      ["hangUp"],
    ]);
  });

  test("a step that needs audio answers the call, a pause does not", async () => {
    const call = new ScriptedCall();
    await run(call, flow().pause(500).play("a.mp3").play("b.mp3"));
    expect(call.verbs).toBe("answer play play hangUp");
  });

  test("reject turns a ringing call away, and fails on one that is answered", async () => {
    const ringing = new ScriptedCall();
    expect(await run(ringing, flow().reject().play("a.mp3"))).toMatchObject({ reason: "completed" });
    expect(ringing.verbs).toBe("reject");
    const tooLate = new RingbackError("CALL_WRONG_PHASE", "It is active.", {
      details: { callId: "x", phase: "active", operation: "reject" },
    });
    const active = new ScriptedCall({ reject: [tooLate] });
    const { outcomes } = await run(active, flow().reject({ on: { failed: [{ verb: "hangup" }] } }));
    expect(outcomes).toEqual(["reject failed", "hangup completed"]);
  });

  test("a failed step is logged with its reason, and the flow goes on", async () => {
    const warnings: unknown[] = [];
    const logger: Logger = {
      ...silentLogger,
      child: () => logger,
      warn: (fields) => void warnings.push(fields),
    };
    const call = new ScriptedCall({ play: [missing] });
    const { records } = await run(call, flow().play("a.mp3").say("Hello."), { logger });
    expect(records.map(({ outcome, reason }) => [outcome, reason])).toEqual([
      ["failed", "a.mp3 does not exist."],
      ["completed", undefined],
    ]);
    expect(warnings).toEqual([{ err: missing, verb: "play" }]);
  });

  test("what a verb comes to is an outcome", async () => {
    const call = new ScriptedCall({
      play: [
        { outcome: "interrupted", playedMs: 20, interruptedBy: "digit" },
        { outcome: "replaced", playedMs: 0, interruptedBy: null },
      ],
      sendDigits: ["unsupported"],
      record: [
        {
          ...RECORDED,
          status: "absent",
          endedBy: "declined",
          consent: { mode: "dtmf", state: "declined", atMs: null, digit: "2" },
        },
        { ...RECORDED, status: "failed", error: missing },
      ],
    });
    const spec = flow()
      .play("a")
      .play("b")
      .dtmf("1")
      .record({ consent: "dtmf", announcement: "c" })
      .record({ consent: "none" })
      .dial([{ type: "agent", queue: "sales" }])
      .stream("wss://example.com");
    const { outcomes, records } = await run(call, spec);
    expect(outcomes).toEqual([
      "play interrupted",
      "play interrupted",
      "dtmf unsupported",
      "record declined",
      "record failed",
      "dial unsupported",
      "stream unsupported",
    ]);
    expect(records[0]).toMatchObject({ interruptedBy: "digit" });
    expect(records[3]).toMatchObject({ recording: { consent: { mode: "dtmf", state: "declined" } } });
  });

  test("a menu branches on what is pressed", async () => {
    const call = new ScriptedCall({ gather: [digits("9"), digits("2")] });
    const menu = { id: "menu", retries: 1, on: { 1: "end", 2: flow().say("Two."), other: "end" } };
    const { outcomes, records } = await run(call, flow().gather(menu));
    expect(outcomes).toEqual(["gather digits", "say completed"]);
    expect(records).toMatchObject([{ digits: "2", attempts: 2 }, { index: "menu.on.2[0]" }]);
  });

  test("a call can be kept at the end", async () => {
    const call = new ScriptedCall();
    expect(await run(call, flow().answer(), { atEnd: "keep" })).toMatchObject({ reason: "completed" });
    expect(call.verbs).toBe("answer");
  });

  test("a flow with mistakes is not begun", async () => {
    const call = new ScriptedCall();
    const result = runFlow(call as unknown as FlowCall, [{ verb: "gather", on: { 1: "nowhere" } }]);
    await expect(result).rejects.toMatchObject({
      code: "FLOW_INVALID",
      message: 'The flow has mistakes: steps[0].on.1: there is no step with the id "nowhere".',
      details: { mistakes: [{ path: "steps[0].on.1" }] },
    });
    expect(call.asked).toEqual([]);
  });

  test("an onStep that throws disturbs nothing", async () => {
    const onStep = (): never => {
      throw new Error("oops");
    };
    expect(await run(new ScriptedCall(), flow().answer(), { onStep })).toMatchObject({ reason: "completed" });
  });
});

describe("a caller who hangs up", () => {
  const VERBS: readonly (readonly [Verb | "pause" | "redirect", FlowSpec])[] = [
    ["answer", flow().answer().pause(100)],
    ["play", flow().play("a").pause(100)],
    ["say", flow().say("a").pause(100)],
    ["gather", flow().gather({ retries: 2 }).pause(100)],
    ["tone", flow().tone({ frequencyHz: 440, durationMs: 100 }).pause(100)],
    ["sendDigits", flow().dtmf("1").pause(100)],
    ["pause", flow().pause(60_000).pause(100)],
    ["redirect", flow().redirect("https://example.com").pause(100)],
  ];

  test.each(VERBS)("in %s ends the flow, though the verb never does", async (verb, spec) => {
    const call = new ScriptedCall({ [verb]: [never] });
    const { clock, steps, result } = start(call, spec, { fetchSteps: never });
    await clock.advanceAsync(100);
    call.end();
    expect(await result).toMatchObject({ reason: "hangup", steps: 1 });
    expect(steps).toMatchObject([{ outcome: "hangup", durationMs: 100 }]);
    expect(clock.pendingTimers).toBe(0);
    expect(call.verbs).not.toContain("hangUp");
  });

  test("in record is told with what was recorded", async () => {
    let finish: (result: RecordingResult) => void = () => {};
    const call = new ScriptedCall({
      record: [() => new Promise((resolve) => (finish = resolve as typeof finish))],
    });
    const { clock, steps, result } = start(call, flow().record({ consent: "none" }));
    await clock.advanceAsync(100);
    call.end();
    await clock.advanceAsync(100);
    expect(steps).toEqual([]);
    finish({ ...RECORDED, endedBy: "call-ended" });
    expect(await result).toMatchObject({ reason: "hangup" });
    expect(steps).toMatchObject([{ verb: "record", outcome: "hangup", recording: { durationMs: 3_000 } }]);
    expect(clock.pendingTimers).toBe(0);
  });

  test("in a record that never ends, ends the flow all the same", async () => {
    const call = new ScriptedCall({ record: [never] });
    const { clock, result } = start(call, flow().record({ consent: "none" }));
    await clock.advanceAsync(100);
    call.end();
    await clock.advanceAsync(10_000);
    expect(await result).toMatchObject({ reason: "hangup" });
  });

  test("before the flow begins, is noticed", async () => {
    const call = new ScriptedCall({
      answer: [
        new RingbackError("CALL_ENDED", "over", { details: { callId: "x", reason: "caller-hangup" } }),
      ],
    });
    call.end();
    expect(await run(call, flow().answer())).toMatchObject({ reason: "hangup" });
  });

  test("lets go of what verbs wait for", async () => {
    const call = new ScriptedCall({ gather: [never] });
    const { clock, result } = start(call, flow().gather({}));
    await clock.advanceAsync(0);
    const { signal } = (call.asked[1]?.[1] ?? {}) as { readonly signal: AbortSignal };
    expect(signal.aborted).toBe(false);
    call.end();
    await result;
    expect(signal.aborted).toBe(true);
  });
});

test("its program can end a flow, and keeps the call", async () => {
  const controller = new AbortController();
  const call = new ScriptedCall({ gather: [never] });
  const { clock, result } = start(call, flow().gather({}), { signal: controller.signal });
  await clock.advanceAsync(0);
  controller.abort();
  expect(await result).toMatchObject({ reason: "aborted" });
  expect(call.verbs).toBe("answer gather");
  expect(await run(new ScriptedCall(), flow().answer(), { signal: AbortSignal.abort() })).toMatchObject({
    reason: "aborted",
  });
});

test("a flow that is ended by who hears of a step performs no other", async () => {
  const controller = new AbortController();
  const call = new ScriptedCall();
  const options = { signal: controller.signal, onStep: () => controller.abort() };
  expect(await run(call, flow().answer().play("a.mp3"), options)).toMatchObject({ reason: "aborted" });
  expect(call.verbs).toBe("answer");
});

describe("redirect", () => {
  test("posts where the call stands, and goes on with the answer", async () => {
    const events: FlowEvent[] = [];
    const call = new ScriptedCall({ gather: [digits("42")] });
    const spec = flow()
      .tag({ language: "de" })
      .gather({ id: "menu" })
      .redirect("https://example.com/next")
      .say("Never.");
    const fetchSteps = async (_: string, event: FlowEvent): Promise<string> => {
      events.push(event);
      return '[{"verb":"say","text":"From afar."}]';
    };
    const { outcomes, tags } = await run(call, spec, { fetchSteps });
    expect(events).toEqual([
      {
        version: 1,
        call: { id: call.id, phoneNumberId: call.phoneNumberId, caller: call.caller },
        step: { id: "menu", verb: "gather", outcome: "digits", digits: "42" },
        tags: { language: "de" },
      },
    ]);
    expect(outcomes).toEqual(["tag completed", "gather digits", "redirect completed", "say completed"]);
    expect(call.asked).toContainEqual(["say", "From afar.", expect.anything()]);
    expect(tags).toEqual({ language: "de" });
  });

  test.each([
    ["no body", "", "redirect empty"],
    ["no steps", "[]", "redirect empty"],
    ["HTML", "<html>", "redirect failed"],
    ["a mistake", '[{"verb":"plya"}]', "redirect failed"],
  ])("an answer with %s", async (_, answer, expected) => {
    const spec = flow().redirect("https://example.com").tag({ a: 1 });
    const { outcomes } = await run(new ScriptedCall(), spec, { fetchSteps: async () => answer });
    expect(outcomes).toEqual([expected, "tag completed"]);
  });

  test("the reason of a failure is told", async () => {
    const spec = flow().redirect("https://example.com");
    const mistake = await run(new ScriptedCall(), spec, {
      fetchSteps: async () => '[{"verb":"plya"},{"verb":"x"}]',
    });
    expect(mistake.records[0]?.reason).toBe(
      "The answer is no flow: steps[0].verb: unknown verb; did you mean play? (and 1 more).",
    );
    const refused = await run(new ScriptedCall(), flow().redirect("http://127.0.0.1:1/"));
    expect(refused.records[0]?.reason).toContain("The URL is refused");
  });

  test("files that another server names are the flow's own", async () => {
    const answer = JSON.stringify([
      { verb: "play", source: "../data/recordings/a.opus" },
      { verb: "play", source: "/etc/passwd" },
      { verb: "play", source: "sub/b.mp3" },
      { verb: "gather", prompt: "..\\c.mp3" },
    ]);
    const call = new ScriptedCall();
    const spec = flow().redirect("https://example.com");
    const { outcomes } = await run(call, spec, { fetchSteps: async () => answer, folder: "/flows" });
    expect(outcomes).toEqual([
      "redirect completed",
      "play failed",
      "play failed",
      "play completed",
      "gather timeout",
    ]);
    expect(call.asked.filter(([verb]) => verb === "play").map(([, source]) => source)).toEqual([
      ["/flows/sub/b.mp3"],
    ]);
    expect(call.asked.find(([verb]) => verb === "gather")?.[1]).not.toHaveProperty("prompt");
  });

  test("a server that always redirects is followed twenty times", async () => {
    let asked = 0;
    const fetchSteps = async (): Promise<string> => {
      asked += 1;
      return '[{"verb":"redirect","url":"https://example.com"}]';
    };
    const call = new ScriptedCall();
    expect(await run(call, flow().redirect("https://example.com"), { fetchSteps })).toMatchObject({
      reason: "redirect-limit",
    });
    expect(asked).toBe(20);
    expect(call.verbs).toBe("hangUp");
  });
});

test("a loop without a pause is ended, and the call with it", async () => {
  const call = new ScriptedCall({ play: Array.from({ length: 100 }, () => missing) });
  const { reason, records } = await run(call, flow().play("a.mp3", { id: "again", on: { failed: "again" } }));
  expect(reason).toBe("loop-without-pause");
  expect(records).toHaveLength(20);
  expect(call.verbs).toMatch(/hangUp$/);
});
