import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { flow } from "./builder.ts";
import { checkFlow } from "./check-flow.ts";
import { FlowInterpreter } from "./interpreter.ts";
import type { FlowInput, FlowOutput, FlowStepRecord } from "./interpreter-types.ts";
import { FLOW_LIMITS } from "./limits.ts";
import type { FlowDocument } from "./types.ts";

/** A Wednesday, 10:00 in UTC. */
const WALL_MS = Date.parse("2026-11-25T10:00:00Z");
type WithoutTime<T> = T extends unknown ? Omit<T, "nowMs" | "wallMs"> : never;

/** An interpreter, and a clock for what it is told. */
class Walk {
  readonly records: FlowStepRecord[] = [];
  nowMs = 1_000;
  last: FlowOutput | undefined;
  readonly interpreter: FlowInterpreter;

  constructor(steps: unknown) {
    this.interpreter = new FlowInterpreter(documentOf(steps));
    this.tell({ type: "start" }, 0);
  }

  tell(input: WithoutTime<FlowInput>, tookMs = 100): this {
    this.nowMs += tookMs;
    const time = { nowMs: this.nowMs, wallMs: WALL_MS + this.nowMs };
    const outputs = this.interpreter.handle({ ...input, ...time } as FlowInput);
    for (const output of outputs) if (output.type === "record") this.records.push(output.record);
    this.last = outputs.at(-1);
    return this;
  }

  done(outcome: FlowStepRecord["outcome"] = "completed", digits?: string, tookMs = 100): this {
    return this.tell({ type: "step-done", outcome, details: digits === undefined ? {} : { digits } }, tookMs);
  }

  /** Outcomes by index, as in `menu.on.1[0] completed`. */
  get way(): readonly string[] {
    return this.records.map(({ index, outcome }) => `${index} ${outcome}`);
  }

  get verb(): string | undefined {
    return this.last?.type === "perform" ? this.last.step.verb : this.last?.type;
  }
}

function documentOf(steps: unknown): FlowDocument {
  const { document, mistakes } = checkFlow(steps);
  expect(mistakes).toEqual([]);
  if (document === null) throw new Error("no document");
  return document;
}

const PLAY = { verb: "play", source: "a.mp3" };

