import {
  checkFlowText,
  FLOW_LIMITS,
  type FlowDocument,
  FlowInterpreter,
  flow,
} from "../../../src/core/flow/index.ts";
import type { FlowOutcome } from "../../../src/core/flow/outcomes.ts";
import { textLayout } from "../layouts.ts";
import { type FuzzTarget, must } from "../target.ts";

const HOURS = {
  timeZone: "Europe/Berlin",
  open: { "mon-fri": ["09:00-12:00", "22:00-06:00"] },
  holidays: ["12-25"],
};

/** Between them, every verb and every field, in lines: mutations take out, repeat and exchange those. */
const SAMPLES = [
  flow()
    .answer()
    .play(["welcome.mp3", { tone: { frequencyHz: [440, 480], durationMs: 800 } }], {
      loop: 2,
      interruptOn: "digit",
    })
    .gather({
      id: "menu",
      prompt: { say: "Press one.", language: "en" },
      maxDigits: 2,
      finishOnKey: null,
      retries: 1,
      on: {
        1: flow().play("sales.mp3", { on: { failed: "menu" } }),
        42: "menu",
        timeout: "end",
        other: "next",
      },
    })
    .hangup(),
  flow()
    .tag({ hours: "open", count: 1 }, { id: "hours", when: { hours: HOURS }, on: { skipped: "closed" } })
    .redirect("https://example.com/next", { on: { failed: [{ verb: "reject" }], empty: "hours" } })
    .say("We are closed.", { id: "closed", when: { hours: HOURS, not: true }, on: { skipped: "hours" } })
    .record({ consent: "dtmf", announcement: "a.mp3", channels: "both", layout: "files", maxMs: 60_000 })
    .pause(500, { on: { completed: "hours" } }),
  flow()
    .tone({ frequencyHz: 440, durationMs: 200 }, { id: "a" })
    .dtmf("1w2#", { on: { unsupported: "a" } })
    .dial([{ type: "agent", queue: "sales" }], { on: { busy: "a", "no-answer": "end" } })
    .stream("wss://example.com/ws", { params: { a: "b" }, on: { failed: "a" } }),
].map((each) => Uint8Array.from(Buffer.from(JSON.stringify(each, null, 1))));

const OUTCOMES: readonly FlowOutcome[] = [
  "completed",
  "failed",
  "digits",
  "timeout",
  "interrupted",
  "absent",
  "unsupported",
  "declined",
];
/** Gathers ask up to 21 times for each step. */
const MOST_TURNS = FLOW_LIMITS.stepsPerCall * 21;

/** Whatever a flow says and whatever becomes of its steps: the checker bears it, and the interpreter ends. */
export const FLOW: FuzzTarget = {
  name: "flow",
  layoutOf: textLayout,
  open() {
    /** The last one that was whole: what redirects lead to. */
    let known: FlowDocument = { version: 1, steps: [] };
    return {
      samples: SAMPLES,
      take(bytes, { choice, waitMs }) {
        const { document, mistakes, stepCount } = checkFlowText(Buffer.from(bytes).toString());
        must((document === null) === mistakes.length > 0, "what is no flow has a mistake");
        must(
          mistakes.every(({ message, place }) => message.length > 0 && place !== null),
          "a mistake says what is wrong, and where",
        );
        if (document === null) return;
        must(checkFlowText(JSON.stringify(document)).document !== null, "a flow stays one");
        must(stepCount <= FLOW_LIMITS.steps, "a flow has no more steps than it may");
        walk(document, known, choice, waitMs);
        known = document;
      },
      check() {},
    };
  },
};

function walk(document: FlowDocument, next: FlowDocument, choice: number, stepMs: number): void {
  const interpreter = new FlowInterpreter(document);
  let time = { nowMs: 0, wallMs: Date.UTC(2026, 10, 25) };
  let last = interpreter.handle({ type: "start", ...time }).at(-1);
  let records = 0;
  for (let turn = 0; interpreter.endReason === null; turn += 1) {
    must(turn <= MOST_TURNS, "a flow ends within its limits");
    const tookMs = turn % 7 === 0 ? stepMs : 0;
    time = { nowMs: time.nowMs + tookMs, wallMs: time.wallMs + tookMs * 3_600 };
    const outcome = OUTCOMES[(choice + turn) % OUTCOMES.length] ?? "completed";
    const outputs =
      last?.type === "redirect"
        ? interpreter.handle({
            type: "redirected",
            document: turn % 2 === 0 ? next : null,
            steps: 1,
            ...time,
          })
        : interpreter.handle({ type: "step-done", outcome, details: { digits: String(turn % 50) }, ...time });
    records += outputs.filter(({ type }) => type === "record").length;
    last = outputs.at(-1);
    must(last !== undefined, "there is always something to do next, or the end");
  }
  must(last?.type === "end", "the end is told");
  must(records <= FLOW_LIMITS.stepsPerCall, "a step is told of once");
  must(interpreter.handle({ type: "call-ended", ...time }).length === 0, "nothing comes after the end");
}
