import { describe, expect, test } from "vitest";
import { flow } from "./builder.ts";
import { checkFlow, checkFlowText } from "./check-flow.ts";
import { FLOW_LIMITS } from "./limits.ts";

/** `path: message` of each mistake. */
function mistakesIn(steps: readonly unknown[]): readonly string[] {
  return checkFlow({ version: 1, steps }).mistakes.map(({ path, message }) => `${path}: ${message}`);
}

function warningsIn(steps: readonly unknown[]): readonly string[] {
  const { document, warnings } = checkFlow({ version: 1, steps });
  expect(document).not.toBeNull();
  return warnings.map(({ path, message }) => `${path}: ${message}`);
}

const MENU = {
  id: "menu",
  verb: "gather",
  prompt: [
    "menu.mp3",
    { silenceMs: 500 },
    { tone: { frequencyHz: [440, 480], durationMs: 800 } },
    { say: "Press one." },
  ],
  maxDigits: 2,
  finishOnKey: null,
  timeoutMs: 5_000,
  interDigitTimeoutMs: 2_000,
  retries: 2,
  on: {
    1: "sales",
    42: [{ verb: "play", source: "https://example.com/a.mp3" }],
    "*": "menu",
    timeout: "end",
    other: "next",
  },
};

const WHOLE = {
  $schema: "https://example.com/flow.schema.json",
  version: 1,
  steps: [
    { verb: "answer" },
    {
      verb: "play",
      source: "closed.mp3",
      when: {
        hours: { timeZone: "Europe/Berlin", open: { "mon-fri": ["09:00-17:00"] }, holidays: ["2026-12-24"] },
        not: true,
      },
      on: { completed: "end", skipped: "next" },
    },
    MENU,
    {
      id: "sales",
      verb: "say",
      text: "Hello.",
      voice: "anna",
      language: "de",
      loop: 2,
      gain: 0.5,
      interruptOn: ["digit", "speech"],
    },
    { verb: "tone", frequencyHz: 440, durationMs: 200 },
    { verb: "pause", durationMs: 500 },
    { verb: "dtmf", digits: "1w2#", inBand: true },
    { verb: "tag", tags: { department: "sales", vip: true, count: 3 } },
    {
      verb: "record",
      consent: "dtmf",
      announcement: "announcement.mp3",
      consentKey: "1",
      channels: "both",
      layout: "files",
      format: "wav",
      maxMs: 60_000,
      endOnSilenceMs: 4_000,
      beep: false,
      finishOnKey: null,
      trim: true,
      postTo: "https://example.com/voicemail",
      on: { completed: "next", absent: "end", declined: "end", failed: "end" },
    },
    { verb: "redirect", url: "https://example.com/next", on: { failed: [{ verb: "hangup" }] } },
  ],
};

describe("a flow without mistakes", () => {
  test("is given back as a document, with its steps counted", () => {
    const { document, stepCount, mistakes, warnings } = checkFlow(WHOLE);
    expect(mistakes).toEqual([]);
    expect(warnings).toEqual([]);
    expect(stepCount).toBe(12);
    const { $schema: _, ...expected } = WHOLE;
    expect(document).toEqual(expected);
  });

  test("a bare list of steps is one of version 1", () => {
    expect(checkFlow([{ verb: "hangup" }]).document).toEqual({ version: 1, steps: [{ verb: "hangup" }] });
    expect(checkFlowText('[{"verb":"hangup"}]').document).toEqual({
      version: 1,
      steps: [{ verb: "hangup" }],
    });
  });

  test("a builder is one, too", () => {
    expect(checkFlow(flow().answer().hangup()).document?.steps).toHaveLength(2);
  });
});