describe("the way through a flow", () => {
  test("one step follows the other, and the end is the end", () => {
    const walk = new Walk([{ verb: "answer" }, PLAY, { verb: "pause", durationMs: 500 }]);
    expect(walk.verb).toBe("answer");
    walk.done();
    expect(walk.last).toEqual({ type: "perform", step: PLAY, isRemote: false });
    walk.done().done("completed", undefined, 500);
    expect(walk.last).toEqual({ type: "end", reason: "completed" });
    expect(walk.interpreter.endReason).toBe("completed");
    expect(walk.records[2]).toEqual({
      document: 0,
      index: "2",
      id: null,
      verb: "pause",
      outcome: "completed",
      atMs: 200,
      durationMs: 500,
    });
  });

  test("a branch of steps of its own is run, and the flow goes on after its parent", () => {
    const walk = new Walk([{ verb: "gather", id: "menu", on: { 1: [PLAY, PLAY] } }, { verb: "answer" }]);
    walk.done("digits", "1").done().done().done();
    expect(walk.way).toEqual(["0 digits", "menu.on.1[0] completed", "menu.on.1[1] completed", "1 completed"]);
  });

  test("branches in branches end where the outermost goes on", () => {
    const inner = { verb: "gather", on: { 2: [PLAY] } };
    const walk = new Walk([{ verb: "gather", on: { 1: [inner] } }, { verb: "answer" }]);
    walk.done("digits", "1").done("digits", "2").done().done();
    expect(walk.way).toEqual(["0 digits", "0.on.1[0] digits", "0.on.1[0].on.2[0] completed", "1 completed"]);
  });

  test("an id leads to its step, into a branch as well, and the flow goes on from there", () => {
    const steps = [
      {
        verb: "gather",
        on: { 1: [{ ...PLAY, id: "hello" }, { verb: "answer" }], 2: "end", 3: "next", 4: [] },
      },
      { ...PLAY, on: { completed: "hello" } },
    ];
    const walk = new Walk(steps).done("digits", "3").done().done().done();
    expect(walk.way).toEqual(["0 digits", "1 completed", "0.on.1[0] completed", "0.on.1[1] completed"]);
    expect(walk.verb).toBe("play");
    expect(new Walk(steps).done("digits", "2").last).toEqual({ type: "end", reason: "completed" });
    expect(new Walk(steps).done("digits", "4").verb).toBe("play");
  });

  test("a step that fails without a branch goes on with the next", () => {
    const walk = new Walk([PLAY, { verb: "answer" }]);
    walk.tell({ type: "step-done", outcome: "failed", details: { reason: "MEDIA_FILE_UNUSABLE" } });
    expect(walk.records[0]).toMatchObject({ outcome: "failed", reason: "MEDIA_FILE_UNUSABLE" });
    expect(walk.verb).toBe("answer");
  });

  test("hangup and reject end the flow, a reject that fails does not", () => {
    const walk = new Walk([{ verb: "hangup" }, PLAY]);
    expect(walk.done().last).toEqual({ type: "end", reason: "completed" });
    expect(new Walk([{ verb: "reject" }, PLAY]).done().last).toEqual({ type: "end", reason: "completed" });
    expect(new Walk([{ verb: "reject" }, PLAY]).done("failed").verb).toBe("play");
  });

  test("a caller who hangs up ends it in any step; that a hangup ends the call is its purpose", () => {
    const walk = new Walk([PLAY, PLAY]).tell({ type: "call-ended" });
    expect(walk.way).toEqual(["0 hangup"]);
    expect(walk.last).toEqual({ type: "end", reason: "hangup" });
    expect(walk.done().last).toBeUndefined();
    expect(new Walk([PLAY]).done("hangup").last).toEqual({ type: "end", reason: "hangup" });
    expect(new Walk([{ verb: "hangup" }]).tell({ type: "call-ended" }).last).toEqual({
      type: "end",
      reason: "completed",
    });
  });

  test("answers to what was not asked change nothing", () => {
    const walk = new Walk([PLAY]).tell({ type: "redirected", document: null, steps: 0 });
    expect(walk.last).toBeUndefined();
    walk.tell({ type: "redirect-failed", reason: "x" }).tell({ type: "start" });
    expect(walk.records).toEqual([]);
    expect(walk.done().last).toEqual({ type: "end", reason: "completed" });
  });

  test("its program can end it", () => {
    expect(new Walk([PLAY]).tell({ type: "abort" }).last).toEqual({ type: "end", reason: "aborted" });
  });
});

describe("gather", () => {
  const MENU = {
    verb: "gather",
    prompt: "menu.mp3",
    retries: 2,
    on: { 1: [{ verb: "answer" }], "42": "end" },
  };

  test("has as many digits as its longest branch, and # at its end", () => {
    expect(new Walk([MENU]).last).toMatchObject({ step: { maxDigits: 2, finishOnKey: "#" } });
    expect(new Walk([{ verb: "gather", on: { "#": "end" } }]).last).toMatchObject({
      step: { maxDigits: 1, finishOnKey: null },
    });
    const plain = new Walk([{ verb: "gather", maxDigits: 5, finishOnKey: "*" }]).last;
    expect(plain).toMatchObject({ step: { maxDigits: 5, finishOnKey: "*" } });
    expect(new Walk([{ verb: "gather" }]).last).not.toHaveProperty("step.maxDigits");
  });

  test("asks again after silence and after digits without a branch, and then takes timeout or other", () => {
    const steps = [
      { ...MENU, on: { ...MENU.on, timeout: [PLAY], other: [{ verb: "pause", durationMs: 20 }] } },
    ];
    const silent = new Walk(steps).done("timeout");
    expect(silent.verb).toBe("gather");
    expect(silent.records).toEqual([]);
    silent.done("digits", "7").done("timeout");
    expect(silent.verb).toBe("play");
    expect(silent.records).toMatchObject([{ outcome: "timeout", attempts: 3, durationMs: 300 }]);
    const wrong = new Walk(steps).done("timeout").done("timeout").done("digits", "7");
    expect(wrong.verb).toBe("pause");
    expect(wrong.records).toMatchObject([{ outcome: "other", digits: "7", attempts: 3 }]);
  });

  test("the right digits end the retries", () => {
    const walk = new Walk([MENU]).done("digits", "9").done("digits", "1");
    expect(walk.verb).toBe("answer");
    expect(walk.records).toMatchObject([{ outcome: "digits", digits: "1", attempts: 2 }]);
  });

  test("without branches of digits, any digits are right", () => {
    const walk = new Walk([{ verb: "gather", retries: 3, on: { timeout: "end" } }, PLAY]).done(
      "digits",
      "1234",
    );
    expect(walk.records).toMatchObject([{ outcome: "digits", digits: "1234" }]);
    expect(walk.verb).toBe("play");
    const other = new Walk([{ verb: "gather", retries: 3, on: { other: "end" } }, PLAY]).done(
      "digits",
      "1234",
    );
    expect(other.last).toEqual({ type: "end", reason: "completed" });
  });
});

describe("conditions", () => {
  const open = { hours: { timeZone: "UTC", open: { wed: ["09:00-17:00"] } } };

  test("a step whose condition does not hold is skipped, which can be branched on", () => {
    const steps = [
      { ...PLAY, when: { ...open, not: true } },
      { verb: "tag", tags: { closed: true }, when: { ...open, not: true }, on: { skipped: "open" } },
      { verb: "hangup" },
      { verb: "answer", id: "open", when: open },
    ];
    const walk = new Walk(steps);
    expect(walk.way).toEqual(["0 skipped", "1 skipped"]);
    expect(walk.verb).toBe("answer");
    expect(walk.interpreter.tags).toEqual({});
  });
});

describe("redirect", () => {
  const steps = [
    { verb: "tag", tags: { language: "de" } },
    { verb: "gather", id: "menu" },
    { verb: "redirect", url: "https://example.com/a", on: { failed: [PLAY] } },
    { verb: "answer" },
  ];

  test("posts the last step and the tags, and goes on with the answer", () => {
    const walk = new Walk(steps).done("digits", "12");
    expect(walk.last).toMatchObject({
      type: "redirect",
      url: "https://example.com/a",
      lastStep: { id: "menu", verb: "gather", outcome: "digits", digits: "12" },
      tags: { language: "de" },
    });
    walk.tell({ type: "redirected", document: documentOf([PLAY]), steps: 1 });
    expect(walk.last).toMatchObject({ type: "perform", isRemote: true });
    expect(walk.records.at(-1)).toMatchObject({ verb: "redirect", outcome: "completed", steps: 1 });
    walk.done();
    expect(walk.records.at(-1)).toMatchObject({ document: 1, index: "0" });
    expect(walk.last).toEqual({ type: "end", reason: "completed" });
  });

  test("an empty answer goes on here, and a failed one takes its branch", () => {
    const empty = new Walk(steps).done("timeout").tell({ type: "redirected", document: null, steps: 0 });
    expect(empty.records.at(-1)).toMatchObject({ outcome: "empty" });
    expect(empty.verb).toBe("answer");
    const failed = new Walk(steps).done("timeout").tell({ type: "redirect-failed", reason: "status 500" });
    expect(failed.records.at(-1)).toMatchObject({ outcome: "failed", reason: "status 500" });
    expect(failed.verb).toBe("play");
  });

  test("is followed twenty times", () => {
    const again = documentOf([{ verb: "redirect", url: "https://example.com/a" }]);
    const walk = new Walk(again);
    for (let i = 0; i < FLOW_LIMITS.redirects; i += 1) {
      expect(walk.verb).toBe("redirect");
      walk.tell({ type: "redirected", document: again, steps: 1 });
    }
    expect(walk.last).toEqual({ type: "end", reason: "redirect-limit" });
  });
});