describe("mistakes have a path and a suggestion", () => {
  test.each([
    [{ verb: "gather", maxDigit: 1 }, "steps[0].maxDigit: unknown field; did you mean maxDigits?"],
    [{ verb: "plya", source: "a" }, "steps[0].verb: unknown verb; did you mean play?"],
    [
      { source: "a" },
      "steps[0].verb: is missing: must be one of answer, reject, play, say, gather, record, pause, tone, dtmf, redirect, dial, stream, tag, hangup",
    ],
    [
      { verb: "play" },
      'steps[0].source: is missing: it must be a path, a URL, {"tone": …}, {"silenceMs": …} or {"say": …}',
    ],
    [
      { verb: "play", source: "ftp://a/b" },
      "steps[0].source: must be a path, or a URL that begins with https://",
    ],
    [
      { verb: "play", source: { tone: { frequencyHz: 440 } } },
      "steps[0].source.tone.durationMs: is missing: it must be a number",
    ],
    [{ verb: "play", source: ["a", { say: "" }] }, "steps[0].source[1].say: must not be empty"],
    [{ verb: "play", source: "a", loop: 0 }, "steps[0].loop: must be at least 1"],
    [{ verb: "play", source: "a", gain: 5 }, "steps[0].gain: must be at most 4"],
    [
      { verb: "play", source: "a", interruptOn: "digits" },
      'steps[0].interruptOn: must be "digit", "speech", or both in a list',
    ],
    [{ verb: "pause", durationMs: 10.5 }, "steps[0].durationMs: must be a whole number"],
    [{ verb: "pause", durationMs: "500" }, "steps[0].durationMs: must be a number"],
    [
      { verb: "dtmf", digits: "1x" },
      "steps[0].digits: must be keys (0-9, *, #, A-D), and w for a pause of 500 ms",
    ],
    [{ verb: "redirect", url: "/next" }, "steps[0].url: must be a URL that begins with https://"],
    [{ verb: "record" }, 'steps[0].consent: is missing: it must be one of "announce", "dtmf", "none"'],
    [
      { verb: "record", consent: "announce" },
      "steps[0].announcement: is missing: consent by announce needs one",
    ],
    [{ verb: "record", consent: "none", layout: "files" }, 'steps[0].layout: needs "channels": "both"'],
    [{ verb: "record", consent: "none", consentKey: "1" }, 'steps[0].consentKey: needs "consent": "dtmf"'],
    [{ verb: "hangup", id: "end" }, 'steps[0].id: "next" and "end" have a meaning of their own'],
    [
      { verb: "hangup", id: "1a" },
      "steps[0].id: must be a letter and then letters, digits, - and _, 64 at most",
    ],
    [
      { verb: "tag", tags: { "a b": 1 } },
      "steps[0].tags.a b: is no name: letters, digits, - _ and ., 64 at most",
    ],
    [
      { verb: "dial", targets: [{ type: "phone" }] },
      'steps[0].targets[0].type: must be one of "agent", "sip"',
    ],
    ["answer", "steps[0]: must be an object in braces"],
  ])("%j", (step, expected) => {
    expect(mistakesIn([step])).toEqual([expected]);
  });

  test("branches lead to outcomes that there are, and to steps that there are", () => {
    expect(mistakesIn([{ verb: "play", source: "a", on: { complete: "end" } }])).toEqual([
      "steps[0].on.complete: play has no such outcome (it has completed, interrupted, failed, skipped); did you mean completed?",
    ]);
    expect(
      mistakesIn([
        { verb: "gather", on: { 1: "slaes" } },
        { id: "sales", verb: "hangup" },
      ]),
    ).toEqual(['steps[0].on.1: there is no step with the id "slaes"; did you mean sales?']);
    expect(mistakesIn([{ verb: "gather", on: { tiemout: "end", 1: 7 } }])).toEqual([
      'steps[0].on.1: must be the id of a step, "next", "end", or a list of steps',
      "steps[0].on.tiemout: gather has no such outcome (it has digits (1, 42, *), timeout, other, skipped); did you mean timeout?",
    ]);
    expect(mistakesIn([{ verb: "hangup", on: { completed: "end" } }])[0]).toContain(
      "hangup has no such outcome",
    );
  });

  test("a hang-up cannot be branched on, and the reason is said", () => {
    expect(mistakesIn([{ verb: "gather", on: { hangup: "end" } }])).toEqual([
      "steps[0].on.hangup: cannot be branched on: when the caller hangs up, the call is over, and with it the flow",
    ]);
  });

  test("branches that can never be taken are mistakes", () => {
    expect(mistakesIn([{ verb: "gather", maxDigits: 1, on: { 11: "end" } }])).toEqual([
      "steps[0].on.11: is never taken: maxDigits is 1",
    ]);
    expect(mistakesIn([{ verb: "gather", finishOnKey: "#", on: { "1#": "end" } }])).toEqual([
      "steps[0].on.1#: is never taken: # ends the input (finishOnKey)",
    ]);
    expect(mistakesIn([{ verb: "answer", on: { skipped: "end" } }])[0]).toContain(
      "only a step with `when` is skipped",
    );
  });

  test("an id belongs to one step, wherever that is", () => {
    const steps = [{ id: "a", verb: "gather", on: { 1: [{ id: "a", verb: "hangup" }] } }];
    expect(mistakesIn(steps)).toEqual(["steps[0].on.1[0].id: steps[0] has the same id"]);
  });

  test("opening hours are read to the last character", () => {
    const hours = {
      timeZone: "Europe/Berln",
      open: { "mon-fry": [], sat: ["9-5"] },
      holidays: ["2026-02-30"],
    };
    expect(mistakesIn([{ verb: "hangup", when: { hours, nott: true } }])).toEqual([
      "steps[0].when.hours.timeZone: must be a time zone by its IANA name, such as Europe/Berlin; did you mean Europe/Berlin?",
      "steps[0].when.hours.open.mon-fry: is no day: write mon, mon-fri or sat,sun (mon tue wed thu fri sat sun)",
      "steps[0].when.hours.open.sat[0]: must be a range of times such as 09:00-17:30, 22:00-06:00 or 00:00-24:00",
      "steps[0].when.hours.holidays[0]: must be a date that there is, such as 2026-12-24, or 12-25 for each year",
      "steps[0].when.nott: unknown field; did you mean not?",
    ]);
  });

  test("all of them are told at once", () => {
    const steps = [
      { verb: "plya" },
      { verb: "gather", maxDigit: 1, on: { 1: "nowhere" } },
      { verb: "pause" },
    ];
    expect(mistakesIn(steps)).toHaveLength(4);
  });

  test("what is no document is said to be none", () => {
    expect(checkFlow(7).mistakes).toEqual([
      { path: "", message: "must be an object in braces", place: null },
    ]);
    expect(checkFlow(undefined).mistakes[0]?.message).toBe("cannot be written as JSON");
    expect(checkFlow({ version: 2, steps: [] }).mistakes[0]).toMatchObject({
      path: "version",
      message: "must be 1",
    });
    expect(checkFlow({ version: 1 }).mistakes[0]).toMatchObject({ path: "steps" });
  });

  test("in a text they have their line and column, and stand in its order", () => {
    const text = '{\n "version": 1,\n "steps": [\n  {"verb": "pause"},\n  {"verb": "answr"}\n ]\n}';
    expect(checkFlowText(text).mistakes.map(({ path, place }) => [path, place])).toEqual([
      ["steps[0].durationMs", { line: 4, column: 3 }],
      ["steps[1].verb", { line: 5, column: 4 }],
    ]);
    expect(checkFlowText('[\n {"verb": "answer",}]').mistakes).toEqual([
      { path: "", message: "no JSON: there must be no comma before }", place: { line: 2, column: 20 } },
    ]);
  });
});