describe("limits", () => {
  test("a thousand steps are performed, and no more", () => {
    const walk = new Walk([{ ...PLAY, id: "again", on: { completed: "again" } }]);
    while (walk.interpreter.endReason === null) walk.done();
    expect(walk.last).toEqual({ type: "end", reason: "step-limit" });
    expect(walk.records).toHaveLength(FLOW_LIMITS.stepsPerCall);
  });

  test("a loop in which no time passes ends after twenty steps", () => {
    const walk = new Walk([{ ...PLAY, id: "again", on: { failed: "again" } }]);
    while (walk.interpreter.endReason === null) walk.done("failed", undefined, 0);
    expect(walk.last).toEqual({ type: "end", reason: "loop-without-pause" });
    expect(walk.records).toHaveLength(FLOW_LIMITS.stepsWithoutPause);
  });

  test("many quick steps are no loop", () => {
    const walk = new Walk([...Array.from({ length: 100 }, () => ({ verb: "tag", tags: { a: 1 } })), PLAY]);
    expect(walk.records).toHaveLength(100);
    expect(walk.verb).toBe("play");
  });

  test("a loop that takes its time now and then goes on", () => {
    const walk = new Walk([
      { verb: "tag", id: "again", tags: {} },
      { ...PLAY, on: { completed: "again", failed: "again" } },
    ]);
    for (let i = 0; i < 50; i += 1)
      walk.done(i % 5 === 4 ? "completed" : "failed", undefined, i % 5 === 4 ? 1_000 : 0);
    expect(walk.verb).toBe("play");
  });

  test("tags are bounded", () => {
    const tags = (from: number) =>
      Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`t${from + i}`, i]));
    const walk = new Walk([{ verb: "tag", tags: tags(0) }, { verb: "tag", tags: tags(30) }, PLAY]);
    expect(Object.keys(walk.interpreter.tags)).toHaveLength(FLOW_LIMITS.tags);
  });
});

const VERBS = [
  PLAY,
  { verb: "answer" },
  { verb: "reject" },
  { verb: "hangup" },
  { verb: "tag", tags: { a: 1 } },
  { verb: "gather", retries: 1 },
  { verb: "redirect", url: "https://example.com" },
];

/** Steps whose branches lead anywhere. */
const anyFlow = fc
  .array(
    fc.tuple(
      fc.constantFrom(...VERBS),
      fc.array(
        fc.tuple(fc.constantFrom("completed", "failed", "timeout", "1", "other", "empty"), fc.nat(9)),
        { maxLength: 3 },
      ),
    ),
    {
      minLength: 1,
      maxLength: 10,
    },
  )
  .map((steps) =>
    steps.map(([step, branches], i) => ({
      ...step,
      id: `s${i}`,
      on: Object.fromEntries(
        branches.map(([outcome, to]) => [outcome, to < steps.length ? `s${to}` : "next"]),
      ),
    })),
  );

test("whatever the flow and whatever becomes of its steps, it ends within its limits and says so once", () => {
  const outcome = fc.constantFrom(
    "completed",
    "failed",
    "timeout",
    "digits",
    "interrupted",
    "hangup",
    "absent",
  );
  const input = fc.tuple(outcome, fc.constantFrom("1", "", "9"), fc.constantFrom(0, 0, 0, 5, 100));
  fc.assert(
    fc.property(anyFlow, fc.array(input, { minLength: 1, maxLength: 30 }), (steps, inputs) => {
      const { document } = checkFlow(steps);
      fc.pre(document !== null);
      const walk = new Walk(steps);
      let turns = 0;
      while (walk.interpreter.endReason === null) {
        const [what, digits, tookMs] = inputs[turns % inputs.length] ?? ["completed", "", 0];
        if (walk.verb === "redirect")
          walk.tell({ type: "redirected", document: turns % 3 === 0 ? null : document, steps: 1 }, tookMs);
        else walk.done(what === "hangup" && turns < 20 ? "failed" : what, digits, tookMs);
        turns += 1;
        expect(turns).toBeLessThan(FLOW_LIMITS.stepsPerCall * 3);
      }
      expect(walk.last?.type).toBe("end");
      expect(walk.interpreter.stepCount).toBeLessThanOrEqual(FLOW_LIMITS.stepsPerCall);
      expect(walk.records.length).toBeLessThanOrEqual(FLOW_LIMITS.stepsPerCall);
    }),
  );
});

test("a builder's flow and its JSON are walked the same way", () => {
  const built = flow()
    .answer()
    .gather({ prompt: "a", on: { 1: flow().hangup() } });
  const walk = new Walk(built).done().done("digits", "1").done();
  expect(walk.way).toEqual(["0 completed", "1 digits", "1.on.1[0] completed"]);
});