describe("ways through a flow", () => {
  test("a loop of steps that take no time is a mistake", () => {
    const steps = [
      { id: "a", verb: "tag", tags: {}, on: { completed: "b" } },
      { verb: "hangup" },
      { id: "b", verb: "answer", on: { completed: "a" } },
    ];
    expect(mistakesIn(steps)).toEqual(["steps[2]: goes round for ever without a pause: b → a → b"]);
    expect(mistakesIn([{ id: "a", verb: "answer", on: { completed: "a" } }])[0]).toContain("a → a");
  });

  test("a loop that fails or is skipped all the way is warned of", () => {
    expect(warningsIn([{ id: "a", verb: "play", source: "x", on: { failed: "a" } }])).toEqual([
      "steps[0]: may go round without a pause, which ends the flow, when steps fail or are skipped: a → a",
    ]);
  });

  test("a loop with a verb that takes time is none of these", () => {
    const steps = [
      { id: "a", verb: "tag", tags: {} },
      { verb: "gather", prompt: "menu.mp3", on: { 1: "end", timeout: "a", other: "a" } },
    ];
    expect(warningsIn(steps)).toEqual([]);
  });

  test("steps that are never reached are warned of, the first of them", () => {
    const steps = [
      {
        verb: "gather",
        on: { 1: [{ verb: "hangup" }, { verb: "answer" }, { verb: "answer" }], timeout: "end", other: "end" },
      },
      { verb: "answer" },
      { id: "x", verb: "gather", on: { 1: [{ verb: "answer" }] } },
    ];
    expect(warningsIn(steps)).toEqual(["steps[0].on.1[1]: is never reached", "steps[1]: is never reached"]);
  });

  test("a reject that may come too late, plain http and verbs to come are warned of", () => {
    const steps = [
      { verb: "play", source: "a", on: { completed: [{ verb: "redirect", url: "http://example.com" }] } },
      { verb: "stream", url: "wss://example.com/ws", dialect: "twilio", params: { a: "b" } },
      {
        verb: "dial",
        targets: [
          { type: "agent", queue: "sales" },
          { type: "sip", uri: "sip:100@pbx" },
        ],
        timeoutMs: 20_000,
      },
      { verb: "reject" },
    ];
    expect(warningsIn(steps).map((warning) => warning.replace(/: .*/, ""))).toEqual([
      "steps[0].on.completed[0].url",
      "steps[1]",
      "steps[2]",
      "steps[3]",
    ]);
  });

  test("no steps at all are warned of", () => {
    expect(warningsIn([])).toEqual(["steps: there are no steps: the flow ends at once"]);
  });
});

describe("limits", () => {
  test("the size is that of the text in UTF-8", () => {
    const textOf = (character: string): string =>
      `[{"verb":"hangup","padding":"${character.repeat(131_000)}"}]`;
    expect(checkFlowText(textOf("a")).mistakes[0]?.path).toBe("steps[0].padding");
    expect(checkFlowText(textOf("éé")).mistakes[0]?.message).toBe("is larger than 262144 bytes");
    expect(checkFlowText(textOf("😀")).mistakes[0]?.message).toBe("is larger than 262144 bytes");
  });

  test("steps are counted in branches, too", () => {
    const inner = Array.from({ length: FLOW_LIMITS.steps - 1 }, () => ({ verb: "pause", durationMs: 20 }));
    expect(mistakesIn([{ verb: "gather", on: { 1: inner } }])).toEqual([]);
    expect(mistakesIn([{ verb: "gather", on: { 1: inner } }, { verb: "hangup" }])[0]).toContain(
      "1001 steps are more than 1000",
    );
  });

  test("lists of steps lie in each other, but not too deep", () => {
    const nested = (levels: number): unknown[] =>
      levels === 1 ? [{ verb: "hangup" }] : [{ verb: "gather", on: { 1: nested(levels - 1) } }];
    expect(mistakesIn(nested(FLOW_LIMITS.nesting))).toEqual([]);
    expect(mistakesIn(nested(FLOW_LIMITS.nesting + 1))[0]).toContain("lies deeper than 8 lists of steps");
    expect(mistakesIn(nested(40))[0]).toContain("nested deeper than 64 levels");
  });

  test("a value that refers to itself is no document", () => {
    const step: Record<string, unknown> = { verb: "gather" };
    step["on"] = { 1: [step] };
    expect(mistakesIn([step])).toEqual([": cannot be written as JSON"]);
  });

  test("a text full of mistakes is answered in no time, with fifty of them", () => {
    const zones = Array.from({ length: 900 }, () => ({
      verb: "hangup",
      when: { hours: { timeZone: "Europe/Berln", open: {} } },
    }));
    const startMs = performance.now();
    expect(mistakesIn(zones)).toHaveLength(50);
    expect(
      mistakesIn(
        Array.from({ length: 999 }, (_, i) => ({
          id: `s${i}`,
          verb: "answer",
          on: { completed: `x${i}`, compl: "a" },
        })),
      ),
    ).toHaveLength(50);
    expect(performance.now() - startMs).toBeLessThan(10_000);
  });
});
